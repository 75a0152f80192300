"""Killed anywhere, a writer leaves a log that goes on: nothing acknowledged is lost, each cut is recorded."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from branes.audit import AuditLog, Event, tail, verify

if TYPE_CHECKING:
    from pathlib import Path

ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PATH": os.defpath}
STRACE = shutil.which("strace")
NOTE = Event(run="after", plan="", layer="host", event="test.after")

# Appends for ever and says which records are durable.
WRITER = """
import sys, pathlib
from branes.audit import AuditLog, Event
log = AuditLog(pathlib.Path(sys.argv[1]))
log._segment_size = 4000
for number in range(int(sys.argv[2])):
    records = log.append(*[
        Event(run="writer", plan="", layer="host", event="test.event", tried={"part": [number, part]})
        for part in range(number % 3 + 1)
    ])
    for record in records:
        print(record.digest, flush=True)
"""


def digests(folder: Path) -> set[str]:
    return {record.digest for record in tail(folder, 1_000_000)}


def go_on(folder: Path) -> None:
    log = AuditLog(folder)
    log.append(NOTE)
    log.close()
    verdict = verify(folder)
    assert verdict.first_fault is None


def test_thirty_kills_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    folder = tmp_path / "audit"
    chance = random.Random(20)
    acknowledged: set[str] = set()
    for _ in range(30):
        command = [sys.executable, "-c", WRITER, str(folder), "1000000"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as writer:
            assert writer.stdout is not None
            heard = [writer.stdout.readline() for _ in range(chance.randrange(1, 12))]
            for _ in range(chance.randrange(20_000)):
                pass  # so that the kill comes anywhere in the next append
            writer.kill()
            rest = writer.stdout.read().splitlines()
        assert writer.returncode == -signal.SIGKILL
        acknowledged |= {line.strip() for line in [*heard, *rest] if len(line.strip()) == 64}
        go_on(folder)
    assert acknowledged <= digests(folder)
    assert len(acknowledged) > 30


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize(
    ("call", "when"),
    [
        *(("flock", when) for when in range(1, 9)),
        *(("pwrite64", when) for when in range(1, 9)),
        *(("fdatasync", when) for when in range(1, 9)),
        *(("fsync", when) for when in range(1, 5)),  # the folder's name, then those of segments
        ("fallocate", 1),
        *(("openat", when) for when in range(1, 6)),
    ],
)
def test_a_kill_at_any_call_loses_nothing_that_was_acknowledged(tmp_path: Path, call: str, when: int) -> None:
    folder = tmp_path / "audit"
    assert STRACE is not None
    inside = [folder, *(folder / f"00000{number}.jsonl" for number in range(1, 9)), folder / "reserve"]
    path = [word for name in inside for word in ("-P", str(name))] if call == "openat" else []
    command = [STRACE, "-f", "-o", str(tmp_path / "trace"), *path, "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:signal=SIGKILL:when={when}"]
    command += [sys.executable, "-c", WRITER, str(folder), "30"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=60)
    assert done.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    acknowledged = set(done.stdout.split())
    go_on(folder)
    assert acknowledged <= digests(folder)


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_a_kill_between_writing_over_a_torn_end_and_cutting_it_still_records_every_cut(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "audit"
    AuditLog(folder).append(NOTE)
    with (folder / "000001.jsonl").open("ab") as file:
        file.write(b"x" * 5000)
    assert STRACE is not None
    command = [STRACE, "-f", "-o", str(tmp_path / "trace"), "-e", "trace=ftruncate"]
    command += [
        "-e",
        "inject=ftruncate:signal=SIGKILL:error=EIO",
        sys.executable,
        "-c",
        WRITER,
        str(folder),
        "1",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=60)
    assert done.stdout == ""
    go_on(folder)
    cuts = [record.tried["bytes"] for record in tail(folder, 10) if record.event == "audit.recovered"]
    assert len(cuts) == 2
    assert cuts[0] == 5000
    assert 0 < cuts[1] < 5000
