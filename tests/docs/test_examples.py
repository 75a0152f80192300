"""Examples in the documents do what they say: a block of Python, and below it what it prints."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["docs/python.md"]
_BLOCKS = re.compile(r"^```python\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[tuple[str, str]]:
    """Code and expected output of each example, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = _BLOCKS.findall(text)
    assert len(found) == text.count("```python")
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_example_of_a_page_prints_what_stands_below_it(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code, expected in blocks(page):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page, "exec"), names)
        assert printed.getvalue() == expected, code


def test_the_example_of_an_analysis_leaves_its_result(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "examples" / "analysis.py"), str(tmp_path / "regions.csv")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout == "exit code 0\nlargest region: north\n"
    assert (tmp_path / "regions.csv").read_text().splitlines()[0] == "region,revenue,share"
    again = subprocess.run(words, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "is there already" in again.stderr


def test_the_example_of_a_plugin_host_tells_its_verdicts() -> None:
    words = [sys.executable, str(ROOT / "examples" / "plugins.py")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "judge: func(name: string, size: u32) -> verdict",
        "notes.txt: keep",
        "video.mp4: drop, larger than 1000 bytes",
    ]
