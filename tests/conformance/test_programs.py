"""Small C programs, one subject each: what they find in a brane is what they find on Linux, but for what WASI lacks.

Each runs twice from one source: as an ordinary process in an empty directory, which is the oracle, and in a brane whose
root is an empty scratch directory. Where both differ, `differences.toml` has the lines and the reason; one that
is not there fails, and one that is gone fails, too.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import branes

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
NAMES = sorted(program.stem for program in (HERE / "programs").glob("*.c"))
DIFFERENCES: dict[str, dict[str, Any]] = tomllib.loads((HERE / "differences.toml").read_text())
ENV = {"ONE": "1", "EMPTY": ""}
Ran = tuple[int, list[str]]


def asked(name: str, what: str) -> list[str]:
    """What a program's first line says that it gets, separated by `|`: arguments, or lines of standard input."""
    first = (HERE / "programs" / f"{name}.c").read_text().partition("\n")[0]
    found = re.search(rf" {what}: (.*)$", first)
    return found[1].split("|") if found else []


def lines(output: bytes) -> list[str]:
    return output.decode(errors="backslashreplace").split("\n")


@pytest.fixture
def on_linux(native: Path, tmp_path: Path) -> Callable[[str], Ran]:
    def run(name: str) -> Ran:
        work = tmp_path / "work"
        work.mkdir()
        given = "\n".join(asked(name, "stdin")).encode()
        command = [native, name, *asked(name, "args")]
        done = subprocess.run(command, cwd=work, env=ENV, input=given, stdout=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, lines(done.stdout)

    return run


@pytest.fixture
def in_a_brane(module: Path) -> Callable[[str], Ran]:
    def run(name: str) -> Ran:
        given = "\n".join(asked(name, "stdin")).encode()
        done = branes.run(module, [name, *asked(name, "args")], stdin=given, env=ENV, scratch="/")
        return done.exit_code, lines(done.stdout)

    return run


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", NAMES)
def test_a_program_finds_in_a_brane_what_it_finds_on_linux(
    name: str, on_linux: Callable[[str], Ran], in_a_brane: Callable[[str], Ran]
) -> None:
    expected, found = on_linux(name), in_a_brane(name)
    assert found[0] == expected[0]
    assert len(found[1]) == len(expected[1]), "\n".join(found[1])
    known = DIFFERENCES.get(name, {"linux": [], "brane": []})
    differ = [pair for pair in zip(expected[1], found[1], strict=True) if pair[0] != pair[1]]
    assert differ == list(zip(known["linux"], known["brane"], strict=True))


def test_there_are_enough_programs_and_each_is_short() -> None:
    assert len(NAMES) >= 40
    assert all(len((HERE / "programs" / f"{name}.c").read_text().splitlines()) < 40 for name in NAMES)


def test_each_difference_is_of_a_program_and_has_a_reason() -> None:
    assert set(DIFFERENCES) <= set(NAMES)
    assert all(known["reason"] and known["linux"] for known in DIFFERENCES.values())
