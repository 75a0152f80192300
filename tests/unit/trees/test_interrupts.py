"""Ctrl-C between any two steps of the interpreter leaves no descriptor open, and nothing half-written."""

from __future__ import annotations

import fcntl
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from branes import _kernel
from branes.trees import late
from branes.trees.ingest import ingest
from branes.trees.take import Taker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

#: Interruptions tried for each operation, evenly spread; every step of `held.py` comes on top.
TRIES = 250


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "d").mkdir(parents=True)
    (made / "d/a").write_bytes(b"x")
    (made / "l").symlink_to("d/a")
    return made


class Interrupt:
    """Raises KeyboardInterrupt before step `at` in the files that `where` is part of the name of."""

    def __init__(self, at: int, where: str) -> None:
        self.at = at
        self.where = where
        self.steps = 0

    def __call__(self, frame: FrameType, event: str, _: object) -> Interrupt | None:
        # What is raised in __del__ goes nowhere, so that is no place to be interrupted in.
        if self.where not in frame.f_code.co_filename or frame.f_code.co_name == "__del__":
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self.steps += 1
            if self.steps == self.at:
                raise KeyboardInterrupt
        return self

    def during(self, run: Callable[[], object]) -> bool:
        """Whether `run` was interrupted."""
        before = sys.gettrace()
        sys.settrace(self)
        try:
            run()
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False


def everywhere(run: Callable[[], object], check: Callable[[bool], object]) -> None:
    """Runs `run` again and again, interrupted everywhere, and `check` after each."""
    for where, tries in (("branes/trees/held.py", 10_000), ("branes/trees/", TRIES)):
        whole = Interrupt(0, where)
        assert not whole.during(run)
        check(False)  # noqa: FBT003 -- not interrupted
        assert whole.steps > 100
        for at in range(1, whole.steps + 1, max(1, whole.steps // tries)):
            check(Interrupt(at, where).during(run))


def descriptors() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


@pytest.mark.filterwarnings("ignore:unclosed scandir iterator:ResourceWarning")
def test_an_interrupted_ingest_leaves_nothing_open(folder: Path) -> None:
    before = descriptors()
    interrupted: list[bool] = []

    def check(was: Any) -> None:
        assert descriptors() == before
        interrupted.append(was)

    everywhere(lambda: ingest(folder).close(), check)
    assert sum(interrupted) > TRIES


@pytest.mark.filterwarnings("ignore:unclosed scandir iterator:ResourceWarning")
def test_an_interrupted_late_image_leaves_nothing_open_but_what_was_given(folder: Path) -> None:
    before = descriptors()
    memfds: list[int] = []

    def run() -> None:
        memfds.append(_kernel.new_memfd("test"))
        late.write(memfds[-1], {0: folder, 1: {"a": b"x", "b": folder / "d/a"}})

    def check(was: Any) -> None:
        memfd = memfds.pop()
        if not was:
            assert fcntl.fcntl(memfd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE
        os.close(memfd)
        assert descriptors() == before

    everywhere(run, check)


def test_an_interrupted_take_leaves_all_or_nothing(tmp_path: Path) -> None:
    before = descriptors()
    place = tmp_path / "place"
    place.mkdir()

    def run() -> None:
        with Taker(place, "taken") as taker:
            taker.entry("", "directory")
            taker.entry("d", "directory")
            taker.entry("d/a", "file", size=1)
            taker.write(b"x")
            taker.entry("l", "symlink", target="d/a")
            taker.finish()

    def check(was: Any) -> None:
        assert descriptors() == before
        left = sorted(str(path.relative_to(place)) for path in place.rglob("*"))
        whole = ["taken", "taken/d", "taken/d/a", "taken/l"]
        assert left == whole or (was and not left)
        if left:
            (place / "taken/d/a").unlink()
            (place / "taken/l").unlink()
            (place / "taken/d").rmdir()
            (place / "taken").rmdir()

    everywhere(run, check)
