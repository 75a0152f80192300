"""Many writers: threads share syncs, processes take turns, a fork shares nothing, and waiting has an end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from branes.audit import AuditLog, Event, tail, verify
from branes.errors import AuditError

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.defpath}
STRACE = shutil.which("strace")
NOTE = Event(run="note", plan="", layer="host", event="test.note")
HEAD = """
import fcntl, os, sys, pathlib, threading, time
from branes.audit import AuditLog, Event
folder = pathlib.Path(sys.argv[1])
log = AuditLog(folder, lock_timeout=60)
def note(run): return Event(run=run, plan="", layer="host", event="test.note")
"""


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HEAD + program, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


def traced(tmp_path: Path, calls: str, program: str) -> list[str]:
    """Run a program to its end and return the calls it made, with their arguments."""
    assert STRACE is not None
    trace = tmp_path / "trace"
    command = [STRACE, "-f", "-o", str(trace), "-e", f"trace={calls}", "-e", "signal=none"]
    command += [sys.executable, "-c", HEAD + program, str(tmp_path / "audit")]
    subprocess.run(command, check=True, env=ENVIRONMENT, timeout=60)
    return re.findall(r"^\d+ +(\w+\(.*)", trace.read_text(), re.MULTILINE)


def test_four_processes_lose_nothing(tmp_path: Path) -> None:
    program = "for number in range(200): log.append(note(f'{sys.argv[2]}-{number}'))"
    writers = [start(program, tmp_path / "audit", name) for name in "abcd"]
    for writer in writers:
        writer.communicate(timeout=100)
    assert [writer.returncode for writer in writers] == [0] * 4
    assert verify(tmp_path / "audit").records == 800
    runs = [record.run for record in tail(tmp_path / "audit", 1000)]
    for name in "abcd":
        assert [run for run in runs if run.startswith(name)] == [f"{name}-{number}" for number in range(200)]


def test_processes_that_begin_the_same_new_log_agree_on_it(tmp_path: Path) -> None:
    program = "sys.stdin.readline(); log._segment_size = 600; [log.append(note('begin')) for _ in range(10)]"
    writers = [start(program, tmp_path / "deep" / "state" / "audit") for _ in range(4)]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0] * 4
    assert verify(tmp_path / "deep" / "state" / "audit").records == 40


def test_a_lock_that_another_process_holds_is_waited_for_and_not_for_ever(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit", lock_timeout=0.2)
    log.append(NOTE)
    program = """
fd = os.open(folder, os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
"""
    with start(program, tmp_path / "audit") as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        started = time.monotonic()
        with pytest.raises(AuditError, match=r"held the audit log's lock for 0\.2 s"):
            log.append(NOTE)
        assert 0.2 <= time.monotonic() - started < 2
        holder.stdin.write("\n")
    assert log.append(NOTE)[0].seq == 2


def test_a_writer_that_is_killed_gives_its_lock_back(tmp_path: Path) -> None:
    program = """
log.append(note("writer"))
log._lock()
print("held", flush=True)
sys.stdin.readline()
"""
    with start(program, tmp_path / "audit") as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    assert AuditLog(tmp_path / "audit", lock_timeout=5).append(NOTE)[0].seq == 2


def test_a_child_forked_under_the_lock_does_not_keep_it(tmp_path: Path) -> None:
    program = """
log.append(note("parent"))
log._lock()
reader, writer = os.pipe()
if os.fork() == 0:
    os.write(writer, b"x")
    sys.stdin.readline()
    os._exit(0)
os.read(reader, 1)
print("forked", flush=True)
os._exit(0)
"""
    with start(program, tmp_path / "audit") as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        assert parent.stdout.readline() == "forked\n"
        parent.wait(timeout=10)
        assert AuditLog(tmp_path / "audit", lock_timeout=1).append(NOTE)[0].seq == 2
        parent.stdin.write("\n")


def test_parent_and_child_both_append_after_a_fork(tmp_path: Path) -> None:
    program = """
log.append(note("before"))
child = os.fork()
for _ in range(50):
    log.append(note("parent" if child else "child"))
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
    start(program, tmp_path / "audit").communicate(timeout=60)
    runs = [record.run for record in tail(tmp_path / "audit", 1000)]
    assert {run: runs.count(run) for run in set(runs)} == {"before": 1, "parent": 50, "child": 50}
    assert verify(tmp_path / "audit").ok


def test_a_fork_in_the_middle_of_another_threads_append_hangs_neither_and_writes_nothing_twice(
    tmp_path: Path,
) -> None:
    program = """
log.append(note("before"))
holder = os.open(folder, os.O_RDONLY)
fcntl.flock(holder, fcntl.LOCK_EX)
thread = threading.Thread(target=log.append, args=(note("thread"),))
thread.start()
while not log._turns.waiting():
    time.sleep(0.001)
child = os.fork()
if not child:
    os.close(holder)
    log.append(note("child"))
    os._exit(0)
fcntl.flock(holder, fcntl.LOCK_UN)
thread.join()
assert os.waitpid(child, 0)[1] == 0
print("done")
"""
    assert start(program, tmp_path / "audit").communicate(timeout=60)[0] == "done\n"
    assert sorted(record.run for record in tail(tmp_path / "audit", 9)) == ["before", "child", "thread"]
    assert verify(tmp_path / "audit").ok


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_records_that_wait_together_share_one_fdatasync(tmp_path: Path) -> None:
    program = """
log.append(note("before"))
holder = os.open(folder, os.O_RDONLY)
fcntl.flock(holder, fcntl.LOCK_EX)
threads = [threading.Thread(target=log.append, args=(note(f"t{number}"),)) for number in range(8)]
for thread in threads:
    thread.start()
while len(log._turns.waiting()) < 8:
    time.sleep(0.001)
fcntl.flock(holder, fcntl.LOCK_UN)
for thread in threads:
    thread.join()
"""
    calls = traced(tmp_path, "pwrite64,fdatasync", program)
    assert [call.split("(")[0] for call in calls if "resumed" not in call] == ["pwrite64", "fdatasync"] * 2
    assert verify(tmp_path / "audit").records == 9


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_a_record_is_written_and_synced_under_the_lock_before_append_returns(tmp_path: Path) -> None:
    program = "log.append(note('one')); os.write(1, b'returned one'); log.append(note('two'))"
    calls = traced(tmp_path, "flock,pwrite64,fdatasync,fsync,fallocate,write", program)
    steps = [call for call in calls if not call.startswith("write(") or "returned" in call]
    names = [
        re.sub(r"flock\(\d+, LOCK_(EX|UN).*", r"\1", call).split("(")[0] for call in steps if "resumed" not in call
    ]
    first = names.index("EX")
    assert names[:first] == ["fsync"]  # the name of the folder
    append = ["pwrite64", "fdatasync", "UN"]
    assert names[first:] == ["EX", "fsync", "fallocate", *append, "write", "EX", *append]
    [one, two] = [call for call in calls if call.startswith("pwrite64")]
    written = one.rsplit(" = ", 1)[1]
    assert two.rsplit(", ", 1)[1].startswith(f"{written}) = ")
