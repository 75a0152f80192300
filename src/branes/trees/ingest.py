"""A folder as a sealed image: what it was at one moment, or an error.

The folder is looked at first (`scan`), then every file is read once, hashed and written on the way. Whatever is not
the same before and after, by inode, size and times, is an error: there is no image of a folder that never was.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from branes.errors import InputError, UsageError
from branes.trees import image
from branes.trees.blobs import Blobs, new_memfd
from branes.trees.bounds import Bounds, Tally, shown
from branes.trees.held import Held
from branes.trees.scan import FOLDER_FLAGS, changed, check_same, open_as_found, scan, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from branes.trees.blobs import Progress
    from branes.trees.scan import Found

#: O_NONBLOCK: open(2) waits for no writer, should a named pipe have taken the place of the file.
FILE_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
#: Longest tick of the clock that stamps files, nanoseconds: CONFIG_HZ=100.
_TICK: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A folder's content in a sealed memfd, closed at the end of a `with`.

    Attributes:
        size: bytes of the image.
        digest: of what a guest can see of it.
        files: how many there are.
        bytes: their content, equal ones counted each.
    """

    size: int
    digest: str
    files: int
    bytes: int
    held: Held

    @property
    def memfd(self) -> int:
        """The descriptor, which stays the tree's.

        Raises:
            UsageError: it is closed.
        """
        descriptor = self.held.last()
        if descriptor is None:
            raise UsageError("the tree is closed")
        return descriptor

    def close(self) -> None:
        """Give the memory back, unless others map it. Again is no error."""
        self.held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ingest(folder: Path, progress: Progress | None = None, *, bounds: Bounds | None = None) -> Tree:
    """The content of `folder`, which may itself be a symlink to one.

    Args:
        folder: its path.
        progress: told bytes done and bytes in all, now and then.
        bounds: the most to take in.

    Raises:
        InputError: there is what a tree cannot hold, or too much, or it changed, or cannot be read.
        HostFault: there is no memory for it.
    """
    owner = Held()
    try:
        blobs = Blobs(new_memfd(owner, "branes-tree"), progress)
        entries = add_folder(folder, blobs, Tally(bounds or Bounds()))
        size = blobs.finish(entries)
    except BaseException:
        owner.close()
        raise
    files = sum(entry.kind == "file" for entry in entries)
    return Tree(size=size, digest=image.digest(entries), files=files, bytes=blobs.done, held=owner)


def add_folder(folder: Path, blobs: Blobs, tally: Tally, place: str = "") -> list[image.Entry]:
    """Write the content of `folder` into an image; its entries, the folder's own first.

    Args:
        folder: its path.
        blobs: the image.
        tally: what was taken in before, and may be in all.
        place: the path that the folder has in the image.

    Raises:
        InputError: as `ingest`.
        HostFault: as `ingest`.
    """
    prefix = f"{place}/" if place else ""
    with Held() as held:
        try:
            # What the caller names may be a symlink: that is the one that is followed.
            descriptor = held.add(os.open, folder, FOLDER_FLAGS & ~os.O_NOFOLLOW)
        except (OSError, ValueError) as error:
            reason = os.strerror(error.errno or 0).lower() if isinstance(error, OSError) else "not a path"
            raise InputError(f"folder {shown(str(folder))} cannot be taken in: {reason}") from error
        found = scan(held, descriptor, tally, prefix)
        blobs.expected += sum(item.size for item in found if item.is_file)
        _let_the_clock_tick(max(item.seen[5] for item in found))
        top = image.Entry(path=place, kind="directory")
        return [top, *_entries(held, descriptor, found, blobs, prefix)]


def _let_the_clock_tick(newest: int) -> None:
    """Wait until a change would show: within one tick of the clock it would leave the times as they are."""
    left = newest + _TICK - time.time_ns()
    if 0 < left <= _TICK:
        time.sleep(left / 1e9)


def _entries(held: Held, descriptor: int, found: list[Found], blobs: Blobs, prefix: str) -> Iterator[image.Entry]:
    """What was found, read; the way from the top to where it is read is open, and looked at again when it is left."""
    way = [(found[0], descriptor)]
    for item in found[1:]:
        while item.parent is not way[-1][0]:
            _leave(held, way)
        path, above = prefix + item.path, way[-1][1]
        if item.is_folder:
            way.append((item, _open(held, above, item, FOLDER_FLAGS)))
            yield image.Entry(path=path, kind="directory")
        elif item.is_file:
            yield _file(held, above, item, blobs, path)
        else:
            yield image.Entry(path=path, kind="symlink", target=item.target)
    while way:
        _leave(held, way)


def _leave(held: Held, way: list[tuple[Found, int]]) -> None:
    folder, descriptor = way.pop()
    check_same(descriptor, folder)
    held.drop()


def _file(held: Held, folder: int, item: Found, blobs: Blobs, path: str) -> image.Entry:
    descriptor = _open(held, folder, item, FILE_FLAGS)
    blob = blobs.add(pieces(descriptor, blobs.buffer, item.size, item.path))
    check_same(descriptor, item)
    held.drop()
    return image.Entry(
        path=path, kind="file", executable=item.executable, offset=blob.offset, size=blob.size, content=blob.content
    )


def _open(held: Held, folder: int, item: Found, flags: int) -> int:
    try:
        return open_as_found(held, folder, item, flags)
    except PermissionError as error:
        raise unreadable(item.path, error) from error


def pieces(descriptor: int, buffer: memoryview, size: int, path: str) -> Iterator[memoryview]:
    """The content of a file of `size` bytes, each piece in `buffer`, where the next takes its place.

    Raises:
        InputError: there is more or less of it, or it cannot be read.
    """
    left = size
    while True:
        try:
            count = os.readv(descriptor, [buffer])
        except OSError as error:
            raise unreadable(path, error) from error
        left -= count
        if left < 0 or (not count and left):
            raise changed(path)
        if not count:
            return
        yield buffer[:count]
