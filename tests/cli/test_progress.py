"""The bar while something is compiled; its name is a file's, and so anybody's."""

from __future__ import annotations

import pytest

from branes.cli import progress


@pytest.mark.parametrize("name", ["x[/b].wasm", "[link=https://example.com]x[/link].wasm"])
def test_markup_in_a_name_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    for variable, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "200"}.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(progress.os, "isatty", lambda _descriptor: True)
    monkeypatch.setattr(progress, "_NOTICED", -1.0)
    with progress.compiling(name) as bar:
        bar(0, 2)
        bar(1, 2)
    assert f"compiling {name} (once)" in capsys.readouterr().err
