"""Conversations about files with a brane that is a dict, or worse than any guest can be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from branes import filing
from branes.errors import FileError, LimitExceeded
from branes.filing import FileInfo, fits
from branes.mounts import Place
from branes.session import Filed
from branes.trees import image
from branes.wire import MAX_ENTRIES, MAX_PIECE

if TYPE_CHECKING:
    from collections.abc import Callable

    from branes.filing import Work

FOLDER: dict[str, Any] = {"kind": "directory", "size": 0, "executable": False, "target": ""}


def place(inside: str = "", kind: str = "scratch", mount: str = "/scratch") -> Place:
    path = f"{mount}/{inside}" if inside else mount
    return Place(path=path, mount=1, inside=inside, kind=kind)  # type: ignore[arg-type]


class Sound:
    """A brane with these files, each path to its content; folders are what they lie in."""

    def __init__(self, **files: bytes) -> None:
        self.files = {name.replace("__", "/"): data for name, data in files.items()}
        self.asked: list[str] = []

    def answer(self, command: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        ((kind, fields),) = command.items()
        self.asked.append(kind)
        path = fields["path"]
        if kind == "store":
            before = self.files.get(path, b"") if fields["offset"] else b""
            assert len(before) == fields["offset"]
            self.files[path] = before + fields["data"]
            return "stored", {}
        if kind == "fetch":
            if path not in self.files:
                return "failed", {"code": "no-entry"}
            end = fields["offset"] + MAX_PIECE
            data = self.files[path]
            return "fetched", {"data": data[fields["offset"] : end], "end": end >= len(data)}
        below = [name for name in self.files if not path or name.startswith(path + "/")]
        if kind == "stat":
            entry = self.entry(path, "")
            return ("found", entry) if entry["kind"] == "file" or below else ("failed", {"code": "no-entry"})
        skip = len(path) + 1 if path else 0
        names = sorted({name[skip:].split("/")[0] for name in below})
        names = [name for name in names if name > fields["after"]]
        entries = [self.entry(path, name) for name in names[:MAX_ENTRIES]]
        return "listed", {"entries": entries, "more": len(names) > MAX_ENTRIES}

    def entry(self, folder: str, name: str) -> dict[str, Any]:
        path = "/".join(filter(None, (folder, name)))
        if path in self.files:
            return FOLDER | {"name": name, "kind": "file", "size": len(self.files[path])}
        return FOLDER | {"name": name}


def carry_on(work: Work[Any], answer: Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]) -> Any:
    """What a conversation comes to, with a brane that keeps to the protocol."""
    try:
        command = next(work)
        while True:
            kind, fields = answer(dict(command))
            assert fits(command, kind, fields)
            command = work.send(Filed(kind, fields))
    except StopIteration as stop:
        return stop.value


class Copy:
    """Takes what is handed to it."""

    def __init__(self) -> None:
        self.found: dict[str, bytes | None] = {}

    def entry(self, path: str, kind: str, *, size: int = 0, executable: bool = False, target: str = "") -> None:  # noqa: ARG002
        assert not path or path.rpartition("/")[0] in self.found
        self.path = path
        self.found[path] = b"" if kind == "file" else None

    def write(self, data: bytes | memoryview) -> None:
        self.found[self.path] = (self.found[self.path] or b"") + bytes(data)


@pytest.mark.parametrize("size", [0, 1, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE])
def test_a_file_of_any_size_is_what_it_was_after_writing_and_reading(size: int) -> None:
    data, brane = bytes(range(256)) * (size // 256) + bytes(size % 256), Sound()
    pieces = [data[start : start + MAX_PIECE] for start in range(0, len(data), MAX_PIECE)]
    stored = carry_on(filing.store(place("a/b"), pieces), brane.answer)
    assert (stored.bytes, stored.digest) == (size, f"sha256:{hashlib.sha256(data).hexdigest()}")
    assert carry_on(filing.read(place("a/b"), size), brane.answer) == data


def test_a_file_that_is_larger_than_it_can_be_is_not_read_on() -> None:
    def endless(command: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        assert command["fetch"]["offset"] <= 2 * MAX_PIECE
        return "fetched", {"data": bytes(MAX_PIECE), "end": False}

    with pytest.raises(LimitExceeded, match="more than the 2,097,152 bytes"):
        carry_on(filing.read(place("a"), 2 * MAX_PIECE), endless)


@pytest.mark.parametrize(
    ("kind", "inside", "code"),
    [("tree", "a", "read-only"), ("files", "a", "read-only"), ("scratch", "", "is-directory")],
)
def test_what_cannot_be_written_is_not_asked_for(kind: str, inside: str, code: str) -> None:
    brane = Sound()
    with pytest.raises(FileError) as caught:
        carry_on(filing.store(place(inside, kind), [b"x"]), brane.answer)
    assert (caught.value.code, brane.asked) == (code, [])


def test_an_error_names_the_path_and_a_code_that_is_not_known_is_shown_escaped() -> None:
    with pytest.raises(FileError, match="/scratch/a is not there") as caught:
        carry_on(filing.read(place("a"), 1), Sound().answer)
    assert (caught.value.path, caught.value.code) == ("/scratch/a", "no-entry")
    assert "\x1b" not in str(filing.failure("/a", "\x1b[31m"))


def test_a_directory_of_more_than_one_page_is_listed_whole_and_in_order() -> None:
    brane = Sound(**{f"d__{n:04}": b"x" for n in range(3 * MAX_ENTRIES + 1)}, a=b"", d0=b"")
    found = carry_on(filing.listing(place(), recursive=True), brane.answer)
    assert [info.path for info in found] == [
        "/scratch/a", "/scratch/d", *(f"/scratch/d/{n:04}" for n in range(3 * MAX_ENTRIES + 1)), "/scratch/d0",
    ]  # fmt: skip
    flat = carry_on(filing.listing(place(), recursive=False), brane.answer)
    assert [info.kind for info in flat] == ["file", "directory", "file"]


def test_a_listing_below_the_root_and_below_a_folder_has_whole_paths() -> None:
    brane = Sound(d__e__f=b"12")
    info = FileInfo(path="/d/e/f", kind="file", size=2)
    inside = Place(path="/d/e", mount=0, inside="d/e", kind="scratch")
    assert carry_on(filing.listing(inside, recursive=True), brane.answer) == (info,)
    root = Place(path="/", mount=0, inside="", kind="scratch")
    assert carry_on(filing.listing(root, recursive=True), brane.answer)[-1] == info
    assert carry_on(
        filing.listing(Place(path="/d/e/f", mount=0, inside="d/e/f", kind="scratch"), recursive=True), brane.answer
    ) == (info,)


def test_directories_without_end_are_not_followed() -> None:
    def endless(command: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if "stat" in command:
            return "found", FOLDER | {"name": ""}
        return "listed", {"entries": [FOLDER | {"name": "d"}], "more": False}

    with pytest.raises(LimitExceeded, match="more than is listed"):
        carry_on(filing.listing(place(), recursive=True), endless)


def test_what_is_taken_is_handed_on_parents_first_and_has_the_digest_of_a_tree() -> None:
    brane, copy = Sound(out__a=b"1", out__d__b=b"22", other=b""), Copy()
    taken = carry_on(filing.take(place("out"), copy), brane.answer)
    assert copy.found == {"": None, "a": b"1", "d": None, "d/b": b"22"}
    entries = [
        image.Entry(path="", kind="directory"),
        image.Entry(path="a", kind="file", size=1, content=hashlib.sha256(b"1").hexdigest()),
        image.Entry(path="d", kind="directory"),
        image.Entry(path="d/b", kind="file", size=2, content=hashlib.sha256(b"22").hexdigest()),
    ]
    assert (taken.kind, taken.files, taken.bytes, taken.digest) == ("directory", 2, 3, image.digest(entries))


def test_a_whole_mount_and_a_file_alone_are_taken() -> None:
    brane, copy = Sound(a=b"1"), Copy()
    assert carry_on(filing.take(place(), copy), brane.answer).kind == "directory"
    assert copy.found == {"": None, "a": b"1"}
    alone = Copy()
    taken = carry_on(filing.take(place("a"), alone), brane.answer)
    assert (alone.found, taken.digest) == ({"": b"1"}, f"sha256:{hashlib.sha256(b'1').hexdigest()}")
