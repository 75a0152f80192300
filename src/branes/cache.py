"""Compiled things on disk, authenticated with the host key.

What is changed by one byte, or was made for something else, is not there.

A file is the payload, a description, and a trailer with their lengths and an HMAC-SHA256 over name, both parts and both
lengths. Reading puts the payload into a memfd, seals that, and authenticates what the memfd holds: nobody can change it
between check and use.

A file has no name until it is whole, where the file system can do that; what a process that was killed left behind is
removed by whoever writes after an hour. Whoever writes also removes the files that were used the longest time ago until
the folder holds `BUDGET` bytes; a file's time is that of its last use. What was used within the last minute stays: a
file that was just written is there for whoever wrote it.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import secrets
import stat
import struct
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from branes import _kernel
from branes.errors import HostFault
from branes.state import private

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_TRAILER: Final = struct.Struct("<QQ32s")
_MAX_DESCRIPTION: Final = 16 << 20
#: Bytes that the folder may hold, besides what was used within the last minute.
BUDGET: Final = 4 << 30
#: Seconds for which a file that was used stays.
_IN_USE: Final = 60.0
#: Seconds after which a file that has no name yet is nobody's any more.
_ABANDONED: Final = 3600.0


class Cache:
    """One folder of authenticated files."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = private(folder)
        self._key = key

    def get(self, name: str, memfd_name: str) -> tuple[int, bytes] | None:
        """A sealed memfd with the payload of `name`, and its description; None if there is none, intact."""
        try:
            descriptor = os.open(self._folder / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return None
        try:
            return self._read(descriptor, name, memfd_name)
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int, name: str, memfd_name: str) -> tuple[int, bytes] | None:
        found = os.fstat(descriptor)
        size = found.st_size
        if not stat.S_ISREG(found.st_mode) or size < _TRAILER.size:
            return None
        trailer = os.pread(descriptor, _TRAILER.size, size - _TRAILER.size)
        payload_size, description_size, code = _TRAILER.unpack(trailer)
        if payload_size + description_size + _TRAILER.size != size or description_size > _MAX_DESCRIPTION:
            return None
        description = os.pread(descriptor, description_size, payload_size)
        memfd = _copy_to_memfd(descriptor, payload_size, memfd_name)
        try:
            with mmap.mmap(memfd, payload_size, prot=mmap.PROT_READ) if payload_size else memoryview(b"") as payload:
                expected = self._code(name, [payload], payload_size, description)
        except BaseException:
            os.close(memfd)
            raise
        if hmac.compare_digest(expected, code):
            with suppress(OSError):  # the folder may be read-only by now
                os.utime(descriptor)
            return memfd, description
        os.close(memfd)
        return None

    def put(self, name: str, payload: Iterable[bytes | memoryview], description: bytes) -> None:
        """Write `name` as a whole: without a name, synced, then put in its place; and make room.

        Raises:
            HostFault: it cannot be written.
        """
        parts = list(payload)
        size = sum(len(part) for part in parts)
        trailer = _TRAILER.pack(size, len(description), self._code(name, parts, size, description))
        try:
            with _opened(self._folder) as folder:
                _write(folder, name, [*parts, description, trailer])
                with suppress(OSError):
                    _make_room(folder, name)
        except OSError as error:
            raise HostFault(f"the cache cannot be written: {error}", hint="free space below $BRANES_STATE") from error

    def _code(self, name: str, parts: Iterable[bytes | memoryview | mmap.mmap], size: int, description: bytes) -> bytes:
        code = hmac.new(self._key, digestmod=hashlib.sha256)
        code.update(name.encode() + b"\0" + struct.pack("<QQ", size, len(description)))
        for part in parts:
            code.update(part)
        code.update(description)
        return code.digest()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield folder
    finally:
        os.close(folder)


def _write(folder: int, name: str, parts: Iterable[bytes | memoryview]) -> None:
    beside = f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        descriptor, named = _create(folder, beside)
        with open(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(descriptor)
            if not named:
                # With a folder's descriptor Python calls linkat(2), which follows the link in /proc; link(2) does not.
                os.link(f"/proc/self/fd/{descriptor}", beside, dst_dir_fd=folder, follow_symlinks=True)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
        raise


def _create(folder: int, beside: str) -> tuple[int, bool]:
    """A new file of this user alone, and whether it is called `beside`; it has no name where that can be (open(2))."""
    if os.path.isdir("/proc/self/fd"):  # noqa: PTH112 -- a name can be given through there only
        with suppress(OSError):
            return os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=folder), False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(beside, flags, 0o600, dir_fd=folder), True


def _make_room(folder: int, newest: str) -> None:
    """Remove what was abandoned, and what was used the longest time ago and is too much.

    Others do the same at the same time: what one does not find any more, another removed.
    """
    now = time.time()
    kept: list[tuple[float, str, int]] = []
    for name in os.listdir(folder):
        found = _regular(folder, name)
        if found is None:
            continue
        if not name.startswith("."):
            kept.append((found.st_mtime, name, found.st_size))
        elif found.st_mtime < now - _ABANDONED:
            _remove(folder, name, found.st_mtime)
    excess = sum(size for _, _, size in kept) - BUDGET
    for used, name, size in sorted(kept):
        if excess <= 0 or used > now - _IN_USE:
            return
        if name != newest and _remove(folder, name, used):
            excess -= size


def _regular(folder: int, name: str) -> os.stat_result | None:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _remove(folder: int, name: str, used: float) -> bool:
    """Remove a file, unless it was used or written meanwhile; whether it is gone."""
    found = _regular(folder, name)
    if found is not None and found.st_mtime != used:
        return False
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    return True


def _copy_to_memfd(descriptor: int, size: int, name: str) -> int:
    memfd = _kernel.new_memfd(name, executable=True)
    try:
        offset = 0
        while offset < size:
            sent = os.sendfile(memfd, descriptor, offset, size - offset)
            if not sent:
                break
            offset += sent
        os.ftruncate(memfd, size)
        _kernel.seal(memfd)
    except BaseException:
        os.close(memfd)
        raise
    return memfd
