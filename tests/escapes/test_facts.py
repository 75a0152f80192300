"""What must be true of a brane from outside, beside that each attempt fails: limits, executable, descriptors, ids."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from branes import _executables
from escapes.canaries import Leak
from escapes.lab import program

if TYPE_CHECKING:
    from collections.abc import Callable

    from branes.jailed import Jailed
    from escapes.lab import Lab

SEALS = 0x1 | 0x2 | 0x4 | 0x8  # seal, shrink, grow, write
F_GET_SEALS = 1034
#: RLIMIT names as /proc/PID/limits has them, and what a brane may have.
LIMITS = {
    "Max core file size": "0",
    "Max open files": "16",
    "Max processes": "1",
    "Max file size": "0",
    "Max locked memory": "0",
    "Max msgqueue size": "0",
    "Max pending signals": "16",
}


def limits(pid: int) -> dict[str, tuple[str, str]]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip(): (line[26:47].strip(), line[47:68].strip()) for line in lines}


def look(lab: Lab, what: Callable[[Jailed], object]) -> None:
    """Show a brane that is sealed and waits."""
    lab.caged(["won", "won", "nonce"], look=what)


def test_the_kernels_own_limits_are_those_of_the_cage(lab: Lab) -> None:
    def check(jailed: Jailed) -> None:
        found = limits(jailed.pid)
        assert {name: found[name] for name in LIMITS} == {name: (most, most) for name, most in LIMITS.items()}

    look(lab, check)


def test_a_brane_is_not_dumpable(lab: Lab) -> None:
    # /proc/PID/environ of a process that is not dumpable belongs to root of the user namespace that it was exec'd in
    # (proc(5)): another id than the brane's, where there is another. An ordinary user has one.
    def check(jailed: Jailed) -> None:
        owner = os.stat(f"/proc/{jailed.pid}/environ").st_uid
        assert (owner != jailed.enforced.uid) == (os.geteuid() == 0)

    look(lab, check)


def test_a_brane_has_two_pipes_and_nothing_else_whatever_the_owner_left_open(lab: Lab, tmp_path: Path) -> None:
    def check(jailed: Jailed) -> None:
        seen = dict(jailed.enforced.descriptors)
        assert sorted(seen) == [3, 4]
        assert all(link.startswith("pipe:[") for link in seen.values())
        assert {int(name) for name in os.listdir(f"/proc/{jailed.pid}/fd")} == {3, 4}

    with Leak(tmp_path) as leak:
        lab.caged(["won", "won", leak.nonce], look=check, path=leak.program)


def test_the_executable_is_sealed_memory_that_nobody_can_write(lab: Lab) -> None:
    memfd = _executables.sealed(program())
    assert fcntl.fcntl(memfd, F_GET_SEALS) == SEALS
    for change in (lambda: os.pwrite(memfd, b"#!", 0), lambda: os.ftruncate(memfd, 1)):
        with pytest.raises(OSError, match=r"not permitted|busy"):
            change()

    def check(jailed: Jailed) -> None:
        assert os.readlink(f"/proc/{jailed.pid}/exe").startswith("/memfd:")
        with pytest.raises(OSError, match=r"busy|not permitted|denied"):
            os.close(os.open(f"/proc/{jailed.pid}/exe", os.O_WRONLY))

    look(lab, check)


def test_there_is_no_proc_in_a_brane(lab: Lab) -> None:
    look(lab, lambda jailed: _nothing_in(Path(f"/proc/{jailed.pid}/root")))


def _nothing_in(root: Path) -> None:
    assert list(root.iterdir()) == []
    assert not (root / "proc").exists()
