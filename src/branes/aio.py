"""`branes.run` and `branes.python` for asyncio: the same names, parameters and promises.

The conduct, and so all that is enforced, is that of the synchronous path. Here the loop waits for descriptors, and what
may block runs in a thread. A cancelled call kills its brane, and the cancellation and the brane's end are recorded
before `CancelledError` goes on: nothing is left behind. `on_stdout` and `on_stderr` may be coroutine functions; the
guest waits for them, and its time goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import os
import select
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from branes import api, inputs
from branes.brane import Brane, Collected
from branes.conduct import Action, Emit, Record
from branes.drive import Caller, Driver
from branes.errors import BranesError, UsageError
from branes.launching import ignore_progress, make_binding, not_a_command, prepare, prepare_guest
from branes.limits import Limits
from branes.manifest import words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from concurrent.futures import Executor
    from types import TracebackType

    from branes.api import Sink
    from branes.compiling import Progress
    from branes.inputs import Stdin
    from branes.launching import App, Prepared
    from branes.manifest import Manifest
    from branes.outcome import Completed
    from branes.plan import Binding

_DEFAULTS: Final = Limits()
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
                add, remove = (
                    (loop.add_writer, loop.remove_writer)
                    if events & select.POLLOUT
                    else (loop.add_reader, loop.remove_reader)
                )
                try:
                    add(descriptor, awake.set)
                except PermissionError:
                    # What epoll(7) does not take, such as /dev/null, never has to be waited for.
                    loop.call_soon(awake.set)
                else:
                    stack.callback(remove, descriptor)
            stack.callback(loop.call_later(0 if self.source_is_ready else seconds, awake.set).cancel)
            await awake.wait()

    async def _do(self, actions: list[Action]) -> None:
        self._todo.extend(actions)
        while self._todo:
            match self._todo[0]:
                case Record() as record:
                    await _soon(self._record, record)
                case Emit(stream, data):
                    made = self.caller.emit(stream, data)
                    if inspect.isawaitable(made):
                        await made
                case action:
                    self.do(action)
            self._todo.popleft()


class _Brane(Brane):
    """One open brane, driven from an event loop."""

    _driven_by = _Driver
    _driver: _Driver

    async def call_async(
        self, export: str, args: list[dict[str, object]], caller: Caller, output: Collected
    ) -> tuple[Any, Completed]:
        """As `call`; cancelled, it is closed."""
        with self._begin(export, args) as started:
            try:
                await _soon(self._record_spawn)
                await self._driver.drive(caller, self.conduct.limits.timeout)
            except GeneratorExit:
                # The loop is gone, and nobody resumes this.
                self._abandon()
                raise
            except BaseException:
                await _soon(self._abandon)
                raise
            if self._driver.died is not None:
                await _soon(self._end)
            return self._answer(output, started)

    def _abandon(self) -> None:
        try:
            self._driver.abandon()
        finally:
            self._end()


async def _open(prepared: Prepared, binding: Binding) -> _Brane:
    opened: list[_Brane] = []
    try:
        await _to_the_end(lambda: opened.append(_Brane(prepared, binding)))
    except asyncio.CancelledError:
        for brane in opened:
            await _soon(brane.close)
        raise
    return opened[0]


def _from_thread(progress: Progress) -> Progress:
    """`progress`, called in the loop."""
    loop = asyncio.get_running_loop()

    def report(done: int, total: int) -> None:
        loop.call_soon_threadsafe(progress, done, total)

    return report if progress is not ignore_progress else progress


async def run(
    app: App,
    args: Sequence[str] = (),
    *,
    stdin: Stdin = None,
    env: Mapping[str, str] | None = None,
    preset: str = "command",
    grants: Iterable[str] = (),
    denials: Iterable[str] = (),
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,  # noqa: ASYNC109 -- at its end the brane is killed, and that is recorded
    output: str | int = _DEFAULTS.output,
    on_stdout: Sink | None = None,
    on_stderr: Sink | None = None,
    progress: Progress = ignore_progress,
) -> Completed:
    """As `branes.run`."""
    manifest = api.make_manifest(preset, grants, denials, env, memory=memory, timeout=timeout, output=output)
    source = inputs.source(stdin)
    prepared = await asyncio.to_thread(prepare, app, manifest, _from_thread(progress))
    not_a_command(prepared)
    collected = Collected(on_stdout, on_stderr)
    brane = await _open(prepared, make_binding([prepared.name, *words(args, "the arguments")], manifest))
    _, completed = await brane.call_async("wasi:cli/run", [], Caller(source=source, emit=collected.emit), collected)
    await _soon(brane.close)
    return completed


def python(
    *,
    env: Mapping[str, str] | None = None,
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    progress: Progress = ignore_progress,
) -> Python:
    """As `branes.python`, for `async with`."""
    return Python(api.make_manifest("python", (), (), env, memory=memory, timeout=timeout, output=output), progress)


class Python:
    """An interpreter in a brane; fresh with each `async with`."""

    def __init__(self, manifest: Manifest, progress: Progress = ignore_progress) -> None:
        self._manifest = manifest
        self._progress = progress
        self._prepared: Prepared | None = None
        self._brane: _Brane | None = None

    async def __aenter__(self) -> Self:
        if self._brane is not None:
            raise UsageError("this Python is open already")
        if self._prepared is None:
            self._prepared = await asyncio.to_thread(prepare_guest, self._manifest, _from_thread(self._progress))
        self._brane = await _open(self._prepared, make_binding(["python"], self._manifest))
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

    async def run(
        self,
        code: str,
        *,
        stdin: Stdin = None,
        filename: str = "<string>",
        args: Sequence[str] = (),
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
    ) -> Completed:
        """As `branes.Python.run`."""
        collected, brane = Collected(on_stdout, on_stderr), self._open()
        words = api.run_arguments(code, filename, args)
        caller = Caller(source=inputs.source(stdin), emit=collected.emit)
        value, completed = await brane.call_async("run", words, caller, collected)
        return api.with_code(completed, value, brane.conduct)

    async def eval(self, expression: str, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None) -> Any:
        """As `branes.Python.eval`."""
        collected = Collected(on_stdout, on_stderr)
        words = api.eval_arguments(expression)
        caller = Caller(source=inputs.source(None), emit=collected.emit)
        value, completed = await self._open().call_async("eval", words, caller, collected)
        return api.value_of(value, completed)

    def _open(self) -> _Brane:
        if self._brane is None:
            raise UsageError("this Python is not open", hint="use it in an `async with` statement")
        return self._brane


_TWINS: Final = {run: api.run, python: api.python, Python.run: api.Python.run, Python.eval: api.Python.eval}
for _ours, _twin in _TWINS.items():
    _ours.__doc__ = _twin.__doc__
