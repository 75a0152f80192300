"""What is changed by one byte, or was made for something else, is not there."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from branes import cache as caches
from branes.cache import Cache
from branes.errors import HostFault

if TYPE_CHECKING:
    from pathlib import Path

KEY = b"k" * 32
PAYLOAD, DESCRIPTION = b"native code", b'{"imports": []}'


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    made = Cache(tmp_path / "cache", KEY)
    made.put("thing", [PAYLOAD[:6], memoryview(PAYLOAD[6:])], DESCRIPTION)
    return made


@pytest.fixture
def file(cache: Cache) -> Path:
    return cache._folder / "thing"


def read(cache: Cache, name: str = "thing") -> tuple[bytes, bytes] | None:
    found = cache.get(name, "test")
    if found is None:
        return None
    memfd, description = found
    try:
        return os.pread(memfd, 1 << 20, 0), description
    finally:
        os.close(memfd)


def names(cache: Cache) -> set[str]:
    return {path.name for path in cache._folder.iterdir()}


def aged(cache: Cache, name: str, seconds: float) -> None:
    """Last used `seconds` ago."""
    then = time.time() - seconds
    os.utime(cache._folder / name, (then, then))


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_what_was_put_is_there(cache: Cache) -> None:
    assert read(cache) == (PAYLOAD, DESCRIPTION)


def test_empty_parts_are_there_too(cache: Cache) -> None:
    cache.put("empty", [], b"")
    assert read(cache, "empty") == (b"", b"")


def test_a_changed_byte_anywhere_makes_it_absent(cache: Cache, file: Path) -> None:
    sound = file.read_bytes()
    before = open_descriptors()
    for place in range(len(sound)):
        for flip in (0x01, 0x80):
            changed = bytearray(sound)
            changed[place] ^= flip
            file.write_bytes(changed)
            assert read(cache) is None, f"byte {place}"
    assert open_descriptors() == before
    file.write_bytes(sound)
    assert read(cache) is not None


def test_a_file_cut_short_or_made_longer_is_absent(cache: Cache, file: Path) -> None:
    sound = file.read_bytes()
    for changed in [*(sound[:size] for size in range(len(sound))), sound + b"\0", b"\0" + sound]:
        file.write_bytes(changed)
        assert read(cache) is None


def test_bytes_moved_from_payload_to_description_make_it_absent(cache: Cache, file: Path) -> None:
    sound = file.read_bytes()
    size = len(PAYLOAD) + 1
    moved = sound[:-48] + size.to_bytes(8, "little") + (len(DESCRIPTION) - 1).to_bytes(8, "little") + sound[-32:]
    file.write_bytes(moved)
    assert read(cache) is None


def test_a_file_under_another_name_is_absent(cache: Cache, file: Path) -> None:
    file.rename(file.with_name("other"))
    assert read(cache, "other") is None
    assert read(cache) is None


def test_a_file_of_another_key_is_absent(cache: Cache) -> None:
    assert read(Cache(cache._folder, b"j" * 32)) is None


def test_a_link_to_a_sound_file_is_absent(cache: Cache, file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")
    assert read(cache) is None


@pytest.mark.parametrize("kind", ["folder", "fifo"])
def test_what_is_no_file_is_absent(cache: Cache, file: Path, kind: str) -> None:
    file.unlink()
    if kind == "folder":
        file.mkdir()
    else:
        os.mkfifo(file)
    assert read(cache) is None


def test_nobody_can_change_what_was_read(cache: Cache) -> None:
    found = cache.get("thing", "test")
    assert found is not None
    memfd, _ = found
    try:
        for change in (
            lambda: os.pwrite(memfd, b"x", 0),
            lambda: os.ftruncate(memfd, 0),
            lambda: os.ftruncate(memfd, 99),
        ):
            with pytest.raises(PermissionError):
                change()
        with pytest.raises(PermissionError):
            fcntl.fcntl(memfd, 1033, 0x10)
    finally:
        os.close(memfd)


def test_a_file_is_replaced_as_a_whole(cache: Cache, file: Path) -> None:
    with file.open("rb") as before:
        cache.put("thing", [b"newer"], b"")
        assert before.read().startswith(PAYLOAD)
    assert read(cache) == (b"newer", b"")
    assert [path.name for path in file.parent.iterdir()] == ["thing"]


def test_files_are_this_users_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_the_hosts_fault_and_leaves_nothing(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(HostFault, match="the cache cannot be written"):
        cache.put("more", [b"a"], b"")
    assert [path.name for path in cache._folder.iterdir()] == ["thing"]


KILLED = """
import os, signal, sys
from pathlib import Path
from branes.cache import Cache
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
Cache(Path(sys.argv[1]), b"k" * 32).put("half", [b"a" * 100_000], b"")
"""


def test_who_is_killed_while_writing_leaves_nothing(cache: Cache) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(cache._folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert names(cache) == {"thing"}


def test_where_every_file_needs_a_name_it_has_one_until_it_is_whole(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    actual = os.open
    seen: list[str] = []

    def refusing(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        seen.append(str(path))
        return actual(path, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", refusing)
    cache.put("named", [b"a"], b"")
    assert read(cache, "named") == (b"a", b"")
    assert any(name.startswith(".named.") for name in seen)
    assert names(cache) == {"thing", "named"}


def test_what_a_dead_process_left_is_removed_after_an_hour(cache: Cache) -> None:
    for name, age in ((".old.1.ff", 3700), (".new.1.ff", 3500)):
        (cache._folder / name).write_bytes(b"half")
        aged(cache, name, age)
    (cache._folder / ".folder").mkdir()
    cache.put("more", [], b"")
    assert names(cache) == {"thing", ".new.1.ff", ".folder", "more"}


def test_what_was_used_the_longest_time_ago_makes_room(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, age in ((1, 300), (2, 400), (3, 200)):
        cache.put(f"old{number}", [bytes(1000)], b"")
        aged(cache, f"old{number}", age)
    assert read(cache, "old2") is not None  # which is a use
    monkeypatch.setattr(caches, "BUDGET", 4000)
    cache.put("new", [bytes(1000)], b"")
    assert names(cache) == {"old2", "old3", "new", "thing"}


def test_a_file_that_was_just_written_or_used_is_never_removed(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(cache, "thing", 59)
    monkeypatch.setattr(caches, "BUDGET", 0)
    cache.put("new", [bytes(1000)], b"")
    assert names(cache) == {"thing", "new"}
    aged(cache, "thing", 61)
    cache.put("newer", [], b"")
    assert names(cache) == {"new", "newer"}


def test_a_file_that_is_used_while_room_is_made_stays(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put("old", [], b"")
    for name in ("thing", "old"):
        aged(cache, name, 300)
    monkeypatch.setattr(caches, "BUDGET", 0)
    found = caches._regular
    looks: list[str] = []

    def used_meanwhile(folder: int, name: str) -> os.stat_result | None:
        if name == "thing" and name in looks:
            assert read(cache) is not None
        looks.append(name)
        return found(folder, name)

    monkeypatch.setattr(caches, "_regular", used_meanwhile)
    cache.put("new", [], b"")
    assert names(cache) == {"thing", "new"}


def test_links_in_the_folder_are_neither_followed_nor_counted(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").write_bytes(bytes(5000))
    os.utime(tmp_path / "elsewhere", (0, 0))
    (cache._folder / "link").symlink_to(tmp_path / "elsewhere")
    aged(cache, "thing", 300)
    monkeypatch.setattr(caches, "BUDGET", 4000)
    cache.put("new", [], b"")
    assert names(cache) == {"thing", "new", "link"}
    assert (tmp_path / "elsewhere").stat().st_size == 5000


def test_many_that_write_and_read_at_the_same_time_find_what_they_wrote(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "BUDGET", 0)

    def use(number: int) -> bool:
        cache.put(f"thing{number % 4}", [bytes(1000)], b"")
        return read(cache, f"thing{number % 4}") is not None

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(64)))
