"""What is changed by one byte, or was made for something else, is not there."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

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
