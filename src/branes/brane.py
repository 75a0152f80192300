"""One open brane, driven by a synchronous caller. `branes.aio` is the same for asyncio.

A `Brane` holds what `branes.launching` made, runs one call after the other in it, and gives everything back at its end:
the process is dead and its end recorded when `close` returns, or, during a call, when the call does.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, cast

from branes import runtime as runtimes
from branes.drive import Caller, Driver
from branes.errors import BranesError, Escaped, UsageError
from branes.launching import Launched, Prepared, launch, release
from branes.session import framed_file
from branes.tooling import is_async
from branes.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from branes.calling import Request
    from branes.conduct import Conduct
    from branes.filing import Work
    from branes.outcome import Completed, Died
    from branes.plan import Binding
    from branes.session import Filed
    from branes.wire import Fields

_Value = TypeVar("_Value")


class Collected:
    """Output of a call: kept, or handed on as it comes."""

    def __init__(
        self, on_stdout: Callable[[bytes], object] | None = None, on_stderr: Callable[[bytes], object] | None = None
    ) -> None:
        for name, sink in (("on_stdout", on_stdout), ("on_stderr", on_stderr)):
            if sink is not None and not callable(sink):
                raise UsageError(f"{name} is of type {type(sink).__name__}, expected a function")
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._given = [sink for sink in (on_stdout, on_stderr) if sink is not None]
        self._sinks = {1: on_stdout or self.stdout.extend, 2: on_stderr or self.stderr.extend}

    def emit(self, stream: int, data: bytes) -> object:
        """Take a piece; what the caller's function made of it."""
        return self._sinks[stream](data)

    def plain_only(self) -> None:
        """Refuse what needs an event loop, and would never run without one.

        Raises:
            UsageError: a sink is a coroutine function.
        """
        if any(map(is_async, self._given)):
            raise UsageError("a coroutine function is no callback without an event loop", hint="use branes.aio")


class Brane:
    """One open brane, driven by one thread or task at a time."""

    _driven_by: ClassVar[type[Driver]] = Driver

    def __init__(self, prepared: Prepared, binding: Binding) -> None:
        self._launched = launch(prepared, binding)
        self.component = prepared.artifact.component
        self.mounts = prepared.plan.mounts
        self._recorded = False
        self._closed = False
        self._turn = threading.Lock()
        self._ending = threading.Lock()
        try:
            self._driver = self._driven_by(self._launched.jailed, self._launched.conduct, runtimes.runtime().log)
            self._driver.tools = prepared.tools
            _open.add(self)
            self._driver.send(self._launched.opening)
        except BaseException:
            _open.discard(self)
            release(self._launched)
            raise

    @property
    def conduct(self) -> Conduct:
        """What is known of it."""
        return self._launched.conduct

    @property
    def died(self) -> Died | None:
        """How its process ended, once it has."""
        return self._driver.died

    def call(self, request: Request, caller: Caller, output: Collected) -> tuple[Any, Completed]:
        """Call an export; what it returned, and what it came to.

        Raises:
            UsageError: it is in another call, has ended, or belongs to another process.
            BranesError: the brane was killed, trapped or died; it is closed.
        """
        output.plain_only()
        with self._begin(request) as started:
            self._record_spawn()
            self._driver.call(caller, self.conduct.limits.timeout)
            if self._driver.died is not None:
                self._end()
            return self._answer(output, started)

    @property
    def most_read(self) -> int:
        """Bytes that no file in it can have more of: what it was given, and its own memory."""
        return self.conduct.limits.memory + self._launched.jailed.images

    def converse(self, work: Work[_Value]) -> _Value:
        """Carry on a conversation about its files; what that comes to. An error of the conversation's own is no end.

        Raises:
            UsageError: it is in a call, has ended, or belongs to another process.
            BranesError: the brane was killed or died; it is closed.
        """
        self._launched.template.check_owner()
        taken = False
        try:
            taken = self._turn.acquire(blocking=False)
            self._require_free(taken=taken)
            with contextlib.closing(work):
                command = next(work)
                while True:
                    command = work.send(self._ask(command))
        except StopIteration as stop:
            return cast("_Value", stop.value)
        finally:
            if taken:
                self._turn.release()

    def _ask(self, command: Fields) -> Filed:
        try:
            framed = framed_file(command)
            self._record_spawn()
            self.conduct.session.filed(command)
            answer = self._driver.ask_file(framed, self.conduct.limits.timeout)
        except BaseException:
            self._abandon()
            raise
        if answer is None:
            self._end()
            raise self.conduct.fate or UsageError("the brane was closed while it was asked about its files")
        return answer

    @contextlib.contextmanager
    def _begin(self, request: Request) -> Iterator[float]:
        """Take the turn for as long as a call takes, and send it; the time at which it began.

        Whatever is raised once the brane may have heard of the call, an interrupt too, ends it: nobody drives it.
        """
        self._launched.template.check_owner()
        taken = begun = False
        try:
            taken = self._turn.acquire(blocking=False)
            framed = self._asked(request, taken=taken)
            begun = True
            started = time.monotonic()
            self.conduct.session.called(request)
            self.conduct.called(request.name, request.digest)
            self._driver.send(framed)
            yield started
        except BaseException:
            if begun:
                self._abandon()
            raise
        finally:
            if taken:
                self._turn.release()

    def _asked(self, request: Request, *, taken: bool) -> bytes:
        """A call as it is sent; nothing has happened yet.

        Raises:
            UsageError: it cannot be sent, or this brane is not free for it.
        """
        self._require_free(taken=taken)
        if self.conduct.exit_code is not None:
            raise UsageError("this brane's guest has exited", hint="open another one; its files can be read until then")
        try:
            return request.framed
        except WireError as error:
            raise UsageError(f"what is sent to the brane is too large: {error}") from error

    def _require_free(self, *, taken: bool) -> None:
        if not taken:
            raise UsageError("this brane is in a call", hint="one call at a time; open a brane for each thread or task")
        if self._closed or self.conduct.fate is not None:
            raise UsageError("this brane has ended", hint="open another one")

    def _abandon(self) -> None:
        """End it in the middle of a call, which is recorded as cancelled."""
        if not self._closed:
            try:
                self._driver.abandon()
            finally:
                self._end()

    def _answer(self, output: Collected, started: float) -> tuple[Any, Completed]:
        done = self._driver.result
        completed = outcome(self._launched, self._driver, output, started)
        if done is None and self.conduct.exit_code is None:
            raise UsageError("the brane was closed during the call")
        return (done.value if done else None), completed

    def _record_spawn(self) -> None:
        """Make the spawn record durable; the guest runs meanwhile, but none of its results is read before."""
        if not self._recorded:
            runtimes.runtime().log.append(self._launched.spawned, *self.conduct.take_calls())
            self._recorded = True

    def close(self) -> None:
        """Kill it, record its end, release all that was held of it; during a call, the call does the latter two."""
        self._launched.template.check_owner()
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()
            return
        self.kill()

    def kill(self) -> None:
        """Kill it in the middle of what another thread does with it, which then ends."""
        with self._ending:
            if not self._closed:
                self.conduct.closed()
                self._launched.jailed.kill()

    def finish(self) -> None:
        """Close it; what it tried while nobody drove it, and is found only now, is raised.

        Raises:
            Escaped: it tried a system call that its filter does not allow.
        """
        known = self.conduct.fate
        self.close()
        if known is None and isinstance(self.conduct.fate, Escaped):
            raise self.conduct.fate

    def _end(self) -> None:
        with self._ending:
            if self._closed:
                return
            self._closed = True
        try:
            self._record_spawn()
            self._driver.end()
        finally:
            _open.discard(self)
            release(self._launched)


#: The branes of this process that nobody has closed yet.
_open: Final[set[Brane]] = set()


def _close_open() -> None:
    """At the end of the process: what was done, and tried, in branes that nobody closed is recorded."""
    for brane in list(_open):
        with contextlib.suppress(BranesError):
            brane.close()


# Registered after the runtime's own, which ends the templates, and so called before it.
atexit.register(_close_open)


def outcome(launched: Launched, driver: Driver, output: Collected, started: float) -> Completed:
    """What a call came to; raises what the brane's end means, with what there was until then.

    Raises:
        BranesError: the brane was killed, trapped or died.
    """
    conduct = launched.conduct
    usage = driver.usage(time.monotonic() - started)
    code = conduct.fate.exit_code if conduct.fate is not None else conduct.code or 0
    completed = conduct.completed(code, bytes(output.stdout), bytes(output.stderr), usage)
    if conduct.fate is not None:
        conduct.fate.completed = completed
        raise conduct.fate
    return completed
