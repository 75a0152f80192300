"""Moves bytes between a session and its brane, and carries out what the conduct decides: the synchronous driver.

`Pump` is what both drivers share: which descriptors to wait on, and what one look at them leads to. `Driver` waits with
poll(2), without a thread and without an event loop; the asyncio driver is `branes.aio`. Nothing they write can block:
commands that the brane does not read are kept until it does.
"""

from __future__ import annotations

import math
import os
import select
import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from branes import _kernel, tooling
from branes import usage as usages
from branes.conduct import Action, Conduct, Done, Emit, Kill, Record, Run, Send, Want
from branes.errors import HostFault
from branes.jailed import DEATH, LOOK, Jailed, growth, read_status
from branes.layers import process
from branes.outcome import Died, Usage, Used, usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from branes.audit import AuditLog
    from branes.session import Filed

_READ: Final = 65536
_BAD: Final = select.POLLNVAL | select.POLLERR


class Input(Protocol):
    """Where a guest's input comes from."""

    def fileno(self) -> int | None:
        """A descriptor to wait on before `read`, or None if reading never waits."""

    def read(self, most: int) -> bytes:
        """At most `most` bytes; empty at the end."""


class Nothing:
    """No input."""

    def fileno(self) -> None:
        """Reading never waits."""

    def read(self, most: int) -> bytes:  # noqa: ARG002 -- as the protocol has it
        """The end."""
        return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a call needs of its caller: input, and where output goes."""

    source: Input
    emit: Callable[[int, bytes], object]


NOBODY: Final = Caller(source=Nothing(), emit=lambda _stream, _data: None)


class Pump:
    """One brane's descriptors and the conduct behind them."""

    def __init__(self, jailed: Jailed, conduct: Conduct) -> None:
        self.jailed = jailed
        self.conduct = conduct
        self.died: Died | None = None
        self.result: Done | None = None
        self.caller = NOBODY
        #: What the guest may call, by name; and the call that is under way.
        self.tools: Mapping[str, tooling.Tool] = {}
        self._tool: tooling.Running | None = None
        self._outgoing = bytearray()
        self._wanted = 0
        self._events_open = self._listens = True
        self._killed = self._template_killed = False
        self._deadline = self._next_look = 0.0
        self._used_before: Used | None = Used()
        os.set_blocking(jailed.commands, False)

    @property
    def over(self) -> bool:
        """Whether the call has returned or the brane is dead."""
        return self.result is not None or self.died is not None

    def send(self, data: bytes) -> None:
        """Send `data` as far as the brane takes it now; the rest follows while a call is driven."""
        self._outgoing += data
        self._flush()

    def begin(self, caller: Caller, timeout: float) -> None:
        """A call begins, which may take `timeout` seconds."""
        self.caller, self.result = caller, None
        now = time.monotonic()
        self._deadline, self._next_look = now + timeout, now + LOOK

    def due(self) -> list[Action]:
        """What to do because of the time.

        Raises:
            HostFault: a brane that was killed did not die in time.
        """
        now = time.monotonic()
        actions: list[Action] = []
        if now >= self._next_look:
            self._next_look = now + LOOK
            actions += self.look()
        if now >= self._deadline:
            if self._killed:
                self._give_up_template()
            else:
                self._deadline = math.inf
                actions += self.conduct.timed_out()
        return actions

    def _give_up_template(self) -> None:
        """The brane was killed, and its template does not say so: it may be stopped. Its own end says it for both."""
        if self._template_killed:
            raise HostFault("a killed brane does not die")
        self.jailed.kill_template()
        self._template_killed, self._deadline = True, time.monotonic() + DEATH

    def patience(self) -> float:
        """Seconds until something is due."""
        return max(0.0, min(self._deadline, self._next_look) - time.monotonic())

    def interest(self) -> dict[int, int]:
        """Descriptors to wait on, each with poll(2)'s events."""
        jailed = self.jailed
        # The status always: a fork of this process may hold the other end of the events open, so that they never end.
        wanted = {jailed.status: select.POLLIN}
        if self._events_open:
            wanted[jailed.events] = select.POLLIN
            # Once the brane is gone the listener only says so, over and over.
            if self._listens:
                wanted[jailed.listener] = select.POLLIN
        if self._outgoing:
            wanted[jailed.commands] = select.POLLOUT
        source = self.caller.source.fileno() if self._wanted else None
        if source is not None:
            wanted[source] = select.POLLIN
        if self._tool is not None:
            wanted[self._tool.fileno()] = select.POLLIN
        return wanted

    def step(self, ready: Mapping[int, int]) -> list[Action]:
        """What to do about descriptors that are ready. The listener comes first: an attempt outweighs all else."""
        jailed = self.jailed
        actions: list[Action] = []
        if jailed.listener in ready:
            actions += self._on_listener(ready[jailed.listener])
        if jailed.commands in ready:
            self._flush()
        if jailed.events in ready:
            actions += self._on_events()
        elif jailed.status in ready:
            # What it wrote before it died may have come after the events were found empty.
            actions += self._on_events() if self._has_events() else self._on_status()
        if self._wanted:
            source = self.caller.source.fileno()
            if source is None or source in ready:
                actions += self._feed()
        if self._tool is not None and self._tool.fileno() in ready:
            actions += self._on_tool(self._tool)
        return actions

    def _has_events(self) -> bool:
        return self._events_open and bool(_kernel.readable([self.jailed.events], 0))

    def ready(self, seconds: float) -> dict[int, int]:
        """Which of `interest` are ready, after `seconds` at most; at once where input never waits."""
        poller = select.poll()
        for descriptor, events in self.interest().items():
            poller.register(descriptor, events)
        return dict(poller.poll(0 if self.source_is_ready else seconds * 1000))

    @property
    def source_is_ready(self) -> bool:
        """Whether input is wanted that does not have to be waited for."""
        return self._wanted > 0 and self.caller.source.fileno() is None

    def look(self) -> list[Action]:
        """What to do about the brane's size."""
        try:
            return self.conduct.grown(growth(self.jailed))
        except (OSError, HostFault):
            # It is dying; its end says more.
            return []

    def usage(self, wall: float) -> Usage:
        """What has been used since this was last asked, or since the brane was forked, in `wall` seconds."""
        used = usages.used(self.jailed) if self.died is None else None
        usage = usage_of(wall, self.died or used, self._used_before)
        self._used_before = used
        return usage

    def do(self, action: Action) -> None:
        """Carry out an action, other than a record."""
        match action:
            case Send(data):
                self.send(data)
            case Emit(stream, data):
                self.caller.emit(stream, data)
            case Want(most):
                self._wanted = most
            case Kill():
                self.jailed.kill()
                self._killed, self._deadline = True, time.monotonic() + DEATH
            case Done():
                self.result = action
            case Run(name, arguments):
                self._tool = tooling.start(self.tools[name], arguments)

    def last_attempts(self) -> list[Action]:
        """What is still to be recorded of a brane that nobody drives any more: attempts that wait for an answer.

        One look, for it may go on talking until it is killed; a full pipe fits.
        """
        ready = _kernel.readable([self.jailed.listener], 0).values()
        actions = [action for events in ready for action in self._on_listener(events)]
        if self._has_events():
            actions += [action for action in self._on_events() if isinstance(action, Record)]
        return actions

    @property
    def may_wait(self) -> bool:
        """Whether a caller's function may go on waiting: there is time left, and nothing has killed the brane."""
        return math.isfinite(self._deadline) and not self._killed

    def meanwhile(self) -> list[Action]:
        """What cannot wait while a caller's function does: attempts first, then time and size."""
        ready = _kernel.readable([self.jailed.listener], 0).values()
        return [*(action for events in ready for action in self._on_listener(events)), *self.due()]

    def _on_listener(self, ready: int) -> list[Action]:
        if ready & _BAD:
            return self.conduct.sensor_lost()
        self._listens = not ready & select.POLLHUP
        notification = _kernel.receive_notification(self.jailed.listener) if ready & select.POLLIN else None
        if notification is None:
            return []
        return self.conduct.notified(notification, process.syscall_name(notification.arch, notification.number))

    def _on_events(self) -> list[Action]:
        data = os.read(self.jailed.events, _READ)
        self._events_open = bool(data)
        return self.conduct.received(data) if data else []

    def _on_tool(self, tool: tooling.Running) -> list[Action]:
        self._tool = None
        answer = tool.take()
        return self.conduct.tool_returned(answer) if answer is not None else []

    def _drop_tool(self) -> None:
        """Nobody waits for the tool that is under way, if one is: its brane has ended."""
        tool, self._tool = self._tool, None
        if tool is not None:
            tool.drop()

    def _on_status(self) -> list[Action]:
        try:
            self.died = read_status(self.jailed.status)
        except HostFault as error:
            # Its template died, and the kernel kills what is left of a pid namespace then (pid_namespaces(7)).
            self.died = Died(code=0, signal=signal.SIGKILL)
            self.conduct.fate = self.conduct.fate or error
        return self.conduct.died(self.died)

    def _feed(self) -> list[Action]:
        try:
            data = self.caller.source.read(self._wanted)
        except BlockingIOError:
            # Another reader of the same file took it; this one still waits.
            return []
        self._wanted = 0
        return self.conduct.input(data, eof=not data)

    def _flush(self) -> None:
        try:
            while self._outgoing:
                del self._outgoing[: os.write(self.jailed.commands, self._outgoing)]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            # It is dead; its end says why.
            self._outgoing.clear()


class Driver(Pump):
    """Drives one brane through its calls, from one thread at a time."""

    def __init__(self, jailed: Jailed, conduct: Conduct, log: AuditLog) -> None:
        super().__init__(jailed, conduct)
        self._log = log
        self._todo: deque[Action] = deque()

    def call(self, caller: Caller, timeout: float) -> None:
        """Drive until the call returns (`result`) or the brane is dead (`died`).

        Raises:
            AuditError: a record could not be made durable; the brane was killed.
        """
        self.begin(caller, timeout)
        try:
            while not self.over:
                self._carry_out(self.due())
                self._carry_out(self.step(self.ready(self.patience())))
        except BaseException:
            self.abandon()
            raise
        finally:
            self.caller = NOBODY
            self._drop_tool()

    def ask_file(self, framed: bytes, timeout: float) -> Filed | None:
        """Send a command about files; its answer, or None if the brane died of it.

        Raises:
            AuditError: as `call`.
        """
        # What a call has asked for and not got is for the next one.
        wanted, self._wanted = self._wanted, 0
        self.send(framed)
        self.call(NOBODY, timeout)
        self._wanted = wanted
        return self.result.value if self.result is not None else None

    def abandon(self) -> None:
        """Kill a brane whose caller does not wait any longer, and record that, after what was to be recorded anyway."""
        try:
            records: list[Action] = [action for action in self._todo if isinstance(action, Record)]
            self._todo.clear()
            self._carry_out(records)
            self._carry_out(self.last_attempts())
            self._carry_out(self.conduct.cancelled())
        finally:
            self.jailed.kill()

    def end(self) -> None:
        """Kill the brane if it lives, and record how it ended; what was still refused is recorded first."""
        if self.died is None:
            self._carry_out(self.last_attempts())
            self.conduct.closed()
            self.jailed.kill()
            while not _kernel.readable([self.jailed.status], DEATH):
                self._give_up_template()
            self._carry_out(self._on_status())

    def attend(self) -> bool:
        """For a caller's function that waits, to be called every `LOOK` seconds; False once it need not wait."""
        for action in self.meanwhile():
            if isinstance(action, Record):
                self._record(action)
            else:
                self.do(action)
        return self.may_wait

    def _carry_out(self, actions: list[Action]) -> None:
        self._todo.extend(actions)
        while self._todo:
            action = self._todo[0]
            if isinstance(action, Record):
                self._record(action)
            else:
                self.do(action)
            self._todo.popleft()

    def _record(self, record: Record) -> None:
        self.conduct.recorded(record, self._log.append(*record.events)[-1].seq)
