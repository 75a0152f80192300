"""The three descriptors that a command was given. Bytes go out as they are; a terminal gets what it would obey escaped.

A guest's output goes to its descriptor at once, without a buffer. Whoever reads it may be slow or gone: a write waits
no longer than the run's deadline, and a closed descriptor ends the run (`OutputClosedError`).
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import select
import time
from typing import Final

from branes.errors import DeadlineExceeded, HostFault, InputError
from branes.text import escape_lines

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
#: What a pipe that is ready takes without waiting (pipe(7), PIPE_BUF).
_PIECE: Final = 4096
_BROKEN: Final = frozenset({errno.EPIPE, errno.EBADF})


class OutputClosedError(Exception):
    """Nobody reads what would be written."""


def ensure_open() -> None:
    """Occupy the standard descriptors that are closed, so that no file of ours gets their numbers.

    Input is then empty; what is written to a closed standard output fails as it would have, and errors go nowhere.
    """
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            flags = os.O_WRONLY if descriptor == STDERR else os.O_RDONLY
            os.open("/dev/null", flags)  # the lowest number that is free, which is this one
            os.set_inheritable(descriptor, True)  # noqa: FBT003 -- it takes no keyword


class StandardInput:
    """The command's own standard input, for a guest."""

    def fileno(self) -> int:
        """The descriptor."""
        return STDIN

    def read(self, most: int) -> bytes:
        """What is there; empty at the end.

        Raises:
            BlockingIOError: another reader of the same file took it. InputError: it cannot be read, as a directory.
        """
        try:
            return os.read(STDIN, most)
        except BlockingIOError:
            raise
        except OSError as error:
            reason = (error.strerror or "unknown error").lower()
            raise InputError(f"standard input cannot be read: {reason}") from error


class Writer:
    """Writes a guest's output to a descriptor.

    Args:
        descriptor: where to.
        seconds: how long the guest may take in all, from now on.
    """

    def __init__(self, descriptor: int, seconds: float) -> None:
        self._descriptor = descriptor
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._decoder = decoder if os.isatty(descriptor) else None

    def write(self, data: bytes, *, final: bool = False) -> None:
        """Write all of `data`; on a terminal, with what it would obey spelled out.

        Raises:
            OutputClosedError: nobody reads it. DeadlineExceeded: somebody does, too slowly. HostFault: no space.
        """
        if self._decoder is not None:
            data = escape_lines(self._decoder.decode(data, final)).encode()
        if not write_all(self._descriptor, data, self._deadline):
            raise DeadlineExceeded(
                f"killed after {self._seconds:g} s, in which its output was not read",
                limit="time",
                hint="read it, or give it more time: --timeout",
            )

    def finish(self) -> None:
        """Write what was held back as half a character."""
        self.write(b"", final=True)


def write_all(descriptor: int, data: bytes, deadline: float | None = None) -> bool:
    """Write `data`; False if that could not be done by `deadline`, of `time.monotonic`.

    Raises:
        OutputClosedError: nobody reads it. HostFault: no space, or another reason.
    """
    view = memoryview(data)
    while view:
        if not _wait(descriptor, deadline):
            return False
        try:
            view = view[os.write(descriptor, view[:_PIECE]) :]
        except BlockingIOError:
            continue
        except OSError as error:
            if error.errno in _BROKEN:
                raise OutputClosedError from error
            reason = (error.strerror or "unknown error").lower()
            raise HostFault(f"output cannot be written: {reason}") from error
    return True


def _wait(descriptor: int, deadline: float | None) -> bool:
    left = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(left))


def put(text: str) -> None:
    """Write a command's own text, of safe characters, to standard output.

    Raises:
        OutputClosedError: nobody reads it. HostFault: it cannot be written.
    """
    write_all(STDOUT, text.encode())


def say(text: str) -> None:
    """Write a command's own text, of safe characters, to standard error; there is no way to complain if that fails."""
    with contextlib.suppress(OutputClosedError, HostFault):
        write_all(STDERR, text.encode())


def coloured(descriptor: int) -> bool:
    """Whether colours would be seen there, and are wanted (no-color.org)."""
    return os.isatty(descriptor) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
