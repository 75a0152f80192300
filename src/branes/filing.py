"""What is asked of a brane about its files, as conversations: commands out, answers in. Pure.

A conversation is a generator that yields one command after the other and is sent the answers; what it returns is what
was wanted. `fits` says whether an answer can be one to its command; whoever drives a conversation lets no other in. All
names and contents are the guest's, hostile: a conversation ends, however long the guest could go on.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeVar

from branes.errors import FileError, LimitExceeded
from branes.text import escape
from branes.trees import image
from branes.trees.bounds import MAX_DEPTH, Bounds, shown
from branes.wire import MAX_PIECE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from branes.mounts import Place
    from branes.session import Filed
    from branes.wire import Fields

    _Value = TypeVar("_Value")
    Work = Generator[Fields, Filed, _Value]

#: Answer to each command, unless that is `failed`.
ANSWERS: Final = {"stat": "found", "list": "listed", "fetch": "fetched", "store": "stored"}
#: Error codes of `wasi:filesystem/types` in words.
_WORDS: Final = {
    "no-entry": "is not there",
    "is-directory": "is a directory",
    "not-directory": "has a file where a directory would have to be",
    "not-permitted": "leads out of its directory",
    "access": "leads out of its directory",
    "read-only": "is in a directory that can only be read",
    "loop": "is a symlink that leads nowhere",
    "insufficient-memory": "does not fit into the brane's memory",
    "insufficient-space": "does not fit into the brane's memory",
    "quota": "does not fit into the brane's memory",
    "file-too-large": "is too large",
    "name-too-long": "has too long a name",
}
_HINTS: Final = {
    "no-entry": "`files` lists what there is",
    "is-directory": "`save` takes a whole directory, `files` lists it",
    "insufficient-memory": "give it more: --memory, or memory=",
    "insufficient-space": "give it more: --memory, or memory=",
    "quota": "give it more: --memory, or memory=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """One file, directory or symlink of a brane.

    Attributes:
        path: the guest's path; its names are the guest's, hostile text.
        kind: what it is.
        size: bytes of a file, 0 otherwise.
        executable: of a file: whether its mode says so.
        target: of a symlink: where it leads, hostile text; "" if that is out of its directory.
    """

    path: str
    kind: Literal["file", "directory", "symlink"]
    size: int = 0
    executable: bool = False
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What was taken out of a brane.

    Attributes:
        kind: what it was.
        files: how many.
        bytes: their content.
        digest: of a file's content; of a directory the digest that its content has as a tree.
    """

    kind: str
    files: int
    bytes: int
    digest: str


class Destination(Protocol):
    """Where what is taken goes, as `branes.trees.take.Taker`."""

    def entry(self, path: str, kind: image.Kind, *, size: int = 0, executable: bool = False, target: str = "") -> None:
        """The next entry, parents before children."""

    def write(self, data: bytes | memoryview) -> None:
        """The next piece of the file's content."""


def fits(command: Fields, answer: str, content: Fields) -> bool:
    """Whether a brane that keeps to the protocol may give this answer."""
    ((kind, fields),) = command.items()
    if answer == "failed":
        return True
    if answer != ANSWERS[kind]:
        return False
    match answer:
        case "fetched":
            return content["end"] or len(content["data"]) == MAX_PIECE
        case "listed":
            names = [fields["after"], *(entry["name"] for entry in content["entries"])]
            is_sorted = all(one < next_one for one, next_one in pairwise(names))
            is_named = not any("/" in name or "\0" in name or name in {".", ".."} for name in names)
            return is_sorted and is_named and (len(names) > 1 or not content["more"])
    return True


def _ask(place: Place, kind: str, inside: str | None = None, **fields: object) -> Work[Fields]:
    path = place.inside if inside is None else inside
    answer = yield {kind: {"mount": place.mount, "path": path, **fields}}
    if answer.kind == "failed":
        raise failure(place.path if inside is None else _below(place, path), answer.fields["code"])
    return answer.fields


def failure(path: str, code: str) -> FileError:
    """What an error code about `path` is to the caller."""
    what = _WORDS.get(code, f"cannot be used: {escape(code)}")
    return FileError(f"{shown(path)} {what}", path=path, code=code, hint=_HINTS.get(code, ""))


def _below(place: Place, inside: str) -> str:
    """The guest's path of what lies `inside` the mount of `place`."""
    top = place.path[: len(place.path) - len(place.inside)].rstrip("/") if place.inside else place.path.rstrip("/")
    return f"{top}/{inside}"


def read(place: Place, most: int) -> Work[bytes]:
    """The content of a file, of at most `most` bytes.

    Raises:
        FileError: there is no such file. LimitExceeded: it is larger.
    """
    held = io.BytesIO()
    yield from fetch(place, held.write, most)
    # CPython hands out the buffer itself, cut to its length: the content is never there twice.
    return held.getvalue()


def fetch(place: Place, consume: Callable[[bytes], object], most: int, inside: str | None = None) -> Work[int]:
    """Hand the content of a file to `consume`, piece by piece; how many bytes it had.

    Raises:
        FileError: there is no such file. LimitExceeded: it has more than `most` bytes.
    """
    offset, is_end = 0, False
    while not is_end:
        content = yield from _ask(place, "fetch", inside, offset=offset)
        data, is_end = content["data"], content["end"]
        offset += len(data)
        if offset > most:
            message = f"{shown(place.path)} has more than the {most:,} bytes that are read at most"
            raise LimitExceeded(message, limit="read", hint="`save` writes it to disk without holding it")
        consume(data)
    return offset


def store(place: Place, pieces: Iterable[bytes | memoryview]) -> Work[Taken]:
    """Write a file, made with the directories that it lies in, or emptied first; after an error some of it is there.

    Args:
        place: which.
        pieces: its content, in pieces of at most `MAX_PIECE` bytes.

    Raises:
        FileError: it cannot be written.
    """
    if place.kind != "scratch":
        raise failure(place.path, "read-only")
    if not place.inside:
        raise failure(place.path, "is-directory")
    hashed, offset = hashlib.sha256(), 0
    for piece in pieces:
        if piece:
            yield from _ask(place, "store", offset=offset, data=bytes(piece))
            hashed.update(piece)
            offset += len(piece)
    if not offset:
        yield from _ask(place, "store", offset=0, data=b"")
    return Taken(kind="file", files=1, bytes=offset, digest=f"sha256:{hashed.hexdigest()}")


def listing(place: Place, *, recursive: bool) -> Work[tuple[FileInfo, ...]]:
    """What lies in a directory, in the order of paths; of anything else, itself.

    Raises:
        FileError: there is nothing. LimitExceeded: there is no end of it.
    """
    top = yield from _ask(place, "stat")
    if top["kind"] != "directory":
        return (_info(place.path, top),)
    found: list[FileInfo] = []

    def visit(inside: str, entry: Fields) -> Iterable[Any]:
        found.append(_info(_below(place, inside), entry))
        return ()

    yield from _walk(place, visit, recursive=recursive)
    return tuple(sorted(found, key=lambda info: info.path.split("/")))


def _info(path: str, entry: Fields) -> FileInfo:
    return FileInfo(
        path=path, kind=entry["kind"], size=entry["size"], executable=entry["executable"], target=entry["target"]
    )


def _walk(place: Place, visit: Callable[[str, Fields], Iterable[Any]], *, recursive: bool = True) -> Work[None]:
    """Have `visit`, itself a conversation, see each entry below a directory, parents first."""
    folders, left = [place.inside], Bounds().entries
    while folders:
        folder, after, is_more = folders.pop(), "", True
        while is_more:
            page = yield from _ask(place, "list", folder, after=after)
            left -= len(page["entries"])
            if left < 0 or folder.count("/") > place.inside.count("/") + MAX_DEPTH:
                raise LimitExceeded(f"{shown(place.path)} holds more than is listed at most", limit="files")
            for entry in page["entries"]:
                inside = f"{folder}/{entry['name']}" if folder else entry["name"]
                yield from visit(inside, entry)
                if recursive and entry["kind"] == "directory":
                    folders.append(inside)
            is_more = page["more"]
            after = page["entries"][-1]["name"] if is_more else ""


def take(place: Place, dest: Destination) -> Work[Taken]:
    """Hand a file, or a directory with all that is below it, to `dest`.

    Raises:
        FileError: there is nothing. LimitExceeded: there is too much. Whatever `dest` raises.
    """
    top = yield from _ask(place, "stat")
    entries = [(yield from _take_one(place, dest, place.inside, top))]

    def visit(inside: str, entry: Fields) -> Work[None]:
        entries.append((yield from _take_one(place, dest, inside, entry)))

    if top["kind"] == "directory":
        yield from _walk(place, visit)
    files = [entry for entry in entries if entry.kind == "file"]
    digest = image.digest(entries) if top["kind"] == "directory" else f"sha256:{entries[0].content}"
    return Taken(kind=top["kind"], files=len(files), bytes=sum(file.size for file in files), digest=digest)


def _take_one(place: Place, dest: Destination, inside: str, entry: Fields) -> Work[image.Entry]:
    path = inside[len(place.inside) :].lstrip("/") if inside != place.inside else ""
    kind, size, target = entry["kind"], entry["size"], entry["target"]
    dest.entry(path, kind, size=size, executable=entry["executable"], target=target)
    if kind != "file":
        return image.Entry(path=path, kind=kind, target=target)
    hashed = hashlib.sha256()

    def consume(data: bytes) -> None:
        hashed.update(data)
        dest.write(data)

    yield from fetch(place, consume, Bounds().size, inside)
    return image.Entry(path=path, kind=kind, executable=entry["executable"], size=size, content=hashed.hexdigest())
