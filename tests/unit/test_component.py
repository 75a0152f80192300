from __future__ import annotations

import pytest

from branes.component import from_header

HEADER = {
    "adapted": True,
    "description": {
        "imports": [{"name": "wasi:cli/stdout@0.2.3", "type": {}}],
        "exports": [{"name": "wasi:cli/run@0.2.3"}, {"name": "other"}],
    },
}


def test_a_header_becomes_a_component() -> None:
    made = from_header("ab", HEADER)
    assert (made.digest, made.adapted, made.imports) == ("ab", True, ("wasi:cli/stdout@0.2.3",))
    assert made.exports == ("wasi:cli/run@0.2.3", "other")


@pytest.mark.parametrize(
    ("export", "command"),
    [("wasi:cli/run@0.2.3", True), ("wasi:cli/run", True), ("wasi:cli/runner", False), ("run", False), ("", False)],
)
def test_a_command_is_what_exports_run_of_any_version(export: str, *, command: bool) -> None:
    made = from_header("ab", {"adapted": False, "description": {"imports": [], "exports": [{"name": export}]}})
    assert made.is_command is command


@pytest.mark.parametrize(
    "header", [{}, {"adapted": 1, "description": []}, {"adapted": 1, "description": {"imports": [1]}}]
)
def test_what_is_no_header_raises_what_the_documentation_says(header: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError)):
        from_header("ab", header)
