"""Real runs of `brane` as a process of its own, and a look at the processes below it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Brane:
    """Starts the command with a state folder."""

    state: Path

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, "BRANES_STATE": str(self.state), "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}

    def words(self, *args: str) -> list[str]:
        """The command line; an argument `NAME.wat` is one of the programs."""
        found = [str(PROGRAMS / arg) if (PROGRAMS / arg).is_file() else arg for arg in args]
        return [sys.executable, "-m", "branes", *found]

    def __call__(
        self, *args: str, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self.words(*args),
            input=stdin,
            capture_output=True,
            env=self.env | (env or {}),
            timeout=PATIENCE,
            check=False,
        )

    def start(
        self, *args: str, stdin: int = subprocess.DEVNULL, stderr: int = subprocess.PIPE
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.words(*args), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env=self.env)


@pytest.fixture(scope="session")
def brane() -> Brane:
    """With the session's state folder, where Python is compiled once."""
    return Brane(Path(os.environ["BRANES_STATE"]))


@pytest.fixture
def fresh(tmp_path: Path) -> Brane:
    """With an empty state folder."""
    return Brane(tmp_path / "state")


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes told apart from later ones with the same number by when they started."""

    found: frozenset[tuple[int, str]]

    def wait_until_gone(self) -> None:
        deadline = time.monotonic() + PATIENCE
        left = self.found
        while left:
            left = left & _processes().keys()
            assert time.monotonic() < deadline, f"still there: {left}"


def below(pid: int) -> Processes:
    """All processes that descend from `pid`."""
    everyone = _processes()
    family, grown = {pid}, 0
    while grown != len(family):
        grown = len(family)
        family |= {child for (child, _), parent in everyone.items() if parent in family}
    return Processes(frozenset(key for key in everyone if key[0] in family - {pid}))


def _processes() -> dict[tuple[int, str], int]:
    """Number and start time of each process that has not ended, to its parent's number (proc(5), stat)."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX":
                found[int(folder.name), fields[19]] = int(fields[1])
    return found


@pytest.fixture
def family() -> type[Family]:
    return Family


class Family:
    """`below`, for tests, which import nothing of each other."""

    below = staticmethod(below)
