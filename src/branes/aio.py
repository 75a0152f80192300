"""`branes.run` and `branes.python` for asyncio: the same names, parameters and promises.

The conduct, and so all that is enforced, is that of the synchronous path. Here the loop waits for descriptors, and what
may block runs in a thread. A cancelled call kills its brane, and the cancellation and the brane's end are recorded
before `CancelledError` goes on: nothing is left behind. `on_stdout` and `on_stderr` may be coroutine functions: the
guest waits for them, its time goes on, and one that is under way when the guest is killed for that is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import select
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from branes import api, asking
from branes.brane import Brane
from branes.conduct import Action, Emit, Record
from branes.drive import Caller, Driver
from branes.errors import BranesError
from branes.jailed import LOOK
from branes.launching import ignore_progress, make_binding, not_a_command, prepare, prepare_guest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor
    from types import TracebackType

    from branes.asking import Call
    from branes.compiling import Progress
    from branes.launching import Prepared
    from branes.outcome import Completed
    from branes.plan import Binding

_T = TypeVar("_T")


@cache
def _short(_pid: int) -> Executor:
    """Threads of one process for records and ends. The loop's own may be busy with anything, and no kill waits that."""
    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="branes")


async def _to_the_end(function: Callable[..., _T], *args: object, executor: Executor | None = None) -> _T:
    """What `function` returns in a thread. Who is cancelled meanwhile waits for it first: it may hold a brane."""
    future = asyncio.get_running_loop().run_in_executor(executor, partial(function, *args))
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from future.exception()
    return future.result()


async def _soon(function: Callable[..., _T], *args: object) -> _T:
    return await _to_the_end(function, *args, executor=_short(os.getpid()))


class _Driver(Driver):
    """Drives one brane from an event loop."""

    async def drive(self, caller: Caller, seconds: float) -> None:
        """As `call`, but what is to be done about an exception is left to the caller."""
        self.begin(caller, seconds)
        while not self.over:
            await self._do(self.due())
            await self._wait(self.patience())
            await self._do(self.step(self.ready(0)))

    async def _wait(self, seconds: float) -> None:
        """Until something that is waited for is ready, or `seconds` are over."""
        loop = asyncio.get_running_loop()
        awake = asyncio.Event()
        with contextlib.ExitStack() as stack:
            for descriptor, events in self.interest().items():
                _watch(loop, stack, self._own(descriptor, stack), events, awake)
            stack.callback(loop.call_later(0 if self.source_is_ready else seconds, awake.set).cancel)
            await awake.wait()

    def _own(self, descriptor: int, stack: contextlib.ExitStack) -> int:
        """A descriptor that nobody else has a reader on: a loop knows one of each, and the caller's may be in use."""
        jailed = self.jailed
        if descriptor in (jailed.listener, jailed.events, jailed.status, jailed.commands):
            return descriptor
        copy = os.dup(descriptor)
        stack.callback(os.close, copy)
        return copy

    async def _do(self, actions: list[Action]) -> None:
        self._todo.extend(actions)
        while self._todo:
            match self._todo[0]:
                case Record() as record:
                    await _soon(self._record, record)
                case Emit(stream, data):
                    made = self.caller.emit(stream, data)
                    if inspect.isawaitable(made):
                        await self._emitted(asyncio.ensure_future(made))
                case action:
                    self.do(action)
            self._todo.popleft()

    async def _emitted(self, made: asyncio.Future[object]) -> None:
        """Wait for the caller's coroutine; it is cancelled once the brane is killed for its time or size."""
        is_in_time = True
        try:
            while is_in_time and not made.done():
                await asyncio.wait([made], timeout=LOOK)
                is_in_time = made.done() or await self._attend()
        except GeneratorExit:
            raise
        except BaseException:
            await _cancelled(made)
            raise
        if is_in_time:
            made.result()
        else:
            await _cancelled(made)

    async def _attend(self) -> bool:
        for action in self.meanwhile():
            if isinstance(action, Record):
                await _soon(self._record, action)
            else:
                self.do(action)
        return self.may_wait


async def _cancelled(made: asyncio.Future[object]) -> None:
    """Cancel it and wait for its end; what it raises on its way is the caller's own and goes on."""
    made.cancel()
    await asyncio.wait([made])
    if not made.cancelled():
        made.result()


def _watch(
    loop: asyncio.AbstractEventLoop, stack: contextlib.ExitStack, descriptor: int, events: int, awake: asyncio.Event
) -> None:
    """Set `awake` when `descriptor` is ready, as long as `stack` is not left."""
    is_writer = bool(events & select.POLLOUT)
    add, remove = (loop.add_writer, loop.remove_writer) if is_writer else (loop.add_reader, loop.remove_reader)
    try:
        add(descriptor, awake.set)
    except PermissionError:
        # What epoll(7) does not take, such as /dev/null, never has to be waited for.
        loop.call_soon(awake.set)
    else:
        stack.callback(remove, descriptor)


class _Brane(Brane):
    """One open brane, driven from an event loop."""

    _driven_by = _Driver
    _driver: _Driver

    async def call_async(self, call: Call) -> tuple[Any, Completed]:
        """As `call`; cancelled, it is closed."""
        with self._begin(call.export, call.arguments) as started:
            try:
                await _soon(self._record_spawn)
                await self._driver.drive(call.caller, self.conduct.limits.timeout)
            except GeneratorExit:
                # The loop is gone, and nobody resumes this.
                self._abandon()
                raise
            except BaseException:
                await _soon(self._abandon)
                raise
            if self._driver.died is not None:
                await _soon(self._end)
            return self._answer(call.output, started)


async def _open(prepared: Prepared, binding: Binding) -> _Brane:
    opened: list[_Brane] = []
    try:
        await _to_the_end(lambda: opened.append(_Brane(prepared, binding)))
    except asyncio.CancelledError:
        for brane in opened:
            await _soon(brane.close)
        raise
    return opened[0]


@contextlib.asynccontextmanager
async def _closing(brane: _Brane) -> AsyncIterator[None]:
    """Closes `brane` at the end, whatever that is."""
    try:
        yield
    except GeneratorExit:
        # The loop is gone, and nobody resumes this.
        brane.close()
        raise
    except BaseException:
        await _soon(brane.close)
        raise
    await _soon(brane.close)


def _from_thread(progress: Progress) -> Progress:
    """`progress`, called in the loop."""
    loop = asyncio.get_running_loop()

    def report(done: int, total: int) -> None:
        loop.call_soon_threadsafe(progress, done, total)

    return report if progress is not ignore_progress else progress


@asking.asked_by(asking.run)
async def run(asked: asking.Program) -> Completed:
    """Run a program."""
    prepared = await asyncio.to_thread(prepare, asked.app, asked.manifest, _from_thread(asked.progress))
    not_a_command(prepared)
    brane = await _open(prepared, make_binding([prepared.name, *asked.args], asked.manifest))
    async with _closing(brane):
        return (await brane.call_async(asked.call))[1]


class Python(api.Interpreter[_Brane]):
    """An interpreter in a brane; fresh with each `async with`."""

    async def __aenter__(self) -> Self:
        self._refuse_open()
        manifest = self._asked.manifest
        if self._prepared is None:
            self._prepared = await asyncio.to_thread(prepare_guest, manifest, _from_thread(self._asked.progress))
        brane = await _open(self._prepared, make_binding(["python"], manifest))
        if self._brane is not None:
            # Another task was faster.
            await _soon(brane.close)
            self._refuse_open()
        self._hold(brane)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await self.close()
        else:
            # What goes wrong at the end must not hide what went wrong before.
            with contextlib.suppress(BranesError):
                await self.close()

    async def close(self) -> None:
        """End the brane. `async with` does it.

        Raises:
            Escaped: it tried, between two calls, what its filter does not allow.
        """
        brane, self._brane = self._brane, None
        if brane is not None:
            await _soon(brane.finish)

    @asking.method_asked_by(asking.code)
    async def run(self, call: asking.Call) -> Completed:
        """Execute code."""
        brane = self._open_brane()
        value, completed = await brane.call_async(call)
        return api.with_code(completed, value, brane.conduct)

    @asking.method_asked_by(asking.expression)
    async def eval(self, call: asking.Call) -> Any:
        """Evaluate an expression."""
        return api.value_of(*await self._open_brane().call_async(call))


@asking.asked_by(asking.python)
def python(asked: asking.Interpreter) -> Python:
    """Make an interpreter."""
    return Python(asked)
