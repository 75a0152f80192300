"""`brane audit tail` and `brane audit verify`."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane


@pytest.fixture
def logged(fresh: Brane) -> Brane:
    """A log of a refused program and of one that ran."""
    fresh("run", "evil.wat")
    fresh("run", "exit.wat", "3")
    return fresh


def segment(brane: Brane) -> Path:
    return brane.state / "audit" / "000001.jsonl"


def test_json_gives_the_lines_of_the_log_byte_by_byte(logged: Brane) -> None:
    lines = segment(logged).read_bytes()
    assert logged("audit", "tail", "--json").stdout == lines
    assert logged("audit", "tail", "--json", "-n", "2").stdout == b"".join(lines.splitlines(keepends=True)[-2:])


def test_lines_for_people_have_number_run_layer_event_and_what_was_tried_and_done(logged: Brane) -> None:
    first, *_, last = logged("audit", "tail").stdout.decode().splitlines()
    assert first.split()[0] == "1"
    assert " language wasi.link_denied  app=evil.wat " in first
    assert first.endswith(" > started=false")
    assert " host     run.ended  " in last
    assert "exit_code=3 outcome=exited" in last


def test_hostile_text_in_a_record_is_shown_escaped(fresh: Brane) -> None:
    fresh("run", "--deny", "host:exec/run", "denied.wat")
    shown = fresh("audit", "tail").stdout.decode()
    assert r"rm\x1b[31m -rf" in shown
    assert all(char.isprintable() or char == "\n" for char in shown)


def test_following_shows_what_is_recorded_from_then_on(logged: Brane) -> None:
    with logged.start("audit", "tail", "--follow", "-n", "1") as process:
        assert b"run.ended" in process.stdout.readline()
        logged("run", "evil.wat")
        assert b"wasi.link_denied" in process.stdout.readline()
        process.terminate()
    assert process.returncode == 143


def test_a_whole_log_is_0(logged: Brane) -> None:
    done = logged("audit", "verify")
    count = len(segment(logged).read_bytes().splitlines())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith(f"whole: {count} records in 1 files, head ")


def test_a_changed_log_is_1_and_the_line_is_named(logged: Brane) -> None:
    path = segment(logged)
    path.write_bytes(path.read_bytes().replace(b'"app":"evil.wat"', b'"app":"good.wat"'))
    done = logged("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.decode().startswith(f"broken: {path}, line 1: changed: ")
    found = json.loads(logged("audit", "verify", "--json").stdout)
    assert (found["outcome"], found["exit_code"]) == ("broken", 1)
    assert (found["first_fault"]["line"], found["first_fault"]["reason"]) == (1, "changed")


def test_a_log_elsewhere_can_be_verified(logged: Brane, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "000001.jsonl").write_bytes(segment(logged).read_bytes())
    assert logged("audit", "verify", "--log", str(copy)).returncode == 0


@pytest.mark.parametrize("name", [b"log\x1b[31m", b"log\xff"])
def test_a_fault_in_a_folder_of_any_name_is_shown(fresh: Brane, tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir(mode=0o700)
    (folder / "000001.jsonl").write_text("{}\n")
    done = fresh("audit", "verify", "--log", str(folder))
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("command", ["verify", "tail"])
@pytest.mark.parametrize("is_made", [False, True], ids=["no folder", "an empty folder"])
def test_no_log_is_125_with_its_path_and_nothing_is_made(fresh: Brane, command: str, *, is_made: bool) -> None:
    if is_made:
        (fresh.state / "audit").mkdir(mode=0o700, parents=True)
    done = fresh("audit", command)
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.decode().splitlines()[0] == f"brane: there is no audit log in {fresh.state / 'audit'}"
    assert fresh.state.exists() == is_made
    assert json.loads(fresh("audit", command, "--json").stdout)["exit_code"] == 125


def test_the_records_of_one_run_can_be_shown(logged: Brane) -> None:
    logged("run", "exit.wat", "4")
    runs = [json.loads(line)["run"] for line in segment(logged).read_bytes().splitlines()]
    first, last = next(filter(None, runs)), runs[-1]
    assert first != last
    for run in (first, last):
        found = [json.loads(line) for line in logged("audit", "tail", "--json", "--run", run).stdout.splitlines()]
        assert [record["event"] for record in found] == ["run.spawned", "call.started", "run.ended"]
        assert {record["run"] for record in found} == {run}
    assert len(logged("audit", "tail", "-n", "1", "--run", first).stdout.splitlines()) == 1
    done = logged("audit", "tail", "--run", "nobody")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"brane: no record of a run 'nobody'\n")


@pytest.mark.parametrize("columns", [80, 132, 0])
def test_on_a_terminal_every_line_fits(logged: Brane, columns: int) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    with subprocess.Popen(logged.words("audit", "tail"), stdout=theirs, env=logged.env) as process:
        os.close(theirs)
        seen = bytearray()
        with contextlib.suppress(OSError):  # EIO: the last one closed it
            while chunk := os.read(ours, 65536):
                seen += chunk
        os.close(ours)
    lines = seen.decode().split("\r\n")
    assert process.returncode == 0
    assert max(map(len, lines)) <= (columns or 80)
    assert any(line.endswith(" host run.ended") for line in lines)
    assert any("exit_code=3 outcome=" in line for line in lines)
