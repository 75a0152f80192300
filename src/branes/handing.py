"""Files that an owner hands into an open brane and out of it: where a conversation of `filing` meets the host's files.

Each is noted for the log, which has it at the latest when the brane's end is recorded. What goes wrong on the host's
side leaves the brane as it is, at rest.
"""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from branes import filing
from branes.errors import HostFault, InputError, UsageError
from branes.mounts import locate
from branes.trees.bounds import Bounds, shown
from branes.trees.take import Taker
from branes.wire import MAX_PIECE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from branes.brane import Brane
    from branes.filing import FileInfo, Taken
    from branes.mounts import Mount
    from branes.trees.late import Content

_EXPECTED = "expected bytes, a pathlib.Path or a binary file"


def read(brane: Brane, path: str) -> bytes:
    """The content of a file. Raises as `filing.read`."""
    place = locate(brane.mounts, path)
    data = brane.converse(filing.read(place, brane.most_read))
    brane.conduct.note("files.read", {"path": place.path}, {"bytes": len(data)})
    return data


def write(brane: Brane, path: str, data: Content) -> None:
    """Write a file. Raises as `filing.store`, and InputError for what cannot be read."""
    place = locate(brane.mounts, path)
    with _pieces(data) as pieces:
        stored = brane.converse(filing.store(place, pieces))
    brane.conduct.note("files.written", {"path": place.path}, _done(stored))


def files(brane: Brane, path: str, *, recursive: bool) -> tuple[FileInfo, ...]:
    """What lies in a directory. Raises as `filing.listing`."""
    return brane.converse(filing.listing(locate(brane.mounts, path), recursive=recursive))


def save(brane: Brane, path: str, dest: str | Path | BinaryIO, *, force: bool = False) -> Path | None:
    """Write a file, or a directory, to disk, or a file to a binary file object; where it is now, if on disk.

    Raises:
        FileError: there is nothing. GuestFault: it is not acceptable. LimitExceeded: it is too much.
        UsageError: the place is taken, or is none. HostFault: it cannot be written.
    """
    if not isinstance(dest, str | Path):
        _stream(brane, path, dest)
        return None
    with taker(brane.mounts, path, dest, force=force) as found:
        place, _ = take(brane, path, found)
    return place


def taker(mounts: Sequence[Mount], path: str, dest: str | Path, *, force: bool) -> Taker:
    """The place where a file or directory is to be; it is looked at, and nothing is written yet."""
    return Taker(Path(dest), locate(mounts, path).path.rpartition("/")[2], force=force)


def take(brane: Brane, path: str, found: Taker) -> tuple[Path, Taken]:
    """Take a file or directory to a place that was found for it; where it is now, and what it was."""
    place = locate(brane.mounts, path)
    taken = brane.converse(filing.take(place, found))
    where = found.finish()
    brane.conduct.note("files.taken", {"path": place.path}, {"to": str(where), **_done(taken)})
    return where, taken


def _done(taken: Taken) -> dict[str, object]:
    return {"kind": taken.kind, "files": taken.files, "bytes": taken.bytes, "digest": taken.digest}


def _stream(brane: Brane, path: str, dest: BinaryIO) -> None:
    if isinstance(dest, io.TextIOBase) or not hasattr(dest, "write"):
        raise UsageError(f"the destination is of type {type(dest).__name__}, expected a path or a binary file")
    place = locate(brane.mounts, path)
    size = brane.converse(filing.fetch(place, lambda data: _write_all(dest, data), Bounds().size))
    brane.conduct.note("files.read", {"path": place.path}, {"bytes": size})


def _write_all(dest: BinaryIO, data: bytes) -> None:
    """Write `data`, also where the file object takes it in parts, as a raw one does."""
    view = memoryview(data)
    while view:
        count = dest.write(view)
        if not isinstance(count, int):
            raise HostFault("the destination does not take what is written: it says no number of bytes")
        view = view[count:]


@contextlib.contextmanager
def _pieces(data: Content) -> Iterator[Iterator[bytes | memoryview]]:
    """Content in pieces that fit into a message.

    Raises:
        UsageError: it is none. InputError: it cannot be read.
    """
    match data:
        case bytes() | bytearray() | memoryview():
            yield _cut(memoryview(data))
        case Path():
            with _opened(data) as file:
                yield _read(file)
        case str():
            raise UsageError(f"the content of a file is a str, {_EXPECTED}", hint="encode it, or write Path(...)")
        case _ if isinstance(data, io.TextIOBase) or not hasattr(data, "read"):
            raise UsageError(f"the content of a file is of type {type(data).__name__}, {_EXPECTED}")
        case _:
            yield _read(data)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{shown(str(path))} cannot be read: {reason}") from error
    with file:
        yield file


def _read(file: BinaryIO) -> Iterator[bytes | memoryview]:
    while data := file.read(MAX_PIECE):
        if not isinstance(data, bytes | bytearray | memoryview):
            raise UsageError(f"the content of a file came as {type(data).__name__}, expected bytes")
        yield from _cut(memoryview(data))


def _cut(view: memoryview) -> Iterator[memoryview]:
    try:
        flat = view.cast("B")
    except TypeError as error:
        raise UsageError("the content of a file is memory that is not contiguous") from error
    for start in range(0, len(flat), MAX_PIECE):
        yield flat[start : start + MAX_PIECE]
