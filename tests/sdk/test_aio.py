"""The asyncio twin: the same outcomes, a loop that is not blocked, and nothing left after a cancellation."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest

import branes
from branes import aio, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractContextManager
    from types import SimpleNamespace

    from branes.audit import Record

    Records = Callable[[str], list[Record]]
    Dies = Callable[[int], AbstractContextManager[None]]

FOREVER = "print('begun')\nwhile True: pass"
CONNECT = (
    "import socket\nfor _ in range(1000):\n try: socket.create_connection(('192.0.2.1', 80))\n except OSError: pass"
)


def in_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Runs a test in a loop of its own that complains about everything."""

    @wraps(test)
    def run(*args: Any, **words: Any) -> None:
        asyncio.run(test(*args, **words), debug=True)

    return run


async def begun(py: aio.Python, code: str = FOREVER, **words: Any) -> asyncio.Task[Any]:
    """A call under way that has printed something."""
    printed = asyncio.Event()
    task = asyncio.create_task(py.run(code, on_stdout=lambda _data: printed.set(), **words))
    await asyncio.wait([asyncio.create_task(printed.wait()), task], return_when=asyncio.FIRST_COMPLETED, timeout=60)
    assert printed.is_set()
    return task


async def cancelled(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def pid_of(py: aio.Python) -> int:
    assert py._brane
    return py._brane._launched.jailed.pid


@in_loop
async def test_a_program_runs_to_its_end(programs: SimpleNamespace) -> None:
    data = os.urandom(5_000_000)
    assert (await aio.run(programs.echo, stdin=data)).stdout == data
    assert (await aio.run(programs.print_args, ["a"])).stdout == b"app\0a\0"
    assert (await aio.run(programs.exit(71))).exit_code == 71


@in_loop
async def test_an_interpreter_keeps_its_state_between_calls() -> None:
    async with aio.python(env={"A": "1"}) as py:
        await py.run("import os; x = [os.environ['A']]")
        assert (await py.run("import sys; print(sys.stdin.read(), sys.argv)", stdin="in", args=["b"])).exit_code == 0
        assert await py.eval("x") == ["1"]
        with pytest.raises(errors.GuestError, match="ZeroDivisionError"):
            await py.eval("1 / 0")
    with pytest.raises(errors.UsageError, match="is not open"):
        await py.eval("x")


@in_loop
async def test_callbacks_may_be_functions_or_coroutine_functions(programs: SimpleNamespace) -> None:
    got: list[bytes] = []

    async def slowly(data: bytes) -> None:
        await asyncio.sleep(0)
        got.append(data)

    async with aio.python() as py:
        done = await py.run(
            "print('out'); import sys; print('err', file=sys.stderr)", on_stdout=slowly, on_stderr=got.append
        )
    assert got == [b"out\n", b"err\n"]
    assert (done.stdout, done.stderr) == (b"", b"")
    await aio.run(programs.echo, stdin=b"more", on_stdout=slowly)
    assert got[2:] == [b"more"]


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_output_is_there_before_the_next_input_is_written(
    programs: SimpleNamespace, pipe: SimpleNamespace, buffering: int
) -> None:
    answers: list[bytes] = []

    async def on_stdout(data: bytes) -> None:
        answers.append(data)
        if len(answers) == 1:
            pipe.writer.write(b"second\n")
        else:
            pipe.writer.close()

    pipe.writer.write(b"first\n")
    with pipe.open(buffering=buffering) as file:
        asyncio.run(aio.run(programs.echo, stdin=file, on_stdout=on_stdout))
    assert answers == [b"first\n", b"second\n"]


@pytest.mark.parametrize("name", ["/dev/null", __file__])
def test_what_the_loop_cannot_wait_for_is_read_all_the_same(programs: SimpleNamespace, name: str) -> None:
    with open(name, "rb", buffering=0) as file, open(name, "rb") as again:
        assert asyncio.run(aio.run(programs.echo, stdin=file)).stdout == again.read()


@in_loop
async def test_an_applications_own_reader_of_the_same_descriptor_stays(
    programs: SimpleNamespace, pipe: SimpleNamespace
) -> None:
    loop, seen = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pipe.reader, seen.set)
    answered = asyncio.Event()
    with pipe.open(buffering=0) as file:
        task = asyncio.create_task(aio.run(programs.echo, stdin=file, on_stdout=lambda _data: answered.set()))
        pipe.writer.write(b"one")
        await asyncio.wait_for(answered.wait(), 60)
        pipe.writer.close()
        assert (await task).exit_code == 0
        seen.clear()
        await asyncio.wait_for(seen.wait(), 60)  # of the end
    assert loop.remove_reader(pipe.reader)


@in_loop
async def test_a_coroutine_that_does_not_return_does_not_stretch_the_deadline(dies: Dies, records: Records) -> None:
    ended: list[str] = []

    async def stuck(_data: bytes) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async with aio.python(timeout="500ms") as py:
        with dies(pid_of(py)), pytest.raises(errors.DeadlineExceeded) as caught:
            await asyncio.wait_for(py.run("print(1)\nwhile True: pass", on_stdout=stuck), 60)
    assert ended == ["cancelled"]
    assert caught.value.completed
    assert [record.event for record in records(caught.value.completed.run)][-2:] == ["limit.time", "run.ended"]


@in_loop
async def test_a_coroutine_that_takes_its_time_is_waited_for(programs: SimpleNamespace) -> None:
    got: list[bytes] = []

    async def slowly(data: bytes) -> None:
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, later.set)
        await later.wait()
        got.append(data)

    await aio.run(programs.echo, stdin=b"data", on_stdout=slowly)
    assert got == [b"data"]


@in_loop
async def test_the_loop_goes_on_while_a_guest_floods_it() -> None:
    async with aio.python(timeout="1s") as py:
        task = await begun(py, "while True: print('a' * 10_000)", stdin=None)
        turns = 0
        while not task.done():
            await asyncio.sleep(0.01)
            turns += 1
        with pytest.raises(errors.LimitExceeded):
            await task
    assert turns > 10


@in_loop
async def test_branes_run_side_by_side(pipe: SimpleNamespace) -> None:
    """The first cannot end before the others have."""
    with pipe.open(buffering=0) as file:
        async with aio.python() as first, aio.python() as second, aio.python() as third:
            task = await begun(first, "print('begun'); print(input())", stdin=file)
            assert await asyncio.gather(second.eval("2"), third.eval("3")) == [2, 3]
            pipe.writer.write(b"go on\n")
            assert (await task).exit_code == 0


@in_loop
async def test_limits_hold_as_they_do_without_a_loop(programs: SimpleNamespace, records: Records) -> None:
    with pytest.raises(errors.DeadlineExceeded) as caught:
        await aio.run(programs.spin, timeout=0.2)
    assert caught.value.completed is not None
    found = [record.event for record in records(caught.value.completed.run)]
    assert found == ["run.spawned", "call.started", "limit.time", "run.ended"]
    with pytest.raises(errors.LimitExceeded, match="output"):
        await aio.run(programs.echo, stdin=bytes(100_000), output=10)
    with pytest.raises(errors.Trapped):
        await aio.run(programs.trap)
    with pytest.raises(errors.Refused):
        await aio.run(programs.foreign)
    with pytest.raises(errors.InputError):
        await aio.run(b"nothing")


@in_loop
async def test_refusals_are_recorded_in_order_and_limited(records: Records) -> None:
    async with aio.python() as py:
        with pytest.raises(errors.LimitExceeded) as caught:
            await py.run(CONNECT)
    completed = caught.value.completed
    assert completed is not None
    found = [record.seq for record in records(completed.run) if record.event == "wasi.denied"]
    assert found == [denial.seq for denial in completed.denials]
    assert len(found) == 100


@in_loop
async def test_a_cancelled_call_kills_its_brane_and_is_recorded(dies: Dies, records: Records) -> None:
    async with aio.python() as py:
        task = await begun(py)
        brane = py._brane
        assert brane
        with dies(pid_of(py)):
            await cancelled(task)
        found = records(brane.conduct.run)
        assert [record.event for record in found][-2:] == ["run.cancelled", "run.ended"]
        assert found[-1].done["outcome"] == "cancelled"
        with pytest.raises(errors.UsageError, match="has ended"):
            await py.eval("1")


@in_loop
async def test_a_time_limit_of_asyncio_is_a_cancellation(dies: Dies) -> None:
    async with aio.python() as py:
        with dies(pid_of(py)), pytest.raises(TimeoutError):
            await asyncio.wait_for(py.run(FOREVER), 0.2)


@in_loop
async def test_a_cancelled_callback_cancels_the_call(dies: Dies) -> None:
    entered = asyncio.Event()

    async def stuck(_data: bytes) -> None:
        entered.set()
        await asyncio.Event().wait()

    async with aio.python() as py:
        with dies(pid_of(py)):
            task = asyncio.create_task(py.run("print(1)", on_stdout=stuck))
            await asyncio.wait_for(entered.wait(), 60)
            await cancelled(task)


@in_loop
async def test_what_a_callback_raises_ends_the_guest_and_is_raised(dies: Dies) -> None:
    async def fail(_data: bytes) -> None:
        raise ZeroDivisionError

    async with aio.python() as py:
        with dies(pid_of(py)), pytest.raises(ZeroDivisionError):
            await py.run(FOREVER, on_stdout=fail)


@pytest.mark.parametrize("what", ["interpreter", "program"])
@in_loop
async def test_cancelling_at_any_moment_leaves_nothing(programs: SimpleNamespace, what: str) -> None:
    """The moments are turns of the loop: however far a run has come, it is taken back."""

    async def whole() -> int:
        if what == "program":
            return (await aio.run(programs.exit(1))).exit_code
        async with aio.python() as py:
            return int(await py.eval("1"))

    assert await whole() == 1
    await asyncio.sleep(0)
    gc.collect()  # what earlier tests left in cycles is closed now, not in between
    before = sorted(os.listdir("/proc/self/fd"))
    turns, done = 0, False
    while not done:
        turns += 1
        task = asyncio.create_task(whole())
        for _ in range(turns):
            await asyncio.sleep(0)
            await asyncio.to_thread(int)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            done = await task == 1
        # A thread that was preparing may still be reading.
        async with asyncio.timeout(30):
            while sorted(os.listdir("/proc/self/fd")) != before:  # noqa: ASYNC110 -- the kernel sets no event
                await asyncio.sleep(0.01)
    assert turns > 3


@in_loop
async def test_a_run_whose_call_cannot_be_made_is_closed(
    programs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_words: object, **_named: object) -> None:
        raise errors.UsageError("not now")

    await aio.run(programs.exit(3))
    gc.collect()  # what earlier tests left in cycles is closed now, not in between
    before = sorted(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(aio._Brane, "_begin", refuse)
    with pytest.raises(errors.UsageError, match="not now"):
        await aio.run(programs.exit(3))
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("module", [branes, aio])
def test_an_interpreter_that_is_never_closed_is_warned_about(module: Any, dies: Dies) -> None:
    async def enter(py: aio.Python) -> None:
        await py.__aenter__()

    py = module.python()
    py.__enter__() if module is branes else asyncio.run(enter(py))
    brane, held = py._brane, [py]
    del py
    with pytest.warns(ResourceWarning, match=f"unclosed interpreter, run {brane.conduct.run}"):
        held.clear()
    with dies(brane._launched.jailed.pid):
        brane.close()


def test_an_interpreter_that_was_closed_or_never_opened_is_not_warned_about() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with branes.python() as py:
            assert py.eval("1") == 1
        with branes.python(timeout=0.1) as dead, contextlib.suppress(errors.DeadlineExceeded):
            dead.run(FOREVER)
        unused = branes.python()
        del py, dead, unused
        gc.collect()


def test_what_has_ended_says_why_and_when() -> None:
    with branes.python(timeout=0.2) as py:
        with pytest.raises(errors.DeadlineExceeded):
            py.run(FOREVER)
        with pytest.raises(errors.UsageError, match=r"has ended: killed after 0\.2 s, 0\.\d+ s into an earlier call"):
            py.run("1")
    with branes.python() as py:
        py.run("import os; os._exit(1)")
        with pytest.raises(errors.UsageError, match="has ended: its code exited with 1, in an earlier call"):
            py.eval("1")


@in_loop
async def test_twenty_cancelled_runs_leave_no_descriptor_and_no_brane_behind(dies: Dies) -> None:
    async def use() -> None:
        async with aio.python() as py:
            with dies(pid_of(py)):
                await cancelled(await begun(py, stdin=io.BufferedReader(io.BytesIO(b"a"))))  # type: ignore[arg-type]

    await use()
    gc.collect()  # what earlier tests left in cycles is closed now, not in between
    before = sorted(os.listdir("/proc/self/fd"))
    for _ in range(20):
        await use()
    assert sorted(os.listdir("/proc/self/fd")) == before


@in_loop
async def test_one_interpreter_is_used_by_one_task_at_a_time(pipe: SimpleNamespace) -> None:
    with pipe.open(buffering=0) as file:
        async with aio.python() as py:
            task = await begun(py, "print('begun'); input()", stdin=file)
            with pytest.raises(errors.UsageError, match="is in a call"):
                await py.eval("1")
            pipe.writer.write(b"go on\n")
            assert (await task).exit_code == 0


@in_loop
async def test_leaving_the_block_ends_a_call_that_another_task_makes(dies: Dies) -> None:
    async with aio.python() as py:
        task = await begun(py)
        with dies(pid_of(py)):
            await py.close()
            with pytest.raises(errors.UsageError, match="closed during the call"):
                await task


def test_a_loop_that_is_dropped_in_the_middle_leaves_no_brane(dies: Dies) -> None:
    loop = asyncio.new_event_loop()

    async def start() -> tuple[aio.Python, asyncio.Task[Any]]:
        py = await aio.python().__aenter__()
        return py, await begun(py)

    py, task = loop.run_until_complete(start())
    with dies(pid_of(py)):
        coroutine = task.get_coro()
        assert coroutine
        loop.close()
        coroutine.close()
        task._log_destroy_pending = False  # type: ignore[attr-defined]


@in_loop
async def test_progress_is_told_in_the_loop(programs: SimpleNamespace) -> None:
    told: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    def progress(done: int, total: int) -> None:
        assert asyncio.get_running_loop() is loop
        told.append((done, total))

    await aio.run(programs.exit(int.from_bytes(os.urandom(3), "big") << 8), progress=progress)
    assert told


@in_loop
async def test_records_and_kills_do_not_wait_for_the_loops_own_threads(pipe: SimpleNamespace) -> None:
    loop = asyncio.get_running_loop()
    async with aio.python(timeout="200ms") as py:
        with ThreadPoolExecutor(1) as busy:
            loop.set_default_executor(busy)
            blocked = loop.run_in_executor(None, os.read, pipe.reader, 1)
            with pytest.raises(errors.DeadlineExceeded):
                await py.run(FOREVER)
            assert not blocked.done()
            pipe.writer.write(b"a")
            await blocked


@in_loop
async def test_the_synchronous_functions_work_inside_a_running_loop(programs: SimpleNamespace) -> None:
    assert branes.run(programs.echo, stdin=b"a").stdout == b"a"
    with branes.python() as py:
        assert py.eval("1 + 1") == 2
    assert await asyncio.to_thread(lambda: branes.run(programs.echo, stdin=b"b").stdout) == b"b"
