"""Branes from many threads, from a forked process, and ended by another thread than the one that waits."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import branes
from branes import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import SimpleNamespace

    from branes.audit import Record

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
