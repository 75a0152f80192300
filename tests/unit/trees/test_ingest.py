"""A folder becomes a sealed image of what it was, or an error that says what to mend."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from branes.errors import InputError, UsageError
from branes.trees.bounds import Bounds
from branes.trees.ingest import ingest

if TYPE_CHECKING:
    from collections.abc import Callable

Decoded = "Callable[[int], dict[str, tuple[Any, ...]]]"
SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE

pytestmark = pytest.mark.usefixtures("no_leak")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    made.mkdir()
    return made


def refused(folder: Path, **words: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        ingest(folder, **words)
    assert caught.value.message.isprintable()
    return caught.value


def test_everything_is_in_the_image(folder: Path, decoded: Decoded) -> None:
    (folder / "d/e").mkdir(parents=True)
    (folder / "d/run").write_bytes(b"#!")
    (folder / "d/run").chmod(0o700)
    (folder / "big").write_bytes(bytes(range(256)) * 10_000)
    (folder / "empty").touch()
    (folder / "näme with \n newline").write_bytes(b"n")
    (folder / "l").symlink_to("d/run")
    (folder / "dangling").symlink_to("d/missing")
    with ingest(folder) as tree:
        assert decoded(tree.memfd) == {
            "": ("directory", 0o755),
            "big": ("file", 0o644, bytes(range(256)) * 10_000),
            "d": ("directory", 0o755),
            "d/e": ("directory", 0o755),
            "d/run": ("file", 0o755, b"#!"),
            "dangling": ("symlink", 0o644, "d/missing"),
            "empty": ("file", 0o644, b""),
            "l": ("symlink", 0o644, "d/run"),
            "näme with \n newline": ("file", 0o644, b"n"),
        }
        assert (tree.files, tree.bytes, tree.size) == (4, 2_560_003, os.fstat(tree.memfd).st_size)


def test_an_empty_folder_is_a_tree(folder: Path, decoded: Decoded) -> None:
    with ingest(folder) as tree:
        assert decoded(tree.memfd) == {"": ("directory", 0o755)}
        assert (tree.files, tree.bytes) == (0, 0)


def test_the_image_is_sealed_and_cannot_be_executed(folder: Path) -> None:
    (folder / "a").write_bytes(b"x")
    with ingest(folder) as tree:
        assert fcntl.fcntl(tree.memfd, fcntl.F_GET_SEALS) & SEALS == SEALS
        assert not os.get_inheritable(tree.memfd)
        assert not os.fstat(tree.memfd).st_mode & 0o111
        for change in (
            lambda: os.pwrite(tree.memfd, b"y", 24),
            lambda: os.ftruncate(tree.memfd, 0),
            lambda: os.ftruncate(tree.memfd, 1 << 20),
            lambda: fcntl.fcntl(tree.memfd, fcntl.F_ADD_SEALS, 0x10),
        ):
            with pytest.raises(PermissionError):
                change()


def test_a_closed_tree_has_no_memfd(folder: Path) -> None:
    tree = ingest(folder)
    tree.close()
    tree.close()
    with pytest.raises(UsageError, match="closed"):
        _ = tree.memfd


def test_equal_contents_are_stored_once_and_counted_each(folder: Path, decoded: Decoded) -> None:
    content = os.urandom(3 << 20)
    for name in ("a", "b", "d"):
        (folder / name).write_bytes(content)
    (folder / "c").write_bytes(content[: 1 << 20])
    with ingest(folder) as tree:
        assert tree.size < 5 << 20
        assert tree.bytes == 10 << 20
        found = decoded(tree.memfd)
    assert {name: found[name][2] == (folder / name).read_bytes() for name in "abcd"} == dict.fromkeys("abcd", True)


def test_hard_links_are_just_files(folder: Path, decoded: Decoded) -> None:
    (folder / "a").write_bytes(b"x")
    (folder / "b").hardlink_to(folder / "a")
    with ingest(folder) as tree:
        found = decoded(tree.memfd)
    assert found["a"] == found["b"] == ("file", 0o644, b"x")


def test_a_symlink_at_the_top_is_followed(folder: Path, tmp_path: Path) -> None:
    (folder / "a").write_bytes(b"x")
    (tmp_path / "link").symlink_to("folder")
    with ingest(folder) as tree, ingest(tmp_path / "link") as other:
        assert tree.digest == other.digest


def test_the_same_content_gives_the_same_bytes_anywhere(folder: Path, tmp_path: Path) -> None:
    for name in "cab":
        (folder / name).write_bytes(name.encode())
    shutil.copytree(folder, tmp_path / "other")
    with ingest(folder) as tree, ingest(tmp_path / "other") as other:
        assert os.pread(tree.memfd, tree.size, 0) == os.pread(other.memfd, other.size, 0)


ASCII = """
import os, sys
from pathlib import Path
from branes.trees.ingest import ingest
assert sys.getfilesystemencoding() == "ascii", sys.getfilesystemencoding()
with ingest(Path(sys.argv[1])) as tree:
    print(tree.digest)
"""


def test_names_are_utf8_whatever_the_locale_says(folder: Path) -> None:
    (folder / "é/ü").mkdir(parents=True)
    (folder / "é/ü/日").write_bytes(b"x")
    (folder / "ö").symlink_to("é/ü/日")
    foreign = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        [sys.executable, "-c", ASCII, folder], env=os.environ | foreign, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    with ingest(folder) as tree:
        assert done.stdout.strip() == tree.digest


def make_socket(path: Path) -> None:
    descriptor = os.open(path.parent, os.O_PATH)
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as made:
        made.bind(f"/proc/self/fd/{descriptor}/{path.name}")
    os.close(descriptor)


def make_suid(path: Path, bit: int) -> None:
    path.touch()
    path.chmod(0o755 | bit)
    assert path.stat().st_mode & bit


FAULTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "named pipe"),
    "socket": (make_socket, "socket"),
    # The one device that every user may make.
    "device": (lambda path: os.mknod(path, stat.S_IFCHR, os.makedev(0, 0)), "device"),
    "setuid": (lambda path: make_suid(path, stat.S_ISUID), "setuid"),
    "setgid": (lambda path: make_suid(path, stat.S_ISGID), "setuid, setgid"),
    "absolute": (lambda path: path.symlink_to("/etc/passwd"), "leads to /etc/passwd, out of the folder"),
    "climbing": (lambda path: path.symlink_to("../secret"), "leads to ../secret, out of the folder"),
    "circuitous": (lambda path: path.symlink_to("sub/../../secret"), "out of"),
    "\x1b[2Jx\n": (os.mkfifo, "named pipe"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_a_tree_cannot_hold_is_refused_with_its_path_and_a_way_out(folder: Path, name: str) -> None:
    make, what = FAULTS[name]
    make(folder / name)
    error = refused(folder)
    assert error.message.startswith(name if name.isprintable() else r"\x1b[2Jx\n")
    assert what in error.message
    assert error.hint


def test_a_name_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "sub").mkdir()
    os.close(os.open(os.fsencode(folder) + b"/sub/a\xff", os.O_CREAT | os.O_WRONLY))
    assert "sub/a\\udcff has a name that is not UTF-8" in refused(folder).message


def test_a_target_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "l").symlink_to(os.fsdecode(b"a\xff"))
    assert "target that is not UTF-8" in refused(folder).message


def test_a_symlink_that_leads_out_through_another_is_refused(folder: Path) -> None:
    (folder / "d/e").mkdir(parents=True)
    (folder / "d/e/up").symlink_to("../..")
    (folder / "l").symlink_to("d/e/up/../secret")
    assert refused(folder).message.startswith("l leads to d/e/up/../secret")


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_read_is_refused(
    reachable: Path, ordinary: Callable[[], contextlib.AbstractContextManager[None]], kind: str
) -> None:
    place = reachable / "sub" / "locked"
    place.mkdir(parents=True) if kind == "folder" else (place.parent.mkdir(), place.touch())
    place.chmod(0)
    with ordinary():
        error = refused(reachable)
    place.chmod(0o700)
    assert error.message == "sub/locked cannot be read by this user"
    assert "make it readable" in error.hint


def test_a_folder_whose_names_can_be_read_but_not_entered_is_refused(
    reachable: Path, ordinary: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    (reachable / "sub").mkdir()
    (reachable / "sub/a").touch()
    (reachable / "sub").chmod(0o444)
    with ordinary():
        error = refused(reachable)
    (reachable / "sub").chmod(0o700)
    assert error.message == "sub cannot be read by this user"


def test_faults_are_told_together(folder: Path) -> None:
    os.mkfifo(folder / "p")
    (folder / "l").symlink_to("/")
    (folder / "sub").mkdir()
    make_suid(folder / "sub/s", stat.S_ISUID)
    error = refused(folder)
    assert error.message.startswith("3 entries cannot be taken in: ")
    assert all(part in error.message for part in ("p is a named pipe", "l leads to /", "sub/s runs as"))


def test_no_more_than_twenty_faults_are_told(folder: Path) -> None:
    for number in range(40):
        os.mkfifo(folder / str(number))
    message = refused(folder).message
    assert message.startswith("20 or more entries")
    assert message.count("named pipe") == 20


@pytest.mark.parametrize("path", ["missing", "file", "nul\0", "file/x"])
def test_what_is_no_folder_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    assert "cannot be taken in" in refused(tmp_path / path).message


def test_a_folder_too_deep_is_refused_by_its_path(folder: Path) -> None:
    inside = folder
    for _ in range(64):
        inside /= "d"
        inside.mkdir()
    ingest(folder).close()
    (inside / "file").touch()
    assert "lies 65 deep, at most 64 allowed" in refused(folder).message


def test_a_path_too_long_is_refused(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(17):
        os.mkdir("n" * 250, dir_fd=descriptor)
        below = os.open("n" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert "has a path of 4266 bytes" in refused(folder).message


def test_bytes_are_bounded_before_they_are_read(folder: Path) -> None:
    with open(folder / "hole", "wb") as file:
        file.truncate((4 << 30) + 1)
    asked: list[int] = []
    error = refused(folder, progress=lambda done, _: asked.append(done))
    assert "more than 4,294,967,296 bytes" in error.message
    assert not asked


def test_the_bound_on_bytes_is_for_all_of_them(folder: Path) -> None:
    (folder / "a").write_bytes(b"123")
    (folder / "b").write_bytes(b"456")
    ingest(folder, bounds=Bounds(size=6)).close()
    assert "more than 5 bytes" in refused(folder, bounds=Bounds(size=5)).message


def test_the_bound_on_entries_counts_all_kinds(folder: Path) -> None:
    (folder / "d").mkdir()
    (folder / "d/a").touch()
    (folder / "l").symlink_to("d")
    ingest(folder, bounds=Bounds(entries=3)).close()
    assert "more than 2 files" in refused(folder, bounds=Bounds(entries=2)).message


def test_tiny_files_without_end_meet_the_bound_on_entries(folder: Path) -> None:
    for group in range(5):
        inside = folder / str(group)
        inside.mkdir()
        (inside / "first").touch()
        descriptor = os.open(inside, os.O_RDONLY)
        for number in range(40_000):
            os.link("first", str(number), src_dir_fd=descriptor, dst_dir_fd=descriptor)
        os.close(descriptor)
    assert "more than 200,000 files, folders and symlinks" in refused(folder).message
    shutil.rmtree(folder)


def test_progress_ends_at_all_of_it(folder: Path) -> None:
    (folder / "a").write_bytes(bytes(5 << 20))
    (folder / "b").write_bytes(b"x")
    told: list[tuple[int, int]] = []
    ingest(folder, lambda done, whole: told.append((done, whole))).close()
    assert told == sorted(told)
    assert {whole for _, whole in told} == {(5 << 20) + 1}
    assert told[-1] == ((5 << 20) + 1, (5 << 20) + 1)


def test_a_file_that_has_content_but_no_size_is_refused() -> None:
    """Such as those of /proc: an image with nothing of it would be a lie."""
    assert refused(Path("/proc/sys/kernel/random")).message == "boot_id changed while it was read"


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="/\0"), min_size=1, max_size=6).filter(
    lambda name: name not in {".", ".."}
)
FILES = st.tuples(st.binary(max_size=20), st.booleans())
TREES = st.recursive(
    st.dictionaries(NAMES, FILES, max_size=4),
    lambda inner: st.dictionaries(NAMES, st.one_of(FILES, inner), max_size=4),
    max_leaves=8,
)
Nested = dict[str, Any]


def build(tree: Nested, folder: Path, *, backwards: bool = False) -> None:
    folder.mkdir(parents=True)
    names = sorted(tree, reverse=backwards)
    for name in names:
        if isinstance(tree[name], dict):
            build(tree[name], folder / name, backwards=backwards)
            continue
        content, executable = tree[name]
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o755 if executable else 0o644)


def flat(tree: Nested, path: str = "") -> dict[str, tuple[Any, ...]]:
    found: dict[str, tuple[Any, ...]] = {path: ("directory", 0o755)}
    for name, value in tree.items():
        below = f"{path}/{name}" if path else name
        if isinstance(value, dict):
            found |= flat(value, below)
        else:
            found[below] = ("file", 0o755 if value[1] else 0o644, value[0])
    return found


def digest_of(tree: Nested, *, backwards: bool = False) -> str:
    with tempfile.TemporaryDirectory() as place:
        build(tree, Path(place) / "tree", backwards=backwards)
        with ingest(Path(place) / "tree") as made:
            return made.digest


@settings(max_examples=40)
@given(TREES)
def test_any_tree_can_be_read_back(decoded: Decoded, tree: Nested) -> None:
    with tempfile.TemporaryDirectory() as place:
        build(tree, Path(place) / "tree")
        with ingest(Path(place) / "tree") as made:
            assert decoded(made.memfd) == flat(tree)


@settings(max_examples=40)
@given(TREES, TREES)
def test_digests_are_equal_exactly_where_trees_are(one: Nested, other: Nested) -> None:
    assert digest_of(one) == digest_of(one, backwards=True)
    assert (digest_of(one) == digest_of(other)) == (flat(one) == flat(other))


@settings(max_examples=40)
@given(TREES, st.data())
def test_any_change_changes_the_digest(tree: Nested, data: st.DataObject) -> None:
    before = digest_of(tree)
    name = data.draw(NAMES)
    change = data.draw(st.sampled_from(["add", "content", "mode", "remove", "rename"]))
    old = tree.get(name)
    if change == "add" or old is None or isinstance(old, dict):
        tree[name] = (b"new" if old != (b"new", False) else b"newer", False)
    elif change == "content":
        tree[name] = (old[0] + b"\0", old[1])
    elif change == "mode":
        tree[name] = (old[0], not old[1])
    elif change == "remove":
        del tree[name]
    else:
        tree[name + "~"] = tree.pop(name)
    assert digest_of(tree) != before
