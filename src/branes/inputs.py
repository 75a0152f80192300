"""Where a guest's standard input comes from. It is waited for beside the guest, by descriptor.

So a guest that prints and a caller that has nothing to say yet do not block each other, and time limits hold meanwhile.
A file object that has no descriptor and may wait in `read` is read by a thread, which stays behind if it never returns.
"""

from __future__ import annotations

import contextlib
import io
import os
import stat
import sys
import threading
from dataclasses import dataclass
from typing import IO, Final

from branes import _kernel
from branes.drive import Input, Nothing
from branes.errors import HostFault, UsageError
from branes.manifest import check_text
from branes.wire import MAX_INPUT

Stdin = None | bytes | str | IO[bytes]

_EXPECTED: Final = "expected bytes, str or a binary file"


class FromFile:
    """A binary file object whose `read` never waits."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def fileno(self) -> None:
        """Reading never waits."""

    def read(self, most: int) -> bytes:
        """The next of it."""
        return _checked(self._file.read(most))


class FromDescriptor:
    """A raw file object, read by its descriptor as far as there is something."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def fileno(self) -> int:
        """The descriptor."""
        return self._file.fileno()

    def read(self, most: int) -> bytes:
        """What is there; empty at the end."""
        return os.read(self.fileno(), most)


class FromBuffered:
    """A buffered reader of a descriptor: what it holds, then the descriptor."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._held = _held(file)

    def fileno(self) -> int | None:
        """The descriptor, once the reader holds nothing."""
        return None if self._held else self._file.fileno()

    def read(self, most: int) -> bytes:
        """What is there; empty at the end."""
        data = self._file.read1(most)
        self._held = max(0, self._held - len(data))
        return data


def _held(file: io.BufferedReader) -> int:
    """How many bytes a buffered reader holds. Nothing tells that but a look, which reads where it holds nothing."""
    if _kernel.readable([file.fileno()], 0):
        return len(file.peek())
    # The look must not wait, and O_NONBLOCK would be on every process that shares the open file. So the raw file says
    # for that long what io.RawIOBase has for this: None, nothing there now.
    with _looking:
        file.raw.readinto = lambda _buffer: None  # type: ignore[method-assign]
        try:
            return len(file.peek())
        finally:
            del file.raw.readinto


_looking: Final = threading.Lock()


@dataclass(slots=True)
class _Piece:
    """What a thread read, or why it could not; `ready` is readable once that is known."""

    ready: int
    data: bytes = b""
    error: Exception | None = None

    def __del__(self) -> None:
        os.close(self.ready)


class FromThread:
    """A binary file object whose `read` may wait: a thread reads a piece whenever one is wanted."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._piece: _Piece | None = None
        self._rest = b""

    def fileno(self) -> int | None:
        """A descriptor that is readable when the thread is done; asked for when input is wanted."""
        if self._rest:
            return None
        return self._under_way().ready

    def read(self, most: int) -> bytes:
        """The next of it; empty at the end."""
        if not self._rest:
            piece, self._piece = self._under_way(), None
            os.read(piece.ready, 1)
            if piece.error is not None:
                raise piece.error
            self._rest = piece.data
        data, self._rest = self._rest[:most], self._rest[most:]
        return data

    def _under_way(self) -> _Piece:
        if self._piece is None:
            ready, done = os.pipe()
            piece = _Piece(ready)
            try:
                threading.Thread(target=_fetch, args=(self._file, piece, done), daemon=True).start()
            except RuntimeError as error:
                os.close(done)
                raise HostFault(f"no thread can be started to read stdin: {error}") from error
            self._piece = piece
        return self._piece


def _fetch(file: IO[bytes], piece: _Piece, done: int) -> None:
    try:
        # read1 gives what there is; read would wait for all that was asked for.
        piece.data = _checked(getattr(file, "read1", file.read)(MAX_INPUT))
    except Exception as error:  # noqa: BLE001 -- whatever the caller's file raises, it is raised to the caller
        piece.error = error
    finally:
        os.close(done)


def _checked(data: object) -> bytes:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise UsageError(f"stdin gave {type(data).__name__}, {_EXPECTED}")
    return bytes(data)


def source(stdin: Stdin) -> Input:
    """The input that `stdin` means: nothing, bytes, text as UTF-8, or a binary file object.

    Raises:
        UsageError: it is none of these.
    """
    match stdin:
        case None:
            return Nothing()
        case str():
            check_text(stdin, "stdin")
            return FromFile(io.BytesIO(stdin.encode()))
        case bytes() | bytearray() | memoryview():
            return FromFile(io.BytesIO(stdin))
    if isinstance(stdin, io.TextIOBase) or not hasattr(stdin, "read"):
        raise UsageError(f"stdin of type {type(stdin).__name__}, {_EXPECTED}")
    return _of_file(stdin)


def _of_file(stdin: IO[bytes]) -> Input:
    if _never_waits(stdin):
        return FromFile(stdin)
    if _is_plain(stdin):
        return FromDescriptor(stdin)
    if type(stdin) is io.BufferedReader and _is_plain(stdin.raw):
        return FromBuffered(stdin)
    return FromThread(stdin)


def _is_plain(raw: object) -> bool:
    """Whether reading gives what the descriptor has, no more and nothing else; TLS, for one, keeps bytes of its own."""
    if type(raw) is io.FileIO:
        return True
    socket = sys.modules.get("socket")  # without it there is none
    return socket is not None and type(raw) is socket.SocketIO and type(vars(raw).get("_sock")) is socket.socket


def _descriptor(file: IO[bytes]) -> int | None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return file.fileno()
    return None


def _never_waits(file: IO[bytes]) -> bool:
    descriptor = _descriptor(file)
    if descriptor is None:
        return type(file) is io.BytesIO
    return stat.S_ISREG(os.fstat(descriptor).st_mode)
