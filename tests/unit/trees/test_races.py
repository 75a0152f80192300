"""Whoever changes a folder while it is read is found out, and gets nothing from elsewhere into the image."""

from __future__ import annotations

import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from branes.errors import InputError
from branes.trees.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIB = 1 << 20

pytestmark = pytest.mark.usefixtures("no_leak")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`a` is long enough to be read in pieces, and what stands behind it is read later."""
    made = tmp_path / "folder"
    (made / "z").mkdir(parents=True)
    (made / "a").write_bytes(os.urandom(4 * MIB))
    (made / "z/file").write_bytes(b"inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_bytes(b"secret")
    return made


class Once:
    """A progress callback that does something at the first piece of `a`."""

    def __init__(self, do: Callable[[], object]) -> None:
        self.do = do
        self.done = False

    def __call__(self, done: int, whole: int) -> None:
        if not self.done:
            assert 0 < done < whole
            self.done = True
            self.do()


def changed_by(folder: Path, do: Callable[[], object]) -> str:
    once = Once(do)
    with pytest.raises(InputError) as caught:
        ingest(folder, once)
    assert once.done
    return caught.value.message


def append(path: Path) -> None:
    with open(path, "ab") as file:
        file.write(b"x")


def overwrite(path: Path) -> None:
    with open(path, "r+b") as file:
        file.write(b"x")


def replace(path: Path) -> None:
    shutil.copy2(path, path.with_name("beside"))
    path.with_name("beside").replace(path)


def swap(path: Path, target: str) -> None:
    path.rename(path.parent.parent / "away")
    path.symlink_to(target)


def swap_for_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "do",
    [
        append,
        overwrite,
        lambda path: os.truncate(path, 2 * MIB),
        lambda path: os.truncate(path, 0),
        lambda path: path.chmod(0o600 if path.stat().st_mode & 0o77 else 0o644),
        # Content and times as they were: only the time of the inode cannot be set.
        lambda path: (overwrite(path), os.utime(path, ns=(0, path.stat().st_mtime_ns))),
    ],
)
def test_a_file_that_changes_while_it_is_read_is_an_error(folder: Path, do: Callable[[Path], object]) -> None:
    assert changed_by(folder, lambda: do(folder / "a")) == "a changed while it was read"


@pytest.mark.parametrize(
    "do",
    [
        append,
        overwrite,
        replace,
        lambda path: path.unlink(),
        swap_for_pipe,
        lambda path: swap(path, "../../outside/file"),
        lambda path: (path.unlink(), path.mkdir()),
    ],
)
def test_a_file_that_changes_before_it_is_read_is_an_error(folder: Path, do: Callable[[Path], object]) -> None:
    assert changed_by(folder, lambda: do(folder / "z/file")).startswith("z")


@pytest.mark.parametrize("target", ["../outside", "../away"])
def test_a_folder_swapped_for_a_symlink_is_an_error_and_not_followed(folder: Path, target: str) -> None:
    assert changed_by(folder, lambda: swap(folder / "z", target)) == "z changed while it was read"


def test_a_folder_swapped_for_another_is_an_error(folder: Path, tmp_path: Path) -> None:
    def do() -> None:
        (folder / "z").rename(tmp_path / "away")
        (tmp_path / "outside").rename(folder / "z")

    assert changed_by(folder, do) == "z changed while it was read"


@pytest.mark.parametrize("name", ["new", "z/new"])
def test_a_folder_that_gets_an_entry_while_it_is_read_is_an_error(folder: Path, name: str) -> None:
    assert "changed while it was read" in changed_by(folder, (folder / name).touch)


def test_a_symlink_that_is_replaced_is_an_error(folder: Path) -> None:
    (folder / "z/l").symlink_to("file")

    def do() -> None:
        (folder / "z/l").unlink()
        (folder / "z/l").symlink_to("/etc/passwd")

    assert changed_by(folder, do) == "z changed while it was read"


def test_the_top_swapped_meanwhile_is_still_the_one_that_was_opened(folder: Path, tmp_path: Path) -> None:
    with ingest(folder) as before:
        expected = before.digest

    def do() -> None:
        folder.rename(tmp_path / "away")
        folder.symlink_to("outside")

    # Its own inode changes with its name, so that is told too.
    assert changed_by(folder, do) == "the folder changed while it was read"
    with ingest(tmp_path / "away") as after:
        assert after.digest == expected


def test_what_was_just_written_is_not_read_within_the_same_tick_of_the_clock(folder: Path) -> None:
    """Where the kernel's clock for files is coarse, the times would not show another change in it."""
    for _ in range(5):
        overwrite(folder / "a")
        read_at: list[int] = []
        ingest(folder, lambda *_, at=read_at: at.append(time.time_ns())).close()  # type: ignore[misc]
        assert read_at[0] > (folder / "a").stat().st_ctime_ns + 10_000_000


def test_a_clock_ahead_does_not_make_it_wait(folder: Path) -> None:
    ahead = time.time_ns() + 3600 * 10**9
    os.utime(folder / "a", ns=(ahead, ahead))
    start = time.monotonic()
    ingest(folder).close()
    assert time.monotonic() - start < 30
