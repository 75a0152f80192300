"""What an owner says to a template and to a brane before "go", and what comes back: one message at a time, in turn.

Every wait is bounded by `PATIENCE`. An answer that is not the expected one is an error with the step, the errno and the
setting to change; whoever asked decides what to end. The other side is `crates/cage`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from branes import _kernel, demands, wire
from branes.errors import BranesError, HostFault, MissingMechanism
from branes.jailed import close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

#: Seconds that each answer of a template or a brane may take before "go".
PATIENCE: Final = 60.0
_MAX_MESSAGE: Final = 192 << 10
_CLONE: Final = "clone user and pid namespace"


class TemplateRefused(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """The template will not do its job; `reasons` has one entry a reason. Callers turn it into what their user sees."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"the template refuses its job for {len(reasons)} reasons")
        self.reasons = tuple(reasons)


class NoAnswer(HostFault):
    """The template lives and says nothing: it may be stopped, and its next answer would be to an earlier question."""


class Cut(MissingMechanism):
    """The descriptors beside an answer did not fit under this process's limit; what was asked for may be done."""


class Control:
    """The owner's end of the control channel to a template."""

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def fileno(self) -> int:
        """Its descriptor."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close both ends."""
        self._socket.close()
        self.theirs.close()

    @property
    def has_word(self) -> bool:
        """Whether a message waits, or the other end is gone."""
        return bool(_kernel.readable([self.fileno()], 0))

    def send(self, kind: str, /, descriptors: Sequence[int] = (), **fields: object) -> None:
        """Send a message with descriptors beside it.

        Raises:
            HostFault: nobody hears it. MissingMechanism: because of a step that failed.
            OSError: the kernel refuses, and nothing was sent.
        """
        self._socket.settimeout(PATIENCE)
        try:
            socket.send_fds(self._socket, [wire.encode(kind, **fields)], descriptors)
        except ConnectionError:
            # What it died of was said before that.
            self.receive("an answer", 0)
        except TimeoutError as error:
            raise NoAnswer(f"the template does not listen to {kind}: {error}") from error

    def receive(self, kind: str, count: int) -> tuple[wire.Fields, tuple[int, ...]]:
        """The next message, which must be of `kind` with `count` descriptors beside it.

        Raises:
            NoAnswer: it does not come. HostFault: it is another, or the template is gone.
            TemplateRefused, MissingMechanism: it says that there will be none. Cut: its descriptors are lost.
        """
        data, descriptors, is_cut = self._next(kind, count)
        with contextlib.ExitStack() as on_error:
            on_error.callback(close, *descriptors)
            if not data:
                raise HostFault(f"the template died while its owner waited for {kind}", hint="run `brane doctor`")
            got, fields = _decoded(data, wire.FROM_TEMPLATE)
            if got != kind:
                raise _complaint(got, fields, kind)
            if is_cut:
                # The kernel drops descriptors that do not fit under the limit, and says so in no other way (unix(7)).
                raise refused(f"receive descriptors of {kind}", errno.EMFILE, os.strerror(errno.EMFILE), Cut)
            if len(descriptors) != count:
                raise HostFault(f"got {len(descriptors)} descriptors with {kind}, expected {count}")
            on_error.pop_all()
        return fields, tuple(descriptors)

    def _next(self, kind: str, count: int) -> tuple[bytes, list[int], bool]:
        self._socket.settimeout(PATIENCE)
        for is_last in (False, True):
            try:
                # One more than expected, so that too many are seen.
                received = socket.recv_fds(self._socket, _MAX_MESSAGE, count + 1, socket.MSG_CMSG_CLOEXEC)
            except TimeoutError as error:
                raise NoAnswer(f"the template does not answer while waiting for {kind}: {error}") from error
            except OSError as error:
                # A template that dies with something unread resets the channel, once; its last message comes then.
                if is_last or error.errno != errno.ECONNRESET:
                    raise HostFault(f"the template does not answer while waiting for {kind}: {error}") from error
            else:
                data, descriptors, flags, _ = received
                return data, descriptors, bool(flags & socket.MSG_CTRUNC)
        raise AssertionError  # pragma: no cover -- the second round returns or raises


class Talk:
    """Frames with a brane before "go", one at a time."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._events = events
        self._deframer = wire.Deframer()

    def say(self, kind: str) -> None:
        """Write a message without fields."""
        os.write(self._commands, wire.frame(wire.encode(kind)))

    def expect(self, kind: str) -> wire.Fields:
        """The next message, which must be of `kind`.

        Raises:
            HostFault: it is not, or does not come. MissingMechanism: because of a step that failed.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            if not _kernel.readable([self._events], deadline - time.monotonic()):
                raise HostFault(f"a brane does not answer while its owner waits for {kind}")
            data = os.read(self._events, 65536)
            if not data:
                raise HostFault(f"a brane died while its owner waited for {kind}")
            for payload in self._deframer.feed(data):
                got, fields = _decoded(payload, wire.FROM_SEALING)
                if got != kind:
                    raise _complaint(got, fields, kind)
                return fields


def _decoded(data: bytes, shapes: Mapping[str, Mapping[str, Callable[[Any], bool]]]) -> tuple[str, wire.Fields]:
    """A message of our own executables; one that is none is not a guest's doing, since no guest runs yet."""
    try:
        return wire.decode(data, shapes)
    except wire.WireError as error:
        message = f"the executables of this installation do not fit it: {error}"
        raise HostFault(message, hint="reinstall branes, or run `make build` in a checkout") from error


def _complaint(got: str, fields: wire.Fields, wanted: str) -> BranesError:
    if got == "refused":
        return TemplateRefused(fields["reasons"])
    if got == "failed":
        return refused(fields["step"], fields["errno"], fields["detail"])
    return HostFault(f"got message {got}, expected {wanted}")


def refused(step: str, code: int, detail: str, kind: type[MissingMechanism] = MissingMechanism) -> MissingMechanism:
    """The error that a refused step is: with its errno's name, and the setting to change as hint.

    Args:
        step: as docs/layers/2-process.md names it.
        code: errno, or 0 where there is none.
        detail: more, in words.
        kind: of error.
    """
    shown = detail.encode("unicode_escape").decode()
    name = f"{errno.errorcode.get(code, code)}: " if code else ""
    return kind(f"step {step!a} failed: {name}{shown}", hint=_hint(step, code))


@contextlib.contextmanager
def own_step(step: str) -> Iterator[None]:
    """A step of the owner itself: what is refused for want of a limit that can be raised is told as that.

    Raises:
        MissingMechanism: it was. OSError: it was refused for another reason.
    """
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        if not demands.way_out(step, code):
            raise
        raise refused(step, code, os.strerror(code)) from error


def _hint(step: str, code: int) -> str:
    known = demands.way_out(step, code)
    if known:
        return known
    if step == _CLONE:
        from branes.host import namespaces  # noqa: PLC0415 -- a look at settings, when something is wrong with them

        return namespaces.hint_here("user", code)
    return "run `brane doctor`"
