"""Everything that one run brings along, as one sealed image: files by name, and the seeds of its scratch folders.

Below the root is one directory for each mount, named by its number. Every name is checked before anything is written.
Bytes go in without a copy, paths and binary files piece by piece.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from branes.errors import InputError, UsageError
from branes.trees import image
from branes.trees.blobs import PIECE, Blobs
from branes.trees.bounds import Bounds, Tally, path_fault, shown, unsafe_name_fault
from branes.trees.held import Held
from branes.trees.ingest import FILE_FLAGS, add_folder, pieces
from branes.trees.scan import changed, stamp, unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.trees.blobs import Progress

#: What a file holds: the bytes themselves, the file at a path, or what a binary file object reads until its end.
Content = bytes | bytearray | memoryview | Path | BinaryIO
#: What a mount holds at first: what a folder holds, or files by relative names, which may have folders in them.
Seed = Path | Mapping[str, Content]

_EXPECTED = "expected bytes, a pathlib.Path or a binary file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """An image that was written and sealed.

    Attributes:
        size: its bytes.
        digest: of what a guest can see of it, all mounts together.
        files: how many there are.
        bytes: their content, equal ones counted each.
    """

    size: int
    digest: str
    files: int
    bytes: int


def write(
    memfd: int, mounts: Mapping[int, Seed], progress: Progress | None = None, *, bounds: Bounds | None = None
) -> Late:
    """Write the image of `mounts` into `memfd` and seal it. After an error it holds anything, unsealed.

    Args:
        memfd: an empty memfd that can be sealed; it stays the caller's.
        mounts: by number, what each mount holds.
        progress: told bytes done and bytes in all as far as known, now and then.
        bounds: the most to take in, all mounts together.

    Raises:
        UsageError: a name or content is none, or the memfd is not empty.
        InputError: there is what a tree cannot hold, or too much, or it changed, or cannot be read.
        HostFault: there is no memory for it.
    """
    if os.fstat(memfd).st_size:
        raise UsageError("the memfd of a late image is not empty")
    named = {number: _named(seed) for number, seed in mounts.items() if not isinstance(seed, Path)}
    blobs, tally = Blobs(memfd, progress), Tally(bounds or Bounds())
    entries = [image.Entry(path="", kind="directory")]
    for number, seed in sorted(mounts.items()):
        if isinstance(seed, Path):
            entries += add_folder(seed, blobs, tally, str(number))
        else:
            entries += _add_files(named[number], blobs, tally, str(number))
    size = blobs.finish(entries)
    files = sum(entry.kind == "file" for entry in entries)
    return Late(size=size, digest=image.digest(entries), files=files, bytes=blobs.done)


def _named(files: Mapping[str, Content]) -> dict[str, Content | None]:
    """Contents by path in order, parents before children; None stands for a folder.

    Raises:
        UsageError: a name is none, is there twice, or is both file and folder; or a content is none.
    """
    if not isinstance(files, Mapping):
        raise UsageError(f"files are of type {type(files).__name__}, expected a mapping from names to contents")
    found: dict[str, Content] = {}
    folders: set[str] = set()
    for name, content in files.items():
        path = _path(name)
        if path in found:
            raise UsageError(f"file {shown(path)} is there twice")
        found[path] = _checked(content, path)
        folders |= _above(path)
    for path in sorted(found.keys() & folders):
        raise UsageError(f"{shown(path)} is both a file and a folder")
    ordered = sorted(found.keys() | folders, key=lambda path: path.split("/"))
    return {path: found.get(path) for path in ordered}


def _above(path: str) -> set[str]:
    """The folders that `path` lies in."""
    names = path.split("/")
    return {"/".join(names[:count]) for count in range(1, len(names))}


def _path(name: object) -> str:
    """The path that `name` means, without empty names and dots in it."""
    if not isinstance(name, str):
        raise UsageError(f"the name of a file is of type {type(name).__name__}, expected str")
    names = [part for part in name.split("/") if part not in {"", "."}]
    path = "/".join(names)
    if name.startswith("/"):
        fault: str | None = "is absolute, expected a path below the mount"
    elif ".." in names:
        fault = "has .. in it, expected a path below the mount"
    elif not names or name.endswith(("/", "/.")):
        fault = "names no file"
    else:
        fault = next(filter(None, map(unsafe_name_fault, names)), None) or path_fault(path)
    if fault:
        raise UsageError(f"file {shown(name)!r} {fault}")
    return path


def _checked(content: Content, path: str) -> Content:
    if isinstance(content, bytes | bytearray | memoryview | Path):
        return content
    if isinstance(content, str):
        raise UsageError(f"file {shown(path)} is given as str, {_EXPECTED}", hint="encode it, or write Path(...)")
    if isinstance(content, io.TextIOBase) or not hasattr(content, "read"):
        raise UsageError(f"file {shown(path)} is given as {type(content).__name__}, {_EXPECTED}")
    return content


def _add_files(files: Mapping[str, Content | None], blobs: Blobs, tally: Tally, place: str) -> Iterator[image.Entry]:
    yield image.Entry(path=place, kind="directory")
    for path, content in files.items():
        tally.entry()
        inside = f"{place}/{path}"
        if content is None:
            yield image.Entry(path=inside, kind="directory")
            continue
        blob = blobs.add(_content(content, path, blobs, tally))
        yield image.Entry(path=inside, kind="file", offset=blob.offset, size=blob.size, content=blob.content)


def _content(content: Content, path: str, blobs: Blobs, tally: Tally) -> Iterator[memoryview]:
    match content:
        case bytes() | bytearray() | memoryview():
            return _bytes(content, path, tally)
        case Path():
            return _file(content, blobs, tally)
    return _stream(content, path, tally)


def _bytes(content: bytes | bytearray | memoryview, path: str, tally: Tally) -> Iterator[memoryview]:
    try:
        view = memoryview(content).cast("B")
    except TypeError as error:
        raise UsageError(f"file {shown(path)} is given as memory that is not contiguous") from error
    tally.content(len(view))
    yield view


def _file(content: Path, blobs: Blobs, tally: Tally) -> Iterator[memoryview]:
    """What the file at a path holds; the caller named it, so symlinks are followed."""
    name = str(content)
    with Held() as held:
        try:
            descriptor = held.add(os.open, content, FILE_FLAGS & ~os.O_NOFOLLOW)
        except OSError as error:
            raise unreadable(name, error, hint="") from error
        except ValueError as error:
            raise InputError(f"{shown(name)} is not a path") from error
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{shown(name)} is not a regular file", hint="open it, and give the binary file object")
        tally.content(found.st_size)
        yield from pieces(descriptor, blobs.buffer, found.st_size, name)
        if stamp(os.fstat(descriptor)) != stamp(found):
            raise changed(name)


def _stream(content: BinaryIO, path: str, tally: Tally) -> Iterator[memoryview]:
    while True:
        data = content.read(PIECE)
        if not isinstance(data, bytes | bytearray | memoryview):
            raise UsageError(f"file {shown(path)} gave {type(data).__name__}, expected bytes")
        if not data:
            return
        yield from _bytes(data, path, tally)
