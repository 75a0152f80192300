"""Where a guest's standard input comes from."""

from __future__ import annotations

import contextlib
import io
import os
from typing import IO

from branes.drive import Input, Nothing
from branes.errors import UsageError

Stdin = None | bytes | str | IO[bytes]


class FromBytes:
    """Bytes that are all there."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def fileno(self) -> None:
        """Reading never waits."""

    def read(self, most: int) -> bytes:
        """The next of them."""
        return self._stream.read(most)


class FromDescriptor:
    """An open descriptor, read as far as there is something."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def read(self, most: int) -> bytes:
        """What is there; empty at the end."""
        return os.read(self._descriptor, most)


class FromFile:
    """A binary file object without a descriptor."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def fileno(self) -> None:
        """Waits in `read`, if it waits."""

    def read(self, most: int) -> bytes:
        """The next of it."""
        return self._file.read(most)


def source(stdin: Stdin) -> Input:
    """The input that `stdin` means: nothing, bytes, text as UTF-8, or a binary file object.

    Raises:
        UsageError: it is none of these.
    """
    match stdin:
        case None:
            return Nothing()
        case str():
            return FromBytes(stdin.encode())
        case bytes() | bytearray() | memoryview():
            return FromBytes(bytes(stdin))
    if not hasattr(stdin, "read"):
        raise UsageError(f"stdin of type {type(stdin).__name__}, expected bytes, str or a binary file")
    with contextlib.suppress(OSError, AttributeError):
        # A buffered file may hold bytes that its descriptor no longer has; only a raw one is read by descriptor.
        if isinstance(stdin, io.RawIOBase):
            return FromDescriptor(stdin.fileno())
    return FromFile(stdin)
