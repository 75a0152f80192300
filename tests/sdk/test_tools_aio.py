"""Tools under asyncio: plain functions in threads, coroutine functions in the loop, and nothing left of either."""

from __future__ import annotations

import asyncio
import threading
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import pytest

from branes import aio, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager

    from branes.audit import Record

    Records = Callable[[str], list[Record]]
    Dies = Callable[[int], AbstractContextManager[None]]

HANG = "import tools; tools.hang()"
TRY = "import tools\ntry: print(tools.bad())\nexcept tools.ToolError as e: print(e)"


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test in a loop of its own that complains about everything."""

    @wraps(test)
    def run(*args: Any, **words: Any) -> None:
        asyncio.run(test(*args, **words), debug=True)

    return run


def run_of(py: aio.Python) -> str:
    assert py._brane
    return py._brane.conduct.run


def pid_of(py: aio.Python) -> int:
    assert py._brane
    return py._brane._launched.jailed.pid


class Forever:
    """A coroutine function that begins and does not return; it says when it is cancelled."""

    def __init__(self) -> None:
        self.begun, self.cancelled = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self.cancelled.set()


@in_loop
async def test_plain_functions_run_in_threads_and_coroutine_functions_in_the_loop() -> None:
    loop, here = asyncio.get_running_loop(), threading.get_ident()

    def plain(x: int) -> list[Any]:
        return [x, threading.get_ident() == here]

    async def awaited(x: int, *, k: int = 0) -> list[Any]:
        await asyncio.to_thread(int)
        return [x, k, asyncio.get_running_loop() is loop, threading.get_ident() == here]

    given = {"plain": plain, "awaited": awaited, "partial": partial(awaited, 7)}
    async with aio.python(tools=given) as py:
        await py.run("import tools")
        assert await py.eval("tools.plain(1)") == [1, False]
        assert await py.eval("tools.awaited(2, k=3)") == [2, 3, True, True]
        assert await py.eval("tools.partial()") == [7, 0, True, True]


@in_loop
async def test_the_loop_goes_on_while_tools_run() -> None:
    go, gone = threading.Event(), asyncio.Event()

    def wait() -> bool:
        return go.wait(60)

    async def wait_too() -> bool:
        return await asyncio.wait_for(gone.wait(), 60)

    async with aio.python(tools={"wait": wait, "wait_too": wait_too}) as py:
        call = asyncio.create_task(py.run("import tools; print(tools.wait(), tools.wait_too())"))
        asyncio.get_running_loop().call_later(0.2, go.set)
        asyncio.get_running_loop().call_later(0.4, gone.set)
        assert (await call).stdout == b"True True\n"


@in_loop
async def test_many_branes_call_tools_at_the_same_time() -> None:
    async def echo(x: int) -> int:
        await asyncio.to_thread(int)
        return x

    async def one(number: int) -> Any:
        async with aio.python(tools={"echo": echo}) as py:
            await py.run("import tools")
            return await py.eval(f"[tools.echo({number} + i) for i in range(20)]")

    found = await asyncio.gather(*(one(number) for number in range(8)))
    assert found == [[number + i for i in range(20)] for number in range(8)]


@pytest.mark.parametrize(
    ("error", "told"),
    [(KeyError("k"), b"KeyError: 'k'\n"), (asyncio.CancelledError("gone"), b"CancelledError: gone\n")],
    ids=repr,
)
def test_what_a_coroutine_function_raises_arrives(error: BaseException, told: bytes) -> None:
    async def bad() -> None:
        raise error

    async def main() -> None:
        async with aio.python(tools={"bad": bad}) as py:
            assert (await py.run(TRY)).stdout == told
            assert await py.eval("1 + 1") == 2

    asyncio.run(main(), debug=True)


@in_loop
async def test_junk_of_a_coroutine_function_is_an_error() -> None:
    async def bad() -> object:
        return object()

    async with aio.python(tools={"bad": bad}) as py:
        assert b"cannot be passed on as JSON" in (await py.run(TRY)).stdout


@in_loop
async def test_a_coroutine_function_that_hangs_is_cancelled_at_the_deadline(dies: Dies, records: Records) -> None:
    hang = Forever()
    async with aio.python(tools={"hang": hang}, timeout=1) as py:
        run = run_of(py)
        with dies(pid_of(py)), pytest.raises(errors.DeadlineExceeded):
            await py.run(HANG)
    await asyncio.wait_for(hang.cancelled.wait(), 60)
    assert [record.event for record in records(run)][-3:] == ["tool.called", "limit.time", "run.ended"]


@in_loop
async def test_a_plain_function_that_hangs_is_left_behind_at_the_deadline(dies: Dies) -> None:
    go, ended = threading.Event(), threading.Event()

    def hang() -> None:
        go.wait(60)
        ended.set()

    async with aio.python(tools={"hang": hang}, timeout=1) as py:
        with dies(pid_of(py)), pytest.raises(errors.DeadlineExceeded):
            await py.run(HANG)
    assert not ended.is_set()
    go.set()
    assert await asyncio.to_thread(ended.wait, 60)


@in_loop
async def test_a_cancelled_call_cancels_its_tool_and_ends_its_brane(dies: Dies, records: Records) -> None:
    hang = Forever()
    async with aio.python(tools={"hang": hang}) as py:
        run = run_of(py)
        with dies(pid_of(py)):
            call = asyncio.create_task(py.run(HANG))
            await asyncio.wait_for(hang.begun.wait(), 60)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
        await asyncio.wait_for(hang.cancelled.wait(), 60)
    assert [record.event for record in records(run)][-2:] == ["run.cancelled", "run.ended"]


@in_loop
async def test_a_tool_that_uses_the_same_brane_is_told() -> None:
    async def bad() -> Any:
        return await py.eval("1")

    async with aio.python(tools={"bad": bad}) as py:
        assert (await py.run(TRY)).stdout.startswith(b"UsageError: this brane is in a call")
        assert await py.eval("1 + 1") == 2


@in_loop
async def test_a_tool_may_open_another_brane() -> None:
    async def other(code: str) -> Any:
        async with aio.python() as inner:
            return await inner.eval(code)

    async with aio.python(tools={"other": other}) as py:
        await py.run("import tools")
        assert await py.eval("tools.other('1 + 1')") == 2


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("kind", ["plain", "coroutine"])
def test_what_is_no_exception_is_the_owners_and_ends_the_brane(
    error: BaseException, kind: str, dies: Dies, records: Records
) -> None:
    def plain() -> None:
        raise error

    async def awaited() -> None:
        raise error

    async def main() -> str:
        async with aio.python(tools={"bad": plain if kind == "plain" else awaited}) as py:
            with dies(pid_of(py)), pytest.raises(type(error)):
                await py.run(TRY)
            return run_of(py)

    run = asyncio.run(main(), debug=True)
    assert [record.event for record in records(run)][-2:] == ["run.cancelled", "run.ended"]


def test_a_loop_that_goes_away_while_a_tool_runs_leaves_no_brane(dies: Dies, records: Records) -> None:
    loop = asyncio.new_event_loop()
    hang = loop.run_until_complete(made())
    py = aio.python(tools={"hang": hang})
    loop.run_until_complete(py.__aenter__())
    run = run_of(py)
    call = py.run(HANG)
    with dies(pid_of(py)):
        task = loop.create_task(call)
        loop.run_until_complete(asyncio.wait_for(hang.begun.wait(), 60))
        loop.close()
        # What is left of the coroutine is ended by whoever collects it.
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        del task, hang
        call.close()
    assert [record.event for record in records(run)][-2:] == ["run.cancelled", "run.ended"]


async def made() -> Forever:
    return Forever()
