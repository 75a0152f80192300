"""What a brane hands back is hostile: it is there as a whole, where it was asked for, or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from branes.errors import BranesError, GuestFault, HostFault, LimitExceeded, UsageError
from branes.trees.bounds import Bounds
from branes.trees.take import Taker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.usefixtures("no_leak", "canary")

Entry = tuple[str, str, dict[str, Any], bytes]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "place"
    made.mkdir()
    return made


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[None]:
    """Fails a test that changed something outside of the place."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x").write_bytes(b"canary")
    yield
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["x"]
    assert (tmp_path / "outside/x").read_bytes() == b"canary"


def folder(path: str) -> Entry:
    return path, "directory", {}, b""


def file(path: str, content: bytes = b"x", **words: Any) -> Entry:
    return path, "file", {"size": len(content)} | words, content


def link(path: str, target: str) -> Entry:
    return path, "symlink", {"target": target}, b""


def take(dest: Path, entries: list[Entry], name: str = "taken", **words: Any) -> Path:
    with Taker(dest, name, **words) as taker:
        for path, kind, fields, content in entries:
            taker.entry(path, kind, **fields)  # type: ignore[arg-type]
            if content:
                taker.write(content)
        return taker.finish()


def refused(place: Path, entries: list[Entry], kind: type[BranesError] = GuestFault, **words: Any) -> str:
    """The message of the error that the entries are, after which nothing is there."""
    with pytest.raises(kind) as caught:
        take(place, entries, **words)
    assert list(place.iterdir()) == []
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 700
    return caught.value.message


def test_a_file_goes_to_the_path_that_is_named(place: Path) -> None:
    assert take(place / "here", [file("", b"content")]) == place / "here"
    assert (place / "here").read_bytes() == b"content"
    assert [path.name for path in place.iterdir()] == ["here"]


def test_a_file_goes_into_the_folder_that_is_named(place: Path) -> None:
    assert take(place, [file("", b"content")]) == place / "taken"
    assert (place / "taken").read_bytes() == b"content"


def test_a_relative_path_is_one_from_here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    assert take(Path("here"), [file("")]) == Path("here")
    assert take(Path(), [file("")]) == Path("taken")
    assert sorted(path.name for path in place.iterdir()) == ["here", "taken"]


@pytest.mark.parametrize("where", ["", "here"])
def test_a_folder_becomes_a_tree(place: Path, where: str) -> None:
    entries = [
        folder(""),
        link("l", "d/e/f"),
        folder("d"),
        file("a", b"1"),
        folder("d/e"),
        file("d/e/f", b"22", executable=True),
        file("d/empty", b""),
        link("d/dangling", "../missing"),
        file("b", bytes(100_000)),
    ]
    made = take(place / where, entries)
    assert sorted(str(path.relative_to(made)) for path in made.rglob("*")) == sorted(path for path, *_ in entries[1:])
    assert (made / "l").read_bytes() == b"22"
    assert str((made / "d/dangling").readlink()) == "../missing"
    assert (made / "d/empty").read_bytes() == b""
    assert (made / "b").stat().st_size == 100_000
    assert [path.name for path in place.iterdir()] == [made.name]


def test_modes_are_these_and_no_others(place: Path) -> None:
    before = os.umask(0o022)
    made = take(place, [folder(""), folder("d"), file("a"), file("run", executable=True)])
    os.umask(before)
    modes = {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in (made, *made.iterdir())}
    assert modes == {"taken": "0o755", "d": "0o755", "a": "0o644", "run": "0o755"}


def test_content_comes_in_pieces(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "file", size=6)
        for piece in (b"12", memoryview(b"345"), b"", b"6"):
            taker.write(piece)
        assert not (place / "taken").exists()
        taker.finish()
    assert (place / "taken").read_bytes() == b"123456"


NAMES = [
    "..",
    "../outside/x",
    "../../etc/passwd",
    "/etc/passwd",
    "/",
    "d/../../outside/x",
    "d/..",
    ".",
    "./a",
    "d/.",
    "d//a",
    "d/",
    "a\0b",
    "a\nb",
    "\x1b]0;title\x07",
    "a\x9b",
    "txt.\u202eexe",
    "n" * 256,
    "é" * 128,
    "\udcff",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["file", "directory", "symlink"])
def test_a_hostile_name_is_refused(place: Path, name: str, kind: str) -> None:
    fields = {"target": "d"} if kind == "symlink" else {}
    assert "is refused: " in refused(place, [folder(""), folder("d"), (name, kind, fields, b"")])


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_of_the_whole_is_refused(place: Path, name: str) -> None:
    if name.count("/") == 0 or name == "/":
        refused(place, [file("")], UsageError, name=name)
    with pytest.raises(UsageError):
        Taker(place, name)


@pytest.mark.parametrize("name", ["C:\\x", "\\\\host\\share", "CON", "-rf", "~", "$HOME", " ", "a b", "日本"])
def test_a_name_that_is_only_strange_is_just_a_name(place: Path, name: str) -> None:
    made = take(place, [folder(""), file(name)])
    assert [path.name for path in made.iterdir()] == [name]


def test_a_path_too_deep_or_too_long_is_refused(place: Path) -> None:
    deep = [folder("/".join("d" * depth)) for depth in range(1, 66)]
    long = [folder("/".join(["n" * 250] * depth)) for depth in range(1, 18)]
    assert "lies 65 deep" in refused(place, [folder(""), *deep])
    assert "has a path of 4266 bytes" in refused(place, [folder(""), *long])


@pytest.mark.parametrize(
    ("entries", "what"),
    [
        ([folder(""), file("a"), file("a")], "a comes twice"),
        ([folder(""), file("a"), folder("a")], "a comes twice"),
        ([folder(""), folder("a"), link("a", "b")], "a comes twice"),
        ([folder(""), folder("")], "it comes twice"),
        ([file(""), file("a")], "a comes before its folder"),
        ([file("a")], "a comes before its folder"),
        ([folder(""), file("d/a")], "d/a comes before its folder"),
        ([folder(""), file("d"), file("d/a")], "d/a comes before its folder"),
        # Through a symlink, whether it would stay inside or not.
        ([folder(""), folder("e"), link("d", "e"), file("d/a")], "d/a comes before its folder"),
        ([folder(""), link("d", "../outside"), file("d/a")], "d/a comes before its folder"),
        ([link("", "a")], "it is a symlink"),
        ([folder(""), link("l", "/etc/passwd")], "symlink l leads to /etc/passwd"),
        ([folder(""), link("l", "../outside/x")], "symlink l leads to ../outside/x"),
        ([folder(""), folder("d"), link("d/l", "../../outside/x")], "symlink d/l leads to"),
        ([folder(""), folder("d"), link("d/up", ".."), link("l", "d/up/../outside/x")], "symlink l leads to"),
        ([folder(""), link("l", "")], "l has a target of 0 bytes"),
        ([folder(""), link("l", "t/" * 2048)], "l has a target of 4096 bytes"),
        ([folder(""), link("l", "a\nb")], "l has control characters"),
        ([folder(""), link("l", "a\0b")], "l has"),
        ([folder(""), link("l", "\udcff")], "l has a target that is not UTF-8"),
        *[
            ([folder(""), ("a", kind, {}, b"")], "a is neither file")
            for kind in ("hardlink", "device", "fifo", "socket", "whiteout", "")
        ],
        ([folder(""), ("a", "directory", {"size": 1}, b"")], "a has a size of 1"),
        ([folder(""), ("a", "symlink", {"size": 1, "target": "b"}, b"")], "a has a size of 1"),
        ([folder(""), ("a", "file", {"size": -1}, b"")], "a has a size of -1"),
        ([], "handed nothing back"),
    ],
)
def test_what_is_no_tree_is_refused(place: Path, entries: list[Entry], what: str) -> None:
    assert what in refused(place, entries)


@pytest.mark.parametrize("last", [[], [file("b")]])
@pytest.mark.parametrize("path", ["", "a"])
def test_less_than_was_declared_is_refused(place: Path, path: str, last: list[Entry]) -> None:
    above = [folder("")] if path else []
    message = refused(place, [*above, file(path, b"12", size=5), *last])
    assert f"{path or 'it'} declared 5 bytes, of which 2 came" in message


def test_more_than_was_declared_is_refused_and_not_written(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "file", size=3)
        taker.write(b"12")
        with pytest.raises(GuestFault, match="it has more content than the 3 bytes it declared"):
            taker.write(b"34")
        (beside,) = place.iterdir()
        assert beside.read_bytes() == b"12"
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("entries", [[], [("", "directory")]])
def test_content_of_no_file_is_refused(place: Path, entries: list[tuple[str, Any]]) -> None:
    with Taker(place, "taken") as taker:
        for entry in entries:
            taker.entry(*entry)
        with pytest.raises(GuestFault, match="more content"):
            taker.write(b"x")
    assert list(place.iterdir()) == []


def test_nothing_is_finished_after_a_refusal(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "directory")
        with pytest.raises(GuestFault):
            taker.entry("..", "file")
        taker.entry("a", "file")
        with pytest.raises(UsageError, match="cannot be finished"):
            taker.finish()
    assert list(place.iterdir()) == []


def test_what_is_cut_off_leaves_nothing(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "directory")
        taker.entry("d", "directory")
        taker.entry("d/a", "file", size=10)
        taker.write(b"12345")
        assert [path.name.startswith(".brane-") for path in place.iterdir()] == [True]
    assert list(place.iterdir()) == []


def test_a_closed_taker_takes_nothing(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "directory")
        taker.finish()
        for late in (taker.finish, lambda: taker.entry("a", "file"), lambda: taker.write(b"")):
            with pytest.raises(UsageError, match="closed"):
                late()
    taker.close()
    assert [path.name for path in place.iterdir()] == ["taken"]


def test_bytes_are_bounded_as_they_are_declared(place: Path) -> None:
    entries = [folder(""), file("a", b"123"), file("b", b"456")]
    assert "more than 5 bytes" in refused(place, entries, LimitExceeded, bounds=Bounds(size=5))
    assert "more than 4,294,967,296 bytes" in refused(place, [file("", b"", size=1 << 40)], LimitExceeded)
    take(place, entries, bounds=Bounds(size=6))


def test_entries_are_bounded(place: Path) -> None:
    entries = [folder(""), file("a"), link("l", "a")]
    assert "more than 2 files" in refused(place, entries, LimitExceeded, bounds=Bounds(entries=2))
    take(place, entries, bounds=Bounds(entries=3))


def test_tiny_entries_without_end_meet_the_bound_on_entries(place: Path) -> None:
    entries = [folder(""), *(link(str(number), "x") for number in range(1_000_000))]
    assert "more than 200,000 files" in refused(place, entries, LimitExceeded)


def test_names_without_end_are_refused(place: Path) -> None:
    entries = [folder(""), *(link(str(number), "t/" * 2000) for number in range(20_000))]
    assert "names without end" in refused(place, entries, LimitExceeded)


@pytest.mark.parametrize("taken", ["file", "folder", "dangling", "pipe"])
@pytest.mark.parametrize("entries", [[folder("")], [file("")]])
def test_a_name_that_is_taken_is_refused_at_once(place: Path, taken: str, entries: list[Entry]) -> None:
    occupy(place / "taken", taken)
    with pytest.raises(UsageError, match="is there already") as caught:
        take(place, entries)
    assert "force" in caught.value.hint
    assert [path.name for path in place.iterdir()] == ["taken"]


def occupy(path: Path, kind: str) -> None:
    match kind:
        case "file":
            path.write_bytes(b"mine")
        case "folder":
            path.mkdir()
        case "dangling":
            path.symlink_to("../outside/new")
        case "link":
            path.symlink_to("../outside/x")
        case "pipe":
            os.mkfifo(path)


@pytest.mark.parametrize("taken", ["file", "folder", "dangling"])
@pytest.mark.parametrize("entries", [[folder(""), file("a")], [file("")]])
def test_a_name_that_is_taken_meanwhile_is_refused_at_the_end(place: Path, taken: str, entries: list[Entry]) -> None:
    with Taker(place, "taken") as taker:
        for path, kind, fields, content in entries:
            taker.entry(path, kind, **fields)  # type: ignore[arg-type]
            taker.write(content)
        occupy(place / "taken", taken)
        with pytest.raises(UsageError, match="is there already"):
            taker.finish()
    assert [path.name for path in place.iterdir()] == ["taken"]
    assert taken != "file" or (place / "taken").read_bytes() == b"mine"
    assert taken != "folder" or list((place / "taken").iterdir()) == []


@pytest.mark.parametrize("taken", ["file", "folder"])
@pytest.mark.parametrize("entries", [[folder(""), file("a")], [file("")]])
def test_a_name_taken_at_the_last_moment_is_not_overwritten(
    place: Path, taken: str, entries: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the last look, before the rename: the kernel is what says no."""
    looked = Taker._check_free

    def look_and_lose(taker: Taker) -> None:
        looked(taker)
        if taker._kinds:
            occupy(place / "taken", taken)

    monkeypatch.setattr(Taker, "_check_free", look_and_lose)
    with pytest.raises(UsageError, match="is there already"):
        take(place, entries)
    assert [path.name for path in place.iterdir()] == ["taken"]
    assert taken != "file" or (place / "taken").read_bytes() == b"mine"
    assert taken != "folder" or list((place / "taken").iterdir()) == []


@pytest.mark.parametrize("taken", ["file", "dangling", "link", "pipe", "nothing"])
def test_force_replaces_what_is_no_folder_and_follows_nothing(place: Path, taken: str) -> None:
    occupy(place / "taken", taken)
    take(place, [file("", b"new")], force=True)
    assert (place / "taken").read_bytes() == b"new"
    assert not (place / "taken").is_symlink()
    assert [path.name for path in place.iterdir()] == ["taken"]


def test_force_replaces_no_folder(place: Path) -> None:
    (place / "taken/taken").mkdir(parents=True)
    for entries in ([file("")], [folder("")]):
        with pytest.raises(UsageError, match="is there already"):
            take(place / "taken", entries, force=True)
    assert (place / "taken/taken").is_dir()


def test_force_puts_no_folder_in_place_of_a_file(place: Path) -> None:
    occupy(place / "taken", "file")
    with pytest.raises(UsageError, match="is there already"):
        take(place, [folder("")], force=True)
    assert (place / "taken").read_bytes() == b"mine"
    assert [path.name for path in place.iterdir()] == ["taken"]


@pytest.mark.parametrize("dest", ["missing/x", "file/x", "nul\0"])
def test_a_place_that_is_not_there_is_refused(place: Path, dest: str) -> None:
    (place / "file").touch()
    with pytest.raises(UsageError):
        Taker(place / dest, "taken")


@pytest.mark.parametrize("mode", [0o555, 0o644])
def test_a_place_without_permission_is_a_fault_of_the_host(
    reachable: Path, ordinary: Callable[[], Any], mode: int
) -> None:
    reachable.chmod(mode)
    with ordinary(), pytest.raises(HostFault, match="cannot be written: permission denied"):
        take(reachable, [file("")])
    reachable.chmod(0o755)
    assert list(reachable.iterdir()) == []


def test_a_folder_swapped_for_a_symlink_on_the_host_is_not_followed(place: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "directory")
        taker.entry("d", "directory")
        (beside,) = place.iterdir()
        (beside / "d").rmdir()
        (beside / "d").symlink_to("../../outside")
        with pytest.raises(HostFault, match="d/a of what the guest hands back cannot be written"):
            taker.entry("d/a", "file")
    assert list(place.iterdir()) == []


def test_the_place_swapped_for_another_is_still_the_one_that_was_opened(place: Path, tmp_path: Path) -> None:
    with Taker(place, "taken") as taker:
        taker.entry("", "file", size=1)
        place.rename(tmp_path / "away")
        place.symlink_to("outside")
        taker.write(b"x")
        taker.finish()
    assert (tmp_path / "away/taken").read_bytes() == b"x"


@pytest.mark.parametrize("taken", ["nothing", "file"])
def test_where_there_are_no_hard_links_a_file_gets_its_name_too(
    place: Path, taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(Taker, "_check_free", lambda _: None)
    occupy(place / "taken", taken)
    if taken == "file":
        with pytest.raises(UsageError, match="is there already"):
            take(place, [file("", b"new")])
    else:
        take(place, [file("", b"new")])
    assert [path.name for path in place.iterdir()] == ["taken"]
    assert (place / "taken").read_bytes() == (b"mine" if taken == "file" else b"new")


FULL = """
import os, subprocess, sys
from pathlib import Path
from branes.errors import HostFault
from branes.trees.take import Taker
place = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,nr_inodes=20", "tmpfs", place], check=True)
try:
    with Taker(place, "taken") as taker:
        if sys.argv[2] == "bytes":
            taker.entry("", "file", size=1 << 20)
            for _ in range(16):
                taker.write(bytes(1 << 16))
        else:
            taker.entry("", "directory")
            for number in range(30):
                taker.entry(str(number), "file")
        taker.finish()
except HostFault as error:
    print(error.message)
print(os.listdir(place))
"""


@pytest.mark.parametrize("what", ["bytes", "entries"])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(place: Path, what: str) -> None:
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-c", FULL, place, what],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    message, left = done.stdout.splitlines()
    assert message.endswith("what the guest hands back cannot be written: no space left on device")
    assert left == "[]"
