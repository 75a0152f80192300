"""Branes from many threads, from a forked process, and ended by another thread than the one that waits."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

import branes
from branes import brane, conduct, errors, runtime, session
from branes.drive import Driver
from branes.launching import prepare
from branes.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from types import FrameType, SimpleNamespace

    from branes.audit import Record
    from branes.compiling import Artifact
    from branes.launching import Prepared
    from branes.plan import Plan
    from branes.spawn import Template
    from branes.trees.ingest import Tree

FORK = """
import os, sys
import branes
from branes import errors

with branes.python() as py:
    py.run("x = 1")
    child = os.fork()
    if child == 0:
        for use in (lambda: py.eval("x"), lambda: py.run("x = 2"), py.close):
            try:
                use()
            except errors.UsageError as error:
                assert "forked process" in str(error), error
            else:
                os._exit(3)
        with branes.python() as own:
            assert own.eval("1 + 1") == 2
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert py.eval("x") == 1
    pid = py._brane._launched.jailed.pid
assert not os.path.exists(f"/proc/{pid}")
print("sound")
"""
HELD = """
import os, threading
import branes
from branes import runtime

# A fork while another thread holds the locks of this process.
branes.run(b'(module (memory (export "memory") 1) (func (export "_start")))')
held = [runtime._making, runtime.runtime()._lock, runtime.runtime()._compiling]
locked, forked = threading.Event(), threading.Event()

def hold():
    for lock in held:
        lock.acquire()
    locked.set()
    forked.wait()
    for lock in held:
        lock.release()

thread = threading.Thread(target=hold)
thread.start()
locked.wait()
child = os.fork()
if child == 0:
    with branes.python() as py:
        os._exit(py.eval("7"))
forked.set()
thread.join()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print("sound")
"""
CROWDED = """
import asyncio, os, resource
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = [os.open("/dev/null", os.O_RDONLY) for _ in range(1100)]
import branes
from branes import aio

async def use():
    async with aio.python() as py:
        return await py.eval("2")

# Compiled here, for nobody has run this before.
program = b'(module (memory (export "memory") 1) (func (export "_start") (drop (i32.const %d))))' % os.getpid()
assert branes.run(program).exit_code == 0
with branes.python() as py:
    assert py.eval("1") == 1
assert asyncio.run(use()) == 2
print("sound")
"""
ABANDONED = """
import os, branes
py = branes.python().__enter__()
py.eval("1")
print(py._brane._launched.jailed.pid, flush=True)
os.read(0, 1)
"""
KILLED = ABANDONED + "\nos.kill(os.getpid(), 9)"


def script(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore:This process:DeprecationWarning", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


def test_threads_have_branes_of_their_own() -> None:
    def use(number: int) -> list[int]:
        values = []
        for turn in range(5):
            with branes.python() as py:
                py.run(f"x = {number}")
                values.append(py.eval(f"x * 100 + {turn}"))
        return values

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(use, range(8)))
    assert found == [[number * 100 + turn for turn in range(5)] for number in range(8)]


def test_one_interpreter_is_used_by_one_thread_at_a_time(pipe: SimpleNamespace) -> None:
    begun = threading.Event()
    with branes.python() as py, pipe.open(buffering=0) as file, ThreadPoolExecutor(1) as pool:
        call = pool.submit(py.run, "print('begun'); print(input())", stdin=file, on_stdout=lambda _data: begun.set())
        assert begun.wait(60)
        for use in (lambda: py.eval("1"), lambda: py.run("x = 1")):
            with pytest.raises(errors.UsageError, match="is in a call"):
                use()
        pipe.writer.write(b"go on\n")
        assert call.result(60).exit_code == 0
        assert py.eval("1") == 1


def test_a_callback_cannot_call_the_interpreter_that_calls_it() -> None:
    with branes.python() as py:
        with pytest.raises(errors.UsageError, match="is in a call"):
            py.run("print(1)", on_stdout=lambda _data: py.eval("1"))
        with pytest.raises(errors.UsageError, match="has ended"):
            py.eval("1")


def test_closing_from_another_thread_ends_the_call_that_is_under_way(
    pipe: SimpleNamespace,
    dies: Callable[[int], AbstractContextManager[None]],
    records: Callable[[str], list[Record]],
) -> None:
    begun = threading.Event()
    py = branes.python().__enter__()
    brane = py._brane
    assert brane
    with (
        pipe.open(buffering=0) as file,
        ThreadPoolExecutor(1) as pool,
        dies(brane._launched.jailed.pid),
    ):
        call = pool.submit(py.run, "print('begun'); input()", stdin=file, on_stdout=lambda _data: begun.set())
        assert begun.wait(60)
        py.close()
        with pytest.raises(errors.UsageError, match="closed during the call"):
            call.result(60)
    assert records(brane.conduct.run)[-1].done["outcome"] == "closed"


def test_a_callback_may_close_the_interpreter(dies: Callable[[int], AbstractContextManager[None]]) -> None:
    with branes.python() as py:
        assert py._brane
        with dies(py._brane._launched.jailed.pid), pytest.raises(errors.UsageError, match="closed during the call"):
            py.run("print(1)\nwhile True: pass", on_stdout=lambda _data: py.close())


def test_a_fork_does_not_share_branes_and_leaves_them_alone() -> None:
    done = script(FORK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "sound\n", "")


def test_a_fork_while_another_thread_is_busy_can_open_branes() -> None:
    done = script(HELD)
    assert (done.returncode, done.stdout, done.stderr) == (0, "sound\n", "")


def test_descriptors_may_have_large_numbers() -> None:
    done = script(CROWDED)
    assert (done.returncode, done.stdout, done.stderr) == (0, "sound\n", "")


@pytest.mark.parametrize(("code", "status"), [(ABANDONED, 0), (KILLED, -9)], ids=["exit", "kill"])
def test_a_brane_does_not_outlive_its_owner(
    code: str, status: int, dies: Callable[[int], AbstractContextManager[None]]
) -> None:
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdin
        assert process.stdout
        with dies(int(process.stdout.readline())):
            process.stdin.close()
            assert process.wait(60) == status


def test_what_ran_in_a_brane_that_nobody_closed_is_recorded(records: Callable[[str], list[Record]]) -> None:
    done = script("import branes\npy = branes.python().__enter__()\nprint(py.run('x = 1').run)")
    assert (done.returncode, done.stderr) == (0, "")
    assert [one.event for one in records(done.stdout.strip())] == ["run.spawned", "call.started", "run.ended"]


class Held(runtime.Runtime):
    """Its templates of one plan do not start before the test lets them; the first so many then fail."""

    def __init__(self, plan: Plan, failures: int = 0) -> None:
        super().__init__()
        self.held = plan.template_digest
        self.failures = failures
        self.starting = threading.Event()
        self.let = threading.Event()
        self.starts = 0

    def _start(self, plan: Plan, artifact: Artifact, trees: Sequence[Tree]) -> Template:
        if plan.template_digest == self.held:
            self.starts += 1
            self.starting.set()
            assert self.let.wait(60)
            if self.starts <= self.failures:
                raise errors.HostFault("the first does not start")
        return super()._start(plan, artifact, trees)

    def wait_until_wanted(self, times: int) -> None:
        """Wait until so many threads want the template."""
        deadline = time.monotonic() + 60
        while self._turns[self.held].wanted < times:
            assert time.monotonic() < deadline
            time.sleep(0)


@pytest.fixture
def slow(programs: SimpleNamespace) -> tuple[Prepared, Prepared]:
    """Two programs."""
    return prepare(programs.exit(1), Manifest()), prepare(programs.exit(2), Manifest())


def test_a_slow_start_of_a_template_holds_up_no_other_plan(slow: tuple[Prepared, Prepared]) -> None:
    held, other = slow
    with contextlib.closing(Held(held.plan)) as shared, ThreadPoolExecutor(1) as pool:
        taken = pool.submit(shared.take, held.plan, held.artifact)
        assert shared.starting.wait(60)
        first = shared.take(other.plan, other.artifact)
        shared.give_back(first)
        assert shared.take(other.plan, other.artifact) is first
        assert not taken.done()
        shared.let.set()
        assert taken.result(60) is not first
        assert shared._turns == {}


def test_threads_that_want_the_same_template_share_one_start(slow: tuple[Prepared, Prepared]) -> None:
    held, _ = slow
    with contextlib.closing(Held(held.plan)) as shared, ThreadPoolExecutor(3) as pool:
        taken = [pool.submit(shared.take, held.plan, held.artifact) for _ in range(3)]
        assert shared.starting.wait(60)
        shared.wait_until_wanted(3)
        shared.let.set()
        assert len({id(one.result(60)) for one in taken}) == 1
        assert shared.starts == 1
        assert shared._templates[held.plan.template_digest].branes == 3


def test_a_start_that_fails_is_tried_again_by_the_next_that_waits(slow: tuple[Prepared, Prepared]) -> None:
    held, _ = slow
    with contextlib.closing(Held(held.plan, failures=1)) as shared, ThreadPoolExecutor(2) as pool:
        taken = [pool.submit(shared.take, held.plan, held.artifact) for _ in range(2)]
        assert shared.starting.wait(60)
        shared.wait_until_wanted(2)
        shared.let.set()
        found = [one.exception(60) for one in taken]
        assert sorted(type(one).__name__ for one in found) == ["HostFault", "NoneType"]
        assert shared.starts == 2
        assert shared._turns == {}


def interrupt(line: int, call: Callable[[], object]) -> bool:
    """Interrupt `call` at its line number `line`, counted before its brane is driven; False if it has fewer lines."""
    left = line
    files = {module.__file__ for module in (brane, conduct, session)}

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if frame.f_code is Driver.call.__code__:
            left = 0
        if left < 1 or frame.f_code.co_filename not in files:
            return None
        left -= event == "line"
        if event == "line" and left == 0:
            raise KeyboardInterrupt
        return trace

    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(None)
    return False


def test_a_call_that_is_interrupted_anywhere_leaves_a_brane_that_is_sound_or_has_ended(
    records: Callable[[str], list[Record]],
) -> None:
    ended = sound = 0
    for line in itertools.count(1):
        with branes.python() as py:
            run = py.run("x = 1").run
            if not interrupt(line, partial(py.run, "x = 2")):
                break
            if records(run)[-1].event != "run.ended":
                assert py.eval("x") == 1
                sound += 1
                continue
            assert records(run)[-1].done["outcome"] == "cancelled"
            with pytest.raises(errors.UsageError, match="has ended"):
                py.eval("x")
            ended += 1
    assert sound > 3
    assert ended > 3
