"""`branes.run`, `branes.python` and `branes.open` for asyncio: the same names, parameters and promises.

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

from branes import api, asking, filework, tooling
from branes.app import request, value_of
from branes.brane import Brane
from branes.conduct import Action, Answer, Emit, Record, Run
from branes.drive import Caller, Driver
from branes.errors import BranesError
from branes.jailed import LOOK
from branes.launching import ignore_progress, make_binding, not_a_command, prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor
    from pathlib import Path
    from types import TracebackType

    from branes.asking import Call
    from branes.compiling import Progress
    from branes.filing import FileInfo
    from branes.launching import Prepared
    from branes.outcome import Completed
    from branes.plan import Binding

_T = TypeVar("_T")


@cache
def _short(_pid: int) -> Executor:
    """Threads of one process for records and ends. The loop's own may be busy with anything, and no kill waits that."""
    return ThreadPoolExecutor(max_workers=16, thread_name_prefix="branes")


async def _to_the_end(
    function: Callable[..., _T],
    *args: object,
    executor: Executor | None = None,
    hurry: Callable[[], object] = lambda: None,
) -> _T:
    """What `function` returns in a thread. Who is cancelled meanwhile waits for it first: it may hold a brane.

    Args:
        function: what to call.
        args: its arguments.
        executor: whose thread.
        hurry: called when the caller is cancelled, to have it end sooner.
    """
    future = asyncio.get_running_loop().run_in_executor(executor, partial(function, *args))
    cancelled = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
            hurry()
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
        try:
            while not self.over:
                await self._do(self.due())
                await self._wait(self.patience())
                await self._do(self.step(self.ready(0)))
        finally:
            self._drop_tool()

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
                case Run(name, arguments) if tooling.is_async(self.tools[name]):
                    self._await_tool(self.tools[name], arguments)
                case action:
                    self.do(action)
            self._todo.popleft()

    def _await_tool(self, tool: tooling.Tool, arguments: bytes) -> None:
        """Call a coroutine function, as a task of the loop; it is cancelled when its brane has ended."""
        self._tool = running = tooling.Running()
        task = asyncio.ensure_future(_tool_ended(tool, arguments))
        # What it came to is given on even where the task was cancelled, by whomever.
        task.add_done_callback(lambda done: running.finish(_of_task(done)))
        running.on_drop = partial(_cancel, task)

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


async def _tool_ended(tool: tooling.Tool, arguments: bytes) -> Answer | tooling.Raised:
    """What a coroutine function comes to. Large texts are read and written in a thread, not in the loop."""
    words = await _soon(tooling.parsed, arguments)
    if isinstance(words, Answer):
        return words
    args, named = words
    try:
        value = await tool(*args, **named)
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 -- whatever it is, the guest is told
        return tooling.failed(error)
    except BaseException as error:  # noqa: BLE001 -- and this the owner; it is not to end the loop
        return tooling.Raised(error=error)
    return await _soon(tooling.returned, value)


def _of_task(done: asyncio.Future[Answer | tooling.Raised]) -> Answer | tooling.Raised:
    error = asyncio.CancelledError() if done.cancelled() else done.exception()
    return done.result() if error is None else tooling.failed(error)


def _cancel(task: asyncio.Future[Any]) -> None:
    # Where the loop is gone, so is the task.
    with contextlib.suppress(RuntimeError):
        task.cancel()


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
        with self._begin(call.request) as started:
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

    async def on_files(self, job: filework.OnFiles[_T]) -> _T:
        """Do something about its files, in a thread, for that waits for files of the host; cancelled, it is killed."""
        return await _to_the_end(job.do, self, hurry=self.kill)


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
    binding = make_binding([prepared.name, *asked.args], asked.manifest, stays=bool(asked.take))
    brane = await _open(prepared, binding)
    async with _closing(brane):
        completed = (await brane.call_async(asked.call))[1]
        if asked.take:
            await brane.on_files(filework.OnFiles(do=lambda brane: api.take(brane, asked, completed)))
    return completed


class _Opened(api.Interpreter[_Brane]):
    """What an `async with` statement opens: a brane, fresh with each."""

    async def __aenter__(self) -> Self:
        self._refuse_open()
        manifest = self._asked.manifest
        if self._prepared is None:
            self._prepared = await asyncio.to_thread(self._prepare, _from_thread(self._asked.progress))
        brane = await _open(self._prepared, make_binding([self._prepared.name], manifest, stays=True))
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

    @asking.method_asked_by(filework.reading)
    async def read(self, job: filework.OnFiles[bytes]) -> bytes:
        """Read a file."""
        return await self._open_brane(exited=True).on_files(job)

    @asking.method_asked_by(filework.writing)
    async def write(self, job: filework.OnFiles[None]) -> None:
        """Write a file."""
        await self._open_brane(exited=True).on_files(job)

    @asking.method_asked_by(filework.listing)
    async def files(self, job: filework.OnFiles[tuple[FileInfo, ...]]) -> tuple[FileInfo, ...]:
        """List files."""
        return await self._open_brane(exited=True).on_files(job)

    @asking.method_asked_by(filework.saving)
    async def save(self, job: filework.OnFiles[Path | None]) -> Path | None:
        """Save a file."""
        return await self._open_brane(exited=True).on_files(job)


class Python(_Opened):
    """An interpreter in a brane; fresh with each `async with`."""

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


class App(api.Exports[_Brane], _Opened):
    """A component in a brane, whose functions are called with values of their types; fresh with each `async with`."""

    @asking.method_asked_by(asking.call)
    async def call(self, asked: asking.Typed) -> Any:
        """Call a function."""
        brane = self._open_brane()
        made = request(brane.component.functions, asked.name, asked.args)
        value, self.last = await brane.call_async(asking.Call(request=made, caller=asked.caller, output=asked.output))
        return value_of(made.function, value, self.last, brane.conduct.exit_code)


@asking.asked_by(asking.python)
def python(asked: asking.Interpreter) -> Python:
    """Make an interpreter."""
    return Python(asked)


@asking.asked_by(asking.component)
def open(asked: asking.Interpreter) -> App:  # noqa: A001 -- what it does
    """Open a component."""
    return App(asked)
