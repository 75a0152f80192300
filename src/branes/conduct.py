"""What an owner does about everything that a brane does: pure, one object a brane, one list of actions a step.

A driver moves bytes, waits, and carries out actions in order; that is all it does, so that the synchronous and the
asyncio driver cannot differ in what they enforce. The rules:

- a refusal is recorded before the brane is answered or killed (`Record` before `Send` or `Kill`);
- a refused system call means that layer 1 is broken: it is recorded, and the brane is killed, never answered;
- a limit that kills is recorded with its name;
- a guest that was refused memory may handle that. If it executes `unreachable` at any time after, it has given up, for
  that is how libraries abort when they get no memory: the call ends with the memory limit and not with the trap. Every
  other trap stays the trap that it is;
- whatever the reason, a brane that is told to die is dead to its caller: no event of it counts any more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from branes import errors
from branes.audit import Event
from branes.errors import Refusal
from branes.layers import process, wasi
from branes.limits import size_in_words
from branes.outcome import Completed, Denial, Died, Usage
from branes.session import (
    Asked,
    Broken,
    Denied,
    Exited,
    Filed,
    Limited,
    Output,
    Pull,
    Returned,
    Session,
    State,
    Trapped,
)
from branes.session import Event as BraneEvent
from branes.text import escape, escape_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

    from branes._kernel import Notification
    from branes.limits import Limits

_SIGKILL: Final = 9
_SIGSYS: Final = 31
_MEMORY_LIMIT: Final = "memory-limit"  # a trap of brane-worker's run.rs
_RESULT_LIMIT: Final = "result-limit"  # likewise
_UNREACHABLE: Final = "unreachable-code-reached"  # a trap of wasmtime's, and what becomes of every abort()
_OUT_OF_MEMORY: Final = 71  # cage::OUT_OF_MEMORY
_FILES: Final = "wasi:filesystem/types"  # in refusals of brane-worker's wasi/filesystem/call.rs
#: Bytes beyond the memory limit that a brane's own buffers may take before it counts as over.
HEADROOM: Final = 8 << 20
#: Bytes of the output limit that allow one piece more, however short it is: its way costs the owner as much.
PIECE: Final = 32
#: Pieces that any limit allows.
FREE_PIECES: Final = 1 << 20
#: Most calls whose records are held back.
MAX_CALLS: Final = 256


@dataclass(frozen=True, slots=True)
class Send:
    """Write to the brane's commands."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """Make these durable before the next action; give the number of the last record to `Conduct.recorded`."""

    events: tuple[Event, ...]
    denial: Denial | None = None


@dataclass(frozen=True, slots=True)
class Emit:
    """Hand output to the caller."""

    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Want:
    """Get input, at most so many bytes, and give it to `Conduct.input`."""

    most: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Kill the brane; `Conduct.died` says what comes of the call."""


@dataclass(frozen=True, slots=True)
class Done:
    """The call is over: it returned `value`."""

    value: Any


@dataclass(frozen=True, slots=True)
class Run:
    """Call the tool `name`, off the thread that watches the brane; what comes of it is for `Conduct.tool_returned`."""

    name: str
    arguments: bytes


Action = Send | Record | Emit | Want | Kill | Done | Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call of a tool.

    Attributes:
        data: JSON text: the value, or an error with its type and message.
        failed: the type of that error; "" for a value.
    """

    data: bytes
    failed: str = ""


class Conduct:
    """The owner's side of one brane."""

    def __init__(self, session: Session, run: str, plan: str, limits: Limits) -> None:
        self.session = session
        self.run = run
        self.plan = plan
        self.limits = limits
        self.denials: list[Denial] = []
        self.refusals = 0
        self.output = self.pieces = 0
        #: Why the brane is to die, once it is.
        self.fate: errors.BranesError | None = None
        self._exit: int | None = None
        self._returned: int | None = None
        self._starved = False
        self._denials_before = 0
        #: How the owner ended it, if it did without anybody's fault.
        self._ended = ""
        self._calls: list[Event] = []
        self._tool = ""
        self._tools_called = 0

    # -- what happens -----------------------------------------------------------------------------------------------

    def received(self, data: bytes) -> list[Action]:
        """The brane wrote `data`."""
        actions: list[Action] = []
        for event in self.session.feed(data):
            if self.fate is not None:
                break
            actions += self._on(event)
        return actions

    def notified(self, notification: Notification, name: str) -> list[Action]:
        """A system call of the brane, called `name`, met the filter."""
        tried = {
            "syscall": name,
            "number": notification.number,
            "args": [f"{arg:#x}" for arg in notification.args],
            "arch": process.arch_name(notification.arch),
        }
        denial = Denial(layer=process.LAYER, rule="seccomp", tried=name, seq=0)
        record = self._record(self.event(process.LAYER, "seccomp.denied", tried, {"killed": True}), denial)
        # Whatever it dies of, the attempt is in the log.
        return self._condemn(record, self._escaped("seccomp", name)) or [record]

    def timed_out(self) -> list[Action]:
        """The time of a call is up."""
        return self._over(
            "time",
            f"{self.limits.timeout:g} s",
            errors.DeadlineExceeded(
                f"killed after {self.limits.timeout:g} s", limit="time", hint="give it more: --timeout, or timeout="
            ),
        )

    def grown(self, size: int) -> list[Action]:
        """The brane's data segments are `size` bytes larger than at birth."""
        if size <= self.limits.memory + HEADROOM or self.fate is not None:
            return []
        return self._over("memory", f"{size} bytes", self._memory_error())

    def input(self, data: bytes, *, eof: bool) -> list[Action]:
        """Input for the guest."""
        return [Send(self.session.stdin(data, eof=eof))]

    def tool_returned(self, answer: Answer) -> list[Action]:
        """The tool that was called last has come to its end. Nothing follows if the brane did before."""
        if self.fate is not None:
            return []
        tried = {"tool": self._tool, "result": _digest(answer.data)}
        done = {"failed": answer.failed} if answer.failed else {}
        self._calls.append(self.event("host", "tool.returned", tried, done))
        return [*self._many_calls(), Send(self.session.answered(answer.data, failed=bool(answer.failed)))]

    def sensor_lost(self) -> list[Action]:
        """The listener is gone: nobody would see a refused system call."""
        record = self._record(self.event(process.LAYER, "sensor.lost", {}, {"killed": True}))
        return self._condemn(record, errors.HostFault("the seccomp listener is gone; the brane was killed"))

    def cancelled(self) -> list[Action]:
        """The caller does not want it any more."""
        if self.fate is None:
            self._ended = "cancelled"
        record = self._record(self.event("host", "run.cancelled", {}, {"killed": True}))
        return self._condemn(record, errors.HostFault("the run was cancelled"))

    def closed(self) -> None:
        """The owner is about to kill it, because nothing more is wanted of it."""
        self._ended = self._ended or "closed"

    def recorded(self, record: Record, seq: int) -> None:
        """`record` is durable; its last event has number `seq`."""
        if record.denial is not None:
            self.denials.append(replace(record.denial, seq=seq))

    def called(self, export: str, asked: str) -> None:
        """A call of `export` begins; `asked` is the digest of its arguments. Recorded with whatever comes next."""
        self._returned, self._denials_before = None, len(self.denials)
        self._calls.append(self.event("host", "call.started", {"export": export, "asked": asked}, {}))

    def note(self, name: str, tried: Mapping[str, object], done: Mapping[str, object]) -> None:
        """The owner did something about the brane's files. Recorded with whatever comes next, at the latest its end."""
        self._calls.append(self.event("host", name, tried, done))

    def take_calls(self) -> tuple[Event, ...]:
        """The calls that are not recorded yet, which the caller now records."""
        calls, self._calls = self._calls, []
        return tuple(calls)

    def died(self, died: Died) -> list[Action]:
        """The brane is dead; what is left to record. Afterwards `fate` or `exit_code` says what came of it."""
        actions: list[Action] = []
        wanted = self._ended and died.signal == _SIGKILL
        if died.signal == _SIGSYS:
            # Whatever it said before, and whatever it was to die of: the attempt is in the log.
            actions += self._foreign()
        elif self.fate is None and not wanted and (self._exit is None or self.session.stays):
            actions += self._unexplained(died)
        how = {"code": died.code, "signal": died.signal}
        done = {"process": how, "usage": _used(died), "outcome": self._outcome(), "refused": len(self.denials)}
        code = {} if self.code is None else {"exit_code": self.code}
        return [*actions, self._record(self.event("host", "run.ended", {}, done | code))]

    # -- what comes of it -------------------------------------------------------------------------------------------

    @property
    def exit_code(self) -> int | None:
        """The guest's own exit code, if it exited."""
        return self._exit

    @property
    def code(self) -> int | None:
        """The exit code of the last call, if it had one: the guest exited, or the call returned its code."""
        return self._returned if self._exit is None else self._exit

    def completed(self, code: int, stdout: bytes, stderr: bytes, usage: Usage) -> Completed:
        """The outcome of the last call as callers get it."""
        denials = tuple(self.denials[self._denials_before :])
        return Completed(exit_code=code, stdout=stdout, stderr=stderr, usage=usage, denials=denials, run=self.run)

    def event(self, layer: str, name: str, tried: Mapping[str, object], done: Mapping[str, object]) -> Event:
        """An audit event of this brane."""
        return Event(run=self.run, plan=self.plan, layer=layer, event=name, tried=tried, done=done)

    def _record(self, event: Event, denial: Denial | None = None) -> Record:
        return Record((*self.take_calls(), event), denial)

    def _many_calls(self) -> list[Action]:
        """Calls are recorded with whatever comes next; when there are many, they do not wait for it."""
        if len(self._calls) < MAX_CALLS:
            return []
        return [Record(self.take_calls())]

    # -- steps ------------------------------------------------------------------------------------------------------

    def _on(self, event: BraneEvent) -> list[Action]:  # noqa: C901, PLR0911 -- one arm for each kind of event
        match event:
            case Output(stream, data):
                return self._count_output(stream, data)
            case Pull(most):
                return [Want(most)]
            case Denied():
                return self._deny(event)
            case Limited(limit, asked):
                self._starved = True
                done = {"refused": True, "limit": self.limits.memory}
                record = self._record(self.event(wasi.LAYER, f"limit.{limit}", {"asked": asked}, done))
                return [record, Send(self.session.recorded())]
            case Returned(value):
                self._returned = value if self.session.request.gives_code else None
                return [*self._many_calls(), Done(value)]
            case Exited(code):
                self._exit = code
                # One that stays does not die of it: the call is over.
                return [Done(None)] if self.session.stays else []
            case Asked(name, arguments):
                return self._call_tool(name, arguments)
            case Filed():
                return [*self._many_calls(), Done(event)]
            case Trapped():
                return self._trap(event)
            case Broken(reason):
                record = self._record(self.event("host", "protocol.broken", {"reason": reason}, {"killed": True}))
                return self._condemn(record, errors.HostFault(f"the brane broke the protocol: {reason}"))

    def _count_output(self, stream: int, data: bytes) -> list[Action]:
        self.output += len(data)
        self.pieces += 1
        too_many = self.pieces > FREE_PIECES + self.limits.output // PIECE
        if too_many or self.output > self.limits.output:
            of = f" in {self.pieces} pieces" if too_many else ""
            error = errors.LimitExceeded(
                f"killed at the output limit of {size_in_words(self.limits.output)}{of}"
                if too_many
                else f"killed after {size_in_words(self.limits.output)} of output",
                limit="output",
                hint="give it more: --output, or output=",
            )
            return self._over("output", f"{self.output} bytes{of}", error)
        return [Emit(stream, data)]

    def _deny(self, event: Denied) -> list[Action]:
        self.refusals += 1
        tried = {"interface": event.interface, "function": event.function, "arguments": event.tried}
        shown = f"{event.interface} {event.function} {event.tried}".strip()
        # A denied interface comes with its version, as the program imports it; files are refused one by one.
        rule = "file-denied" if event.interface == _FILES else "interface-denied"
        denial = Denial(layer=wasi.LAYER, rule=rule, tried=shown, seq=0)
        killed = self.refusals >= self.limits.refusals
        record = self._record(self.event(wasi.LAYER, "wasi.denied", tried, {"killed": killed}), denial)
        if killed:
            error = errors.LimitExceeded(
                f"killed after {self.refusals} refused calls",
                limit="refusals",
                hint=f"it went on trying; `brane audit tail --run {self.run}` shows what, and the number is fixed",
            )
            return self._condemn(record, error)
        return [record, Send(self.session.recorded())]

    def _call_tool(self, name: str, arguments: bytes) -> list[Action]:
        self._tool = name
        self._tools_called += 1
        granted = self._tools_called <= self.limits.calls
        tried = {"tool": name, "arguments": _digest(arguments)}
        done = {"granted": True} if granted else {"granted": False, "killed": True}
        record = self._record(self.event(wasi.LAYER, "tool.called", tried, done))
        if granted:
            return [record, Run(name, arguments)]
        error = errors.LimitExceeded(
            f"killed after {self.limits.calls} calls of tools",
            limit="calls",
            hint="open another one; the number is fixed",
        )
        return self._condemn(record, error)

    def _trap(self, event: Trapped) -> list[Action]:
        if event.kind == _MEMORY_LIMIT:
            return self._over("memory", event.detail, self._memory_error())
        if event.kind == _RESULT_LIMIT:
            return self._over("result", event.detail, _result_error(event.detail))
        tried = {"trap": event.kind, "detail": event.detail, "backtrace": event.backtrace}
        gave_up = self._starved and event.kind == _UNREACHABLE
        done = {"ended": True, "limit": "memory"} if gave_up else {"ended": True}
        record = self._record(self.event(wasi.LAYER, "wasm.trap", tried, done))
        if gave_up:
            return self._condemn(record, self._memory_error("the guest gave up"))
        message = f"the guest trapped: {escape(event.detail)}"
        return self._condemn(record, errors.Trapped(message, trap=event.kind, backtrace=escape_lines(event.backtrace)))

    def _over(self, limit: str, asked: str, error: errors.LimitExceeded) -> list[Action]:
        record = self._record(self.event("process", f"limit.{limit}", {"used": asked}, {"killed": True}))
        return self._condemn(record, error)

    def _condemn(self, record: Record, error: errors.BranesError) -> list[Action]:
        """Record, then kill; the first fate stays."""
        if self.fate is not None:
            return []
        self.fate = error
        self.session.state = State.ENDED
        return [record, Kill()]

    def _unexplained(self, died: Died) -> list[Action]:
        """A death that no event announced."""
        if died.code == _OUT_OF_MEMORY:
            self.fate = self._memory_error()
            return [self._record(self.event("process", "limit.memory", {}, {"killed": True}))]
        what = f"signal {died.signal}" if died.signal else f"exit code {died.code}"
        self.fate = errors.HostFault(f"the brane died of {what} without a word")
        return []

    def _foreign(self) -> list[Action]:
        """The kernel killed it for a system call of a foreign architecture, or an x32 number."""
        self.fate = self.fate or self._escaped("architecture", "a system call of a foreign architecture")
        denial = Denial(layer=process.LAYER, rule="architecture", tried="foreign architecture", seq=0)
        tried = {"syscall": "of a foreign architecture"}
        return [self._record(self.event(process.LAYER, "seccomp.denied", tried, {"killed": True}), denial)]

    def _escaped(self, rule: str, item: str) -> errors.Escaped:
        return errors.Escaped(
            f"the brane tried {item}, which its filter does not allow, and was killed",
            refusals=(Refusal(layer=process.LAYER, rule=rule, item=item),),
        )

    def _memory_error(self, what: str = "killed") -> errors.LimitExceeded:
        return errors.LimitExceeded(
            f"{what} at the memory limit of {size_in_words(self.limits.memory)}",
            limit="memory",
            hint="give it more: --memory, or memory=",
        )

    def _outcome(self) -> str:
        if self._ended == "cancelled":
            return self._ended
        if self.fate is not None:
            return self.fate.kind
        return "exited" if self._exit is not None else self._ended


def _result_error(detail: str) -> errors.LimitExceeded:
    return errors.LimitExceeded(
        f"killed because of the size of its result: {escape(detail)}",
        limit="result",
        hint="return less at once; the bound is fixed",
    )


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _used(died: Died) -> dict[str, object]:
    if died.user is None or died.system is None:
        return {}
    return {"user": f"{died.user:.6f}", "system": f"{died.system:.6f}", "max_rss": died.max_rss}
