"""Compiled things on disk, authenticated with the host key.

What is changed by one byte, or was made for something else, is not there.

A file is the payload, a description, and a trailer with their lengths and an HMAC-SHA256 over name, both parts and both
lengths. Reading puts the payload into a memfd, seals that, and authenticates what the memfd holds: nobody can change it
between check and use.
"""

from __future__ import annotations

import hashlib
import hmac
import mmap
import os
import secrets
import stat
import struct
from typing import TYPE_CHECKING, Final

from branes import _kernel
from branes.errors import HostFault
from branes.state import private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_TRAILER: Final = struct.Struct("<QQ32s")
_MAX_DESCRIPTION: Final = 16 << 20


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
            return memfd, description
        os.close(memfd)
        return None

    def put(self, name: str, payload: Iterable[bytes | memoryview], description: bytes) -> None:
        """Write `name` as a whole: beside, synced, then renamed over.

        Raises:
            HostFault: it cannot be written.
        """
        parts = list(payload)
        size = sum(len(part) for part in parts)
        trailer = _TRAILER.pack(size, len(description), self._code(name, parts, size, description))
        beside = self._folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        try:
            with open(beside, "xb", opener=_private_opener) as file:
                file.writelines([*parts, description, trailer])
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self._folder / name)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise HostFault(f"the cache cannot be written: {error}", hint="free space below $BRANES_STATE") from error

    def _code(self, name: str, parts: Iterable[bytes | memoryview | mmap.mmap], size: int, description: bytes) -> bytes:
        code = hmac.new(self._key, digestmod=hashlib.sha256)
        code.update(name.encode() + b"\0" + struct.pack("<QQ", size, len(description)))
        for part in parts:
            code.update(part)
        code.update(description)
        return code.digest()


def _private_opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


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
