"""The three descriptors that a command was given. Bytes go out as they are; a terminal gets what it would obey escaped.

A guest's output goes to its descriptor at once, without a buffer. Whoever reads it may be slow or gone: a write waits
in slices, between which the run is looked after, and a closed descriptor ends the run (`OutputClosedError`).
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import select
from typing import TYPE_CHECKING, Final

from branes.cli import signals
from branes.errors import HostFault, InputError
from branes.text import escape_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

STDIN: Final = 0
STDOUT: Final = 1
STDERR: Final = 2
#: What a pipe that is ready takes without waiting (pipe(7), PIPE_BUF).
_PIECE: Final = 4096
#: Seconds between two looks at a run whose output waits.
LOOK: Final = 0.05
#: Looks at a reader that does not read, once a signal asked for the end: five seconds.
_LAST_LOOKS: Final = 100
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
        attend: called again and again while nobody reads; whether to go on waiting.

    Attributes:
        dropped: whether some of it was not written, because `attend` said so. Nothing follows a gap.
    """

    def __init__(self, descriptor: int, attend: Callable[[], bool]) -> None:
        self.dropped = False
        self._descriptor = descriptor
        self._attend = attend
        decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._decoder = decoder if os.isatty(descriptor) else None

    def write(self, data: bytes) -> None:
        """Write `data`; on a terminal, with what it would obey spelled out.

        Raises:
            OutputClosedError: nobody reads it. HostFault: no space.
        """
        if self._decoder is not None:
            data = escape_lines(self._decoder.decode(data)).encode()
        self.dropped = self.dropped or not write_all(self._descriptor, data, self._attend)

    def finish(self) -> None:
        """Write what was held back as half a character; whoever did not read until now is not waited for."""
        if self._decoder is not None and not self.dropped:
            rest = escape_lines(self._decoder.decode(b"", final=True))
            write_all(self._descriptor, rest.encode(), lambda: False)


def write_all(descriptor: int, data: bytes, attend: Callable[[], bool] = lambda: True) -> bool:
    """Write `data`; False if that did not go on and `attend`, asked every `LOOK` seconds, said to give up.

    Raises:
        OutputClosedError: nobody reads it. HostFault: no space, or another reason.
    """
    view = memoryview(data)
    while view:
        if not _ready(descriptor, LOOK):
            if not attend():
                return False
            continue
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


def _ready(descriptor: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLOUT)
    return bool(poller.poll(seconds * 1000))


def put(text: str) -> None:
    """Write a command's own text, of safe characters, to standard output.

    Raises:
        OutputClosedError: nobody reads it. HostFault: it cannot be written.
    """
    put_pieces([text])


def put_pieces(pieces: Iterable[str]) -> None:
    """Write a command's own text, of safe characters, to standard output, no more of it in memory than a piece.

    Raises:
        OutputClosedError: nobody reads it. HostFault: it cannot be written.
    """
    patience = _patience()
    for piece in pieces:
        if not write_all(STDOUT, piece.encode(), patience):
            return


def say(text: str) -> None:
    """Write a command's own text, of safe characters, to standard error; there is no way to complain if that fails."""
    with contextlib.suppress(OutputClosedError, HostFault):
        write_all(STDERR, text.encode(), _patience())


def _patience() -> Callable[[], bool]:
    """Waits for ever, but not once a signal asked for the end: then a reader has a few seconds."""
    left = [_LAST_LOOKS]

    def attend() -> bool:
        left[0] -= bool(signals.caught())
        return left[0] > 0

    return attend


def coloured(descriptor: int) -> bool:
    """Whether colours would be seen there, and are wanted (no-color.org)."""
    return os.isatty(descriptor) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
