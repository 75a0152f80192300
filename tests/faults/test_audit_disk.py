"""A disk that is full, or fails: a clear error, no partial line, no false promise, and nothing hangs."""

from __future__ import annotations

import os
import re
import shutil
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

# Appends a few times and says what came of each.
WRITER = """
import sys, pathlib
from branes.audit import AuditLog, Event
from branes.errors import AuditError
log = AuditLog(pathlib.Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    try:
        [record] = log.append(Event(run="writer", plan="", layer="host", event="test.event"))
        print("ok", record.seq)
    except AuditError as error:
        print("error", error.message, "|", error.hint)
        log = AuditLog(pathlib.Path(sys.argv[1]))
"""

pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def inject(tmp_path: Path, fault: str, count: int) -> tuple[list[str], list[str]]:
    """Run the writer under a fault; return what it said and the calls it made."""
    assert STRACE is not None
    trace = tmp_path / "trace"
    command = [STRACE, "-f", "-o", str(trace), "-e", "trace=pwrite64,fdatasync,fsync,ftruncate,fallocate"]
    command += ["-e", f"inject={fault}", sys.executable, "-c", WRITER, str(tmp_path / "audit"), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT, timeout=60)
    calls = re.findall(r"(\w+)\(.*= (.*)", trace.read_text())
    return done.stdout.splitlines(), [f"{call} {result.split(' (')[0]}" for call, result in calls]


def test_a_failed_fdatasync_is_fatal_for_the_process_and_not_for_the_log(tmp_path: Path) -> None:
    said, calls = inject(tmp_path, "fdatasync:error=EIO:when=2", 4)
    assert said[0] == "ok 1"
    assert [line.split(" | ")[0] for line in said[1:]] == [
        "error the audit log takes no more records from this process: fdatasync failed: input/output error"
    ] * 3
    after = calls[calls.index("fdatasync -1 EIO") + 1 :]
    assert after == ["ftruncate 0"]
    [record] = AuditLog(tmp_path / "audit").append(NOTE)
    assert record.seq == 2
    assert verify(tmp_path / "audit").records == 2


def test_a_line_that_cannot_be_taken_back_is_fatal_too(tmp_path: Path) -> None:
    assert STRACE is not None
    # The write is short because of the limit on the size of files, and then strace lets the cut fail.
    said = limited(tmp_path, ["-e", "trace=ftruncate", "-e", "inject=ftruncate:error=EIO"])
    assert "a partial line could not be taken back: file too large" in said[0]
    assert said[1] == "100"
    assert "takes no more records from this process" in said[-1]
    AuditLog(tmp_path / "audit").append(NOTE)
    assert tail(tmp_path / "audit", 2)[0].event == "audit.recovered"
    assert verify(tmp_path / "audit").ok


@pytest.mark.parametrize("when", [1, 2])
def test_a_failed_fsync_of_the_folder_is_fatal(tmp_path: Path, when: int) -> None:
    said, calls = inject(tmp_path, f"fsync:error=EIO:when={when}", 2)
    assert all("takes no more records from this process: fsync failed" in line for line in said)
    assert not any(call.startswith("pwrite64") for call in calls)


@pytest.mark.parametrize("error", ["ENOSPC", "EDQUOT"])
def test_a_full_disk_is_recorded_out_of_the_reserve_and_ends_when_there_is_space(tmp_path: Path, error: str) -> None:
    said, calls = inject(tmp_path, f"pwrite64:error={error}:when=2", 3)
    assert said[0] == "ok 1"
    assert "cannot be written" in said[1]
    assert "free space there" in said[1]
    assert said[2] == "ok 3"
    assert [record.event for record in tail(tmp_path / "audit", 9)] == [
        "test.event",
        "audit.full",
        "test.event",
    ]
    failed = calls.index(f"pwrite64 -1 {error}")
    assert calls[failed + 1 : failed + 3] == ["ftruncate 0", "ftruncate 0"]
    assert verify(tmp_path / "audit").records == 3


def test_a_disk_that_stays_full_takes_nothing_and_spoils_nothing(tmp_path: Path) -> None:
    AuditLog(tmp_path / "audit").append(NOTE)
    before = (tmp_path / "audit" / "000001.jsonl").read_bytes()
    said, _calls = inject(tmp_path, "pwrite64:error=ENOSPC", 5)
    assert len(said) == 5
    assert all(line.startswith("error") and "no space left on device" in line for line in said)
    assert (tmp_path / "audit" / "000001.jsonl").read_bytes() == before
    assert AuditLog(tmp_path / "audit").append(NOTE)[0].seq == 2


def test_without_space_for_the_reserve_nothing_is_taken(tmp_path: Path) -> None:
    said, calls = inject(tmp_path, "fallocate:error=ENOSPC", 2)
    assert all("no space left on device" in line for line in said)
    assert not any(call.startswith("pwrite64") for call in calls)


def test_a_call_that_fails_otherwise_takes_nothing_and_is_not_the_end(tmp_path: Path) -> None:
    said, _calls = inject(tmp_path, "pwrite64:error=EPERM:when=1", 2)
    assert "operation not permitted" in said[0]
    assert said[1] == "ok 1"


# The limit leaves room for a part of the next line: pwrite(2) is short first, and fails then.
LIMITED = """
import resource, sys, pathlib
from branes.audit import AuditLog, Event
from branes.errors import AuditError
folder = pathlib.Path(sys.argv[1])
log = AuditLog(folder)
event = Event(run="writer", plan="", layer="host", event="test.event", tried={"data": "x" * 2000})
while log.append(event)[0].seq < 10: pass
size = (folder / "000001.jsonl").stat().st_size
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, unlimited[1]))
def attempt():
    try:
        print("ok", log.append(event)[0].seq, flush=True)
    except AuditError as error:
        print("error", error.message, "|", error.hint, flush=True)
attempt()
print((folder / "000001.jsonl").stat().st_size - size, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
attempt()
"""


def limited(tmp_path: Path, strace: list[str]) -> list[str]:
    prefix = [STRACE or "", "-f", "-o", str(tmp_path / "trace"), *strace] if strace else []
    command = [*prefix, sys.executable, "-c", LIMITED, str(tmp_path / "audit")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT, timeout=60)
    return done.stdout.splitlines()


def test_a_line_written_in_part_is_taken_back(tmp_path: Path) -> None:
    first, left, second = limited(tmp_path, [])
    assert "file too large" in first
    assert left == "0"
    assert second == "ok 11"
    assert verify(tmp_path / "audit").records == 11
