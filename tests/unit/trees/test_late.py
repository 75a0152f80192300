"""What a run brings along is one sealed image, or an error before anything is written."""

from __future__ import annotations

import array
import fcntl
import io
import os
from collections import UserDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from branes import _kernel
from branes.errors import InputError, UsageError
from branes.trees import late
from branes.trees.bounds import Bounds
from branes.trees.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator

Decoded = "Callable[[int], dict[str, tuple[Any, ...]]]"
DIRECTORY = ("directory", 0o755)

pytestmark = pytest.mark.usefixtures("no_leak")


@pytest.fixture
def memfd(no_leak: None) -> Iterator[int]:  # noqa: ARG001 -- closed before that looks
    made = _kernel.new_memfd("test")
    yield made
    os.close(made)


def refused(memfd: int, files: Any, **words: Any) -> UsageError:
    with pytest.raises(UsageError) as caught:
        late.write(memfd, {0: files}, **words)
    assert caught.value.message.isprintable()
    return caught.value


def test_every_mount_has_a_folder_with_its_number(memfd: int, tmp_path: Path, decoded: Decoded) -> None:
    (tmp_path / "seed/d").mkdir(parents=True)
    (tmp_path / "seed/d/run").write_bytes(b"#!")
    (tmp_path / "seed/d/run").chmod(0o755)
    (tmp_path / "seed/l").symlink_to("d/run")
    made = late.write(memfd, {10: {"x/y/z": b"deep", "x/w": b"", "v": b"v"}, 2: tmp_path / "seed", 0: {}})
    assert decoded(memfd) == {
        "": DIRECTORY,
        "0": DIRECTORY,
        "10": DIRECTORY,
        "10/v": ("file", 0o644, b"v"),
        "10/x": DIRECTORY,
        "10/x/w": ("file", 0o644, b""),
        "10/x/y": DIRECTORY,
        "10/x/y/z": ("file", 0o644, b"deep"),
        "2": DIRECTORY,
        "2/d": DIRECTORY,
        "2/d/run": ("file", 0o755, b"#!"),
        "2/l": ("symlink", 0o644, "d/run"),
    }
    assert (made.files, made.bytes, made.size) == (4, 7, os.fstat(memfd).st_size)


def test_it_is_sealed(memfd: int) -> None:
    late.write(memfd, {0: {"a": b"x"}})
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    assert fcntl.fcntl(memfd, fcntl.F_GET_SEALS) & seals == seals
    assert not os.fstat(memfd).st_mode & 0o111


def test_no_mounts_are_an_image_too(memfd: int, decoded: Decoded) -> None:
    late.write(memfd, {})
    assert decoded(memfd) == {"": DIRECTORY}


def test_the_same_content_has_the_same_digest_however_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed/a").write_bytes(b"content")
    (tmp_path / "link").symlink_to("seed/a")
    with open(tmp_path / "seed/a", "rb") as file, open(tmp_path / "seed/a", "rb", buffering=0) as raw:
        given: list[late.Seed] = [
            tmp_path / "seed",
            {"a": b"content"},
            {"./a": bytearray(b"content")},
            {"a": memoryview(b"-content")[1:]},
            {"a": memoryview(array.array("H", b"content+"))[:0] or memoryview(b"content")},
            {"a": tmp_path / "seed/a"},
            {"a": tmp_path / "link"},
            {"a": io.BytesIO(b"content")},
            {"a": file},
            {"a": raw},
            UserDict({"a": b"content"}),
        ]
        digests = set()
        for seed in given:
            memfd = _kernel.new_memfd("test")
            digests.add(late.write(memfd, {3: seed}).digest)
            os.close(memfd)
    assert len(digests) == 1


def test_the_number_of_a_mount_is_in_the_digest() -> None:
    memfds = [_kernel.new_memfd("test") for _ in range(2)]
    one, other = (late.write(memfd, {number: {"a": b""}}).digest for number, memfd in enumerate(memfds))
    for memfd in memfds:
        os.close(memfd)
    assert one != other


def test_items_wider_than_a_byte_are_written_as_bytes(memfd: int, decoded: Decoded) -> None:
    late.write(memfd, {0: {"a": memoryview(array.array("I", [1, 2]))}})
    assert len(decoded(memfd)["0/a"][2]) == 8


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "names no file"),
        (".", "names no file"),
        ("a/", "names no file"),
        ("a/.", "names no file"),
        ("/a", "is absolute"),
        ("//a", "is absolute"),
        ("..", "has .. in it"),
        ("../a", "has .. in it"),
        ("a/../b", "has .. in it"),
        ("a/..", "has .. in it"),
        ("a\0b", "has control characters"),
        ("a\nb", "has control characters"),
        ("\x1b[2J", "has control characters"),
        ("a\x7f", "has control characters"),
        ("a\x9b2J", "has control characters"),
        ("txt.\u202eexe", "has control characters"),
        ("a\u2028b", "has control characters"),
        ("\udcff", "not UTF-8"),
        ("n" * 256, "256 bytes"),
        ("a/" * 64 + "b", "lies 65 deep"),
        (("n" * 250 + "/") * 17 + "n", "has a path of 4268 bytes"),
        (b"a", "of type bytes"),
        (Path("a"), "of type PosixPath"),
        (1, "of type int"),
    ],
)
def test_a_name_that_is_none_is_refused_and_nothing_written(memfd: int, name: Any, what: str) -> None:
    message = refused(memfd, {"good": b"x", name: b""}).message
    assert what in message
    assert len(message) < 400
    assert os.fstat(memfd).st_size == 0


@pytest.mark.parametrize("other", ["./a/b", "a//b", "a/./b", ".//a/b"])
def test_one_file_under_two_names_is_refused(memfd: int, other: str) -> None:
    assert refused(memfd, {"a/b": b"", other: b""}).message == "file a/b is there twice"


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a/b/c/d", "a/b")])
def test_what_is_both_file_and_folder_is_refused(memfd: int, names: tuple[str, str]) -> None:
    assert "is both a file and a folder" in refused(memfd, dict.fromkeys(names, b"")).message


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("text", "is given as str"),
        (None, "is given as NoneType"),
        (1, "is given as int"),
        (io.StringIO("x"), "is given as StringIO"),
        (memoryview(b"abcd")[::2], "not contiguous"),
    ],
)
def test_content_that_is_none_is_refused(memfd: int, content: Any, what: str) -> None:
    assert what in refused(memfd, {"a": content}).message


@pytest.mark.parametrize("files", [None, ["a"], b"a", "a"])
def test_files_that_are_no_mapping_are_refused(memfd: int, files: Any) -> None:
    assert "expected a mapping" in refused(memfd, files).message


def test_a_file_object_that_has_nothing_yet_or_gives_text_is_refused(memfd: int) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    with open(reader, "rb", buffering=0) as file:
        assert "gave NoneType, expected bytes" in refused(memfd, {"a": file}).message
    os.close(writer)


@pytest.mark.parametrize("path", ["missing", "folder", "pipe", "nul\0"])
def test_a_path_that_is_no_readable_file_is_refused(memfd: int, tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert isinstance(refused(memfd, {"a": tmp_path / path}), InputError)


def test_a_memfd_that_is_not_empty_is_refused(memfd: int) -> None:
    os.write(memfd, b"x")
    assert "not empty" in refused(memfd, {}).message


def test_a_path_that_changes_while_it_is_read_is_an_error(memfd: int, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(bytes(4 << 20))

    def append(*_: int) -> None:
        with open(path, "ab") as file:
            file.write(b"x")

    assert "changed while it was read" in refused(memfd, {"a": path}, progress=append).message


def test_a_seed_with_faults_is_refused(memfd: int, tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("../1/secret")
    assert "out of the folder" in refused(memfd, tmp_path).message


class Endless(io.RawIOBase):
    """A file that has no end."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return len(buffer)


def test_the_bound_on_bytes_is_for_all_mounts_and_all_kinds(memfd: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3))
    bounds = Bounds(size=8)
    for mounts in ({0: {"a": bytes(9)}}, {0: tmp_path, 1: {"b": tmp_path / "a", "c": b"123"}}, {0: {"a": Endless()}}):
        with pytest.raises(InputError, match="more than 8 bytes"):
            late.write(_empty(memfd), mounts, bounds=bounds)  # type: ignore[arg-type]
    late.write(_empty(memfd), {0: tmp_path, 1: {"b": tmp_path / "a", "c": io.BytesIO(b"12")}}, bounds=bounds)


def _empty(memfd: int) -> int:
    os.ftruncate(memfd, 0)
    return memfd


def test_the_bound_on_entries_is_for_all_mounts(memfd: int, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    mounts = {0: tmp_path, 1: {"d/a": b""}}
    with pytest.raises(InputError, match="more than 2 files"):
        late.write(memfd, mounts, bounds=Bounds(entries=2))
    late.write(_empty(memfd), mounts, bounds=Bounds(entries=3))


def test_tiny_files_without_end_meet_the_bound_on_entries(memfd: int) -> None:
    assert "more than 200,000" in refused(memfd, dict.fromkeys(map(str, range(200_001)), b"")).message


def test_a_seed_alone_is_as_the_same_folder_as_a_tree(memfd: int, tmp_path: Path, decoded: Decoded) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/a").write_bytes(b"x")
    late.write(memfd, {7: tmp_path})
    with ingest(tmp_path) as tree:
        expected = {f"7/{path}".rstrip("/"): what for path, what in decoded(tree.memfd).items()}
    assert decoded(memfd) == {"": DIRECTORY} | expected


def test_progress_knows_all_of_it(memfd: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2 << 20))
    told: list[tuple[int, int]] = []
    late.write(memfd, {0: tmp_path, 1: {"b": b"12"}}, lambda done, whole: told.append((done, whole)))
    assert told[-1] == ((2 << 20) + 2,) * 2
    assert told == sorted(told)
