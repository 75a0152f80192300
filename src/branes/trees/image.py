"""A tree as bytes, and its digest. Values in, values out; the reader is `crates/brane-tree`.

    magic "branetr1"  u64 offset of the index  u64 its length     little endian
    contents, anywhere
    index: {"version": 1, "entries": [[parent, name, kind, mode, offset, size, target], ...]}    MessagePack

Parents stand before their children, entry 0 is the root. The digest covers what a guest can see, not where it lies.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgpack

from branes.errors import InputError
from branes.trees.bounds import name_fault, path_fault, shown, target_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Kind = Literal["directory", "file", "symlink"]

MAGIC: Final = b"branetr1"
_HEADER: Final = struct.Struct("<8sQQ")
#: Bytes before the first content.
HEADER_SIZE: Final = _HEADER.size
_VERSION: Final = 1
_HEX_SIZE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file, directory or symlink.

    Attributes:
        path: names below the root, joined by slashes; "" for the root.
        kind: what it is.
        executable: of a file: whether it is one.
        offset: of a file: where its content lies in the image.
        size: of a file: bytes of content.
        content: of a file: SHA-256 of the content, in hexadecimal digits.
        target: of a symlink: where it leads.
    """

    path: str
    kind: Kind
    executable: bool = False
    offset: int = 0
    size: int = 0
    content: str = ""
    target: str = ""

    @property
    def mode(self) -> int:
        """Permissions, as a guest sees them."""
        return 0o755 if self.kind == "directory" or self.executable else 0o644


def header(offset: int, length: int) -> bytes:
    """The first bytes of an image whose index has that place and length."""
    return _HEADER.pack(MAGIC, offset, length)


def index(entries: Sequence[Entry]) -> bytes:
    """The index of a tree.

    Raises:
        InputError: the entries are no tree.
    """
    rows = [
        [parent, name, entry.kind, entry.mode, entry.offset, entry.size, entry.target]
        for parent, name, entry in _placed(entries)
    ]
    return bytes(msgpack.packb({"version": _VERSION, "entries": rows}, use_bin_type=True))


def digest(entries: Iterable[Entry]) -> str:
    """`sha256:` and the SHA-256 of what a guest can see of the tree, in whatever order it is given.

    That is the RFC 8785 form of the list of [path, kind, mode, content or target or ""], sorted by path. Strings and
    small integers have the same form in Python's JSON without spaces, whose encoder is far quicker than a general one.
    """
    # Code points and their UTF-8 bytes sort alike.
    rows = sorted([entry.path, entry.kind, entry.mode, entry.content or entry.target] for entry in entries)
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _placed(entries: Sequence[Entry]) -> Iterator[tuple[int, str, Entry]]:
    """Number of the parent, name, and entry, each found sound."""
    if not entries or entries[0] != Entry(path="", kind="directory"):
        raise InputError("the tree does not begin with its root")
    yield 0, "", entries[0]
    numbers, seen = {"": 0}, {""}
    for number, entry in enumerate(entries[1:], 1):
        above, _, name = entry.path.rpartition("/")
        fault = name_fault(name) or path_fault(entry.path) or _fault(entry)
        if above not in numbers or entry.path.startswith("/"):
            fault = fault or "comes before its folder"
        if entry.path in seen:
            fault = fault or "is there twice"
        if fault:
            raise InputError(f"{shown(entry.path)} {fault}")
        seen.add(entry.path)
        if entry.kind == "directory":
            numbers[entry.path] = number
        yield numbers[above], name, entry


def _fault(entry: Entry) -> str | None:
    """Why the fields of `entry` are not those of its kind; None if they are."""
    match entry.kind:
        case "file":
            sound = len(entry.content) == _HEX_SIZE and not entry.target and entry.offset >= HEADER_SIZE
            return None if sound and entry.size >= 0 else "has no content of its own"
        case "symlink":
            if entry.content or entry.size or entry.offset or entry.executable:
                return "is a symlink with content"
            return target_fault(entry.target)
        case "directory":
            plain = entry == Entry(path=entry.path, kind="directory")
            return None if plain else "is a folder with content"
    return "is neither file, directory nor symlink"
