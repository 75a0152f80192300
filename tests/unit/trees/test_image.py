"""Entries are a tree or an error, and what a guest can see decides the digest."""

from __future__ import annotations

import hashlib

import msgpack
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from branes.errors import InputError
from branes.trees import image
from branes.trees.image import Entry

ROOT = Entry(path="", kind="directory")
CONTENT = hashlib.sha256(b"x").hexdigest()


def file(path: str, **fields: object) -> Entry:
    return Entry(**{"path": path, "kind": "file", "offset": 24, "size": 1, "content": CONTENT} | fields)  # type: ignore[arg-type]


def folder(path: str) -> Entry:
    return Entry(path=path, kind="directory")


def link(path: str, target: str = "a") -> Entry:
    return Entry(path=path, kind="symlink", target=target)


def test_an_index_has_the_rows_of_its_format() -> None:
    entries = [ROOT, folder("d"), file("d/x", executable=True), link("l", "d/x"), file("y", offset=25, size=7)]
    assert msgpack.unpackb(image.index(entries)) == {
        "version": 1,
        "entries": [
            [0, "", "directory", 0o755, 0, 0, ""],
            [0, "d", "directory", 0o755, 0, 0, ""],
            [1, "x", "file", 0o755, 24, 1, ""],
            [0, "l", "symlink", 0o644, 0, 0, "d/x"],
            [0, "y", "file", 0o644, 25, 7, ""],
        ],
    }


def test_a_header_is_magic_offset_and_length() -> None:
    assert image.header(258, 3) == b"branetr1\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0"
    assert len(image.header(0, 0)) == image.HEADER_SIZE


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ([], "root"),
        ([folder("d")], "root"),
        ([file("")], "root"),
        ([ROOT, ROOT], "no name"),
        ([ROOT, file("a"), file("a")], "twice"),
        ([ROOT, file("a"), folder("a")], "twice"),
        ([ROOT, file("d/a"), folder("d")], "before its folder"),
        ([ROOT, file("d"), file("d/a")], "before its folder"),
        ([ROOT, link("d"), file("d/a")], "before its folder"),
        ([ROOT, file("/a")], "before its folder"),
        ([ROOT, file("d/")], "no name"),
        ([ROOT, file(".")], "no name"),
        ([ROOT, file("..")], "no name"),
        ([ROOT, file("a\0b")], "NUL"),
        ([ROOT, file("\udcff")], "not UTF-8"),
        ([ROOT, file("n" * 256)], "256 bytes"),
        ([ROOT, file("é" * 128)], "256 bytes"),
        ([ROOT, *(folder("/".join("d" * depth)) for depth in range(1, 66))], "65 deep"),
        ([ROOT, *(folder("/".join(["n" * 255] * depth)) for depth in range(1, 18))], "path of"),
        ([ROOT, file("a", content="")], "no content"),
        ([ROOT, file("a", offset=23)], "no content"),
        ([ROOT, file("a", size=-1)], "no content"),
        ([ROOT, file("a", target="b")], "no content"),
        ([ROOT, link("a", "")], "target of 0"),
        ([ROOT, link("a", "b" * 4096)], "target of 4096"),
        ([ROOT, link("a", "b\0")], "NUL in its target"),
        ([ROOT, link("a", "\udcff")], "target that is not"),
        ([ROOT, Entry(path="a", kind="symlink", target="b", size=1)], "with content"),
        ([ROOT, Entry(path="a", kind="directory", size=1)], "with content"),
        ([ROOT, Entry(path="a", kind="socket")], "neither"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_tree_has_no_index(entries: list[Entry], what: str) -> None:
    with pytest.raises(InputError, match=what):
        image.index(entries)


def test_the_bounds_themselves_are_allowed() -> None:
    deep = [folder("/".join("d" * depth)) for depth in range(1, 65)]
    long = [folder("/".join(["n" * 254] * depth)) for depth in range(1, 17)]
    assert image.index([ROOT, *deep, *long, file("m" * 255), link("l", "t" * 4095)])


def test_a_fault_is_told_escaped_and_bounded() -> None:
    with pytest.raises(InputError) as caught:
        image.index([ROOT, file("\x1b[2J" + "n" * 5000)])
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 400


ENTRIES = st.builds(
    Entry,
    path=st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
    kind=st.sampled_from(["file", "directory", "symlink"]),
    executable=st.booleans(),
    content=st.sampled_from(["", CONTENT]),
    target=st.text(st.characters(exclude_categories=("Cs",)), max_size=10),
)


@given(st.lists(ENTRIES, max_size=8), st.randoms())
def test_the_digest_is_that_of_the_canonical_json_in_any_order(entries: list[Entry], random: object) -> None:
    rows = sorted(
        ([e.path, e.kind, e.mode, e.content or e.target] for e in entries), key=lambda row: (row[0].encode(), *row[1:])
    )
    expected = f"sha256:{hashlib.sha256(rfc8785.dumps(rows)).hexdigest()}"
    random.shuffle(entries)  # type: ignore[attr-defined]
    assert image.digest(entries) == expected


def test_the_digest_is_this_one() -> None:
    entries = [ROOT, folder("d"), file("d/x", executable=True), link("l", "d/x")]
    rows = (
        f'[["","directory",493,""],["d","directory",493,""],["d/x","file",493,"{CONTENT}"],["l","symlink",420,"d/x"]]'
    )
    assert image.digest(entries) == f"sha256:{hashlib.sha256(rows.encode()).hexdigest()}"


def test_where_content_lies_does_not_matter_and_what_it_is_does() -> None:
    base = image.digest([ROOT, file("a")])
    assert image.digest([ROOT, file("a", offset=99)]) == base
    others = [
        [ROOT, file("b")],
        [ROOT, file("a", executable=True)],
        [ROOT, file("a", content=hashlib.sha256(b"y").hexdigest())],
        [ROOT, link("a", CONTENT)],
        [ROOT, file("a"), folder("b")],
        [ROOT],
    ]
    assert len({base, *map(image.digest, others)}) == len(others) + 1
