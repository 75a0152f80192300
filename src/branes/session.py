"""Stages 4 and 5 from the owner's side: bytes in, events and bytes out. Nothing here reads, writes or waits.

A `Session` is one brane from "go" to its end. A driver moves bytes between it and the brane's pipes, and does what the
events ask: make a record durable before it answers a denial, kill on `Broken`. Everything from the brane is hostile: an
event out of turn, a frame too large, an echo that does not match the "go" is `Broken`, after which the session is over.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from branes import filing, wire
from branes.calling import COMMAND

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.calling import Request
    from branes.plan import Binding


class State(Enum):
    """Where a session is."""

    PARKED = "parked"
    STARTING = "starting"
    IDLE = "idle"
    CALLING = "calling"
    FILING = "filing"
    STAYING = "staying"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Output:
    """The guest wrote `data` to standard output (1) or error (2)."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Pull:
    """The guest wants at most `most` bytes of input; answer with `stdin`."""

    most: int


@dataclass(frozen=True, slots=True)
class Denied:
    """Layer 1 refused a call; answer with `recorded` once that is durable."""

    interface: str
    function: str
    tried: str


@dataclass(frozen=True, slots=True)
class Limited:
    """A limit refused what the guest may handle; answer with `recorded` once that is durable."""

    limit: str
    asked: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The guest calls the tool `name`; answer with `answered`. `arguments` should be JSON text."""

    name: str
    arguments: bytes


@dataclass(frozen=True, slots=True)
class Filed:
    """The answer to a command about files: its kind, and its fields."""

    kind: str
    fields: wire.Fields


@dataclass(frozen=True, slots=True)
class Returned:
    """The call returned."""

    value: Any


@dataclass(frozen=True, slots=True)
class Exited:
    """The guest called exit."""

    code: int


@dataclass(frozen=True, slots=True)
class Trapped:
    """The guest trapped."""

    kind: str
    detail: str
    backtrace: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The brane did what no sound brane does; it must be killed."""

    reason: str


Event = Output | Pull | Denied | Limited | Asked | Filed | Returned | Exited | Trapped | Broken


def framed_file(command: wire.Fields) -> bytes:
    """A command about files, as it is sent.

    Raises:
        WireError: it is too large for a frame.
    """
    return wire.frame(wire.encode("file", command=command))


class Session:
    """One brane, from "go" to its end."""

    def __init__(self) -> None:
        self.state = State.PARKED
        self._deframer = wire.Deframer()
        self._go_digest = b""
        self._pulled = 0
        self._owed = False
        self._limited = False
        #: The call that was sent last.
        self.request: Request = COMMAND
        self._tools: frozenset[str] = frozenset()
        self._asked = False
        self._stays = False
        #: What the brane does once it has started; the command about its files, and where that leads back to.
        self._begins, self._back = State.CALLING, State.IDLE
        self._command: wire.Fields = {}

    def go(self, binding: Binding, memory: int, late: int = 0) -> bytes:
        """What to send first: all that is bound late, of which files are an image of `late` bytes."""
        payload = wire.encode(
            "go",
            args=list(binding.args),
            env=[list(pair) for pair in binding.env.items()],
            memory=memory,
            late=late,
            tools=list(binding.tools),
            stays=binding.stays,
        )
        self._stays, self._tools = binding.stays, frozenset(binding.tools)
        framed = wire.frame(payload)
        self._go_digest = hashlib.sha256(payload).digest()
        self._enter(State.PARKED, State.STARTING)
        return framed

    def call(self, request: Request) -> bytes:
        """What to send to call an export. It may be sent right after "go".

        Raises:
            WireError: it is too large for a frame; nothing has happened.
        """
        framed = request.framed
        self.called(request)
        return framed

    def called(self, request: Request) -> None:
        """A call is sent; what it returns is read as `request` says."""
        self.request = request
        if self.state is not State.STARTING:
            self._enter(State.IDLE, State.CALLING)

    def filed(self, command: wire.Fields) -> None:
        """A command about files is sent, made by `framed_file`; right after "go", between calls or after the end."""
        self._command = command
        if self.state is State.STARTING:
            self._begins, self._back = State.FILING, State.IDLE
            return
        self._back = State.STAYING if self.state is State.STAYING else State.IDLE
        self._enter(self._back, State.FILING)

    @property
    def stays(self) -> bool:
        """Whether the guest has exited and its brane is there for its files."""
        return self.state is State.STAYING or (self.state is State.FILING and self._back is State.STAYING)

    def stdin(self, data: bytes, *, eof: bool) -> bytes:
        """The answer to a `Pull`, of at most as many bytes as it asked for."""
        if not self._pulled or len(data) > self._pulled:
            raise RuntimeError("input that nobody asked for")
        self._pulled = 0
        return wire.frame(wire.encode("stdin", data=data, eof=eof))

    def recorded(self) -> bytes:
        """The answer to `Denied` and `Limited`."""
        if not self._owed:
            raise RuntimeError("no record is waited for")
        self._owed = False
        return wire.frame(wire.encode("recorded"))

    def answered(self, data: bytes, *, failed: bool) -> bytes:
        """The answer to `Asked`: JSON text of the value, or of how the tool failed.

        Raises:
            WireError: it is too large for a frame; nothing has happened.
        """
        if not self._asked:
            raise RuntimeError("no tool was called")
        framed = wire.frame(wire.encode("answered", result={"Err" if failed else "Ok": data}))
        self._asked = False
        return framed

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take what the brane wrote; the events in it."""
        try:
            for payload in self._deframer.feed(data):
                kind, fields = wire.decode(payload, wire.FROM_BRANE)
                event = self._step(kind, fields)
                if event is not None:
                    yield event
        except wire.WireError as error:
            self.state = State.ENDED
            yield Broken(str(error))

    def _step(self, kind: str, fields: wire.Fields) -> Event | None:
        if kind == "started":
            self._started(fields["go"])
            return None
        if self.state is State.FILING:
            return self._during_file(kind, fields)
        if self.state is not State.CALLING or self._owed or self._asked:
            raise wire.WireError(f"event {kind} out of turn")
        return self._during_call(kind, fields)

    def _started(self, echo: bytes) -> None:
        if self.state is not State.STARTING or echo != self._go_digest:
            raise wire.WireError("the brane started with other bindings than it was given")
        self.state = self._begins

    def _during_file(self, kind: str, fields: wire.Fields) -> Event:
        if kind == "failed":
            self.state = State.ENDED
            return Broken(f"step {fields['step']} failed: {fields['detail']}")
        if kind != "file":
            raise wire.WireError(f"event {kind} out of turn")
        ((answer, content),) = fields["answer"].items()
        if not filing.fits(self._command, answer, content):
            raise wire.WireError(f"answer {answer} is none to what was asked")
        self.state = self._back
        return Filed(answer, content)

    def _during_call(self, kind: str, fields: wire.Fields) -> Event:  # noqa: PLR0911 -- one arm for each kind
        match kind:
            case "output":
                return Output(fields["stream"], fields["data"])
            case "pull":
                return self._pull(fields["max"])
            case "denied":
                self._owed = True
                return Denied(fields["interface"], fields["function"], fields["tried"])
            case "limited":
                return self._limit(fields["limit"], fields["asked"])
            case "asked":
                return self._ask(fields["name"], fields["arguments"])
            case "returned":
                value = self.request.read(fields["value"])
                self.state = State.IDLE
                return Returned(value)
            case "file":
                raise wire.WireError("event file out of turn")
        self.state = State.ENDED
        match kind:
            case "exited":
                self.state = State.STAYING if self._stays else State.ENDED
                return Exited(fields["code"])
            case "trapped":
                return Trapped(fields["kind"], fields["detail"], fields["backtrace"])
        return Broken(f"step {fields['step']} failed: {fields['detail']}")

    def _pull(self, most: int) -> Pull:
        if self._pulled:
            raise wire.WireError("a second request for input before the first was answered")
        self._pulled = min(most, wire.MAX_INPUT)
        return Pull(self._pulled)

    def _limit(self, limit: str, asked: int) -> Limited:
        if self._limited:
            raise wire.WireError("a second report of a limit, which is reported once")
        self._owed = self._limited = True
        return Limited(limit, asked)

    def _ask(self, name: str, arguments: bytes) -> Asked:
        if name not in self._tools:
            raise wire.WireError("a call of a tool that was not granted")
        self._asked = True
        return Asked(name, arguments)

    def _enter(self, expected: State, state: State) -> None:
        if self.state is not expected:
            raise RuntimeError(f"session is {self.state.value}, expected {expected.value}")
        self.state = state
