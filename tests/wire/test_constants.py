"""Numbers that Python and Rust both know, held together: each is written once on either side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from branes import compiling, conduct, demands, jailed, wire

CRATES = Path(__file__).parents[2] / "crates"


def constant(path: str, name: str) -> int:
    """The value of a Rust constant: a number, or one shifted."""
    found = re.search(rf"const {name}: \w+ = (\d+)(?: << (\d+))?;", (CRATES / path).read_text(encoding="utf-8"))
    assert found is not None
    return int(found[1]) << int(found[2] or 0)


@pytest.mark.parametrize(
    ("path", "name", "known"),
    [
        ("cage/src/sys.rs", "OUT_OF_MEMORY", conduct._OUT_OF_MEMORY),
        ("cage/src/sys.rs", "OUT_OF_MEMORY", compiling._OUT_OF_MEMORY),
        ("brane-wire/src/brane.rs", "MAX_TOOL", wire.MAX_TOOL),
        ("cage/src/birth.rs", "STACK", demands.STACK),
        ("cage/src/seal.rs", "COMMANDS", jailed._COMMANDS),
        ("cage/src/seal.rs", "EVENTS", jailed._EVENTS),
    ],
)
def test_a_number_is_the_same_on_both_sides(path: str, name: str, known: int) -> None:
    assert constant(path, name) == known


def test_there_is_room_for_the_descriptors_that_a_brane_parks() -> None:
    # Commands and events, and three streams of a jailed program.
    assert constant("cage/src/seal.rs", "PARKING") + 5 <= demands.OPEN_FILES
