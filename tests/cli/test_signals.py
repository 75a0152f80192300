"""Ctrl-C and its like, at several moments: the brane dies, its end is recorded, nothing is left running."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Brane, Family


def records(brane: Brane) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (brane.state / "audit" / "000001.jsonl").read_bytes().splitlines()]


def wait_for(brane: Brane, event: bytes) -> None:
    deadline = time.monotonic() + 100
    log = brane.state / "audit" / "000001.jsonl"
    while not (log.exists() and event in log.read_bytes()):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["int", "term", "hup"]
)
def test_a_signal_during_a_run_kills_the_brane_and_its_end_is_recorded(
    fresh: Brane, family: type[Family], number: int, code: int
) -> None:
    with fresh.start("run", "loop.wat") as process:
        assert process.stdout.readline() == b"running\n"
        branes = family.below(process.pid)
        assert len(branes.found) >= 2  # template and brane
        process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == code
    branes.wait_until_gone()
    *_, cancelled, ended = records(fresh)
    assert cancelled["event"] == "run.cancelled"
    assert (ended["event"], ended["done"]["outcome"]) == ("run.ended", "cancelled")
    assert ended["done"]["process"] == {"code": 0, "signal": 9}
    assert fresh("audit", "verify").returncode == 0


def test_a_signal_while_compiling_leaves_no_compiler(fresh: Brane, family: type[Family]) -> None:
    with fresh.start("python", "-c", "print(1)") as process:
        assert process.stderr.readline() == b"compiling python (once)\n"
        jail = family.below(process.pid)
        assert jail.found
        process.send_signal(signal.SIGINT)
        assert (process.stdout.read(), process.stderr.read()) == (b"", b"")
    assert process.returncode == 130
    jail.wait_until_gone()


def test_control_c_on_a_terminal_reaches_the_command_alone(fresh: Brane, family: type[Family]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        ["setsid", "--ctty", *fresh.words("run", "loop.wat")],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=fresh.env,
    ) as process:
        os.close(theirs)
        assert process.stdout.readline() == b"running\n"
        branes = family.below(process.pid)
        os.write(ours, b"\x03")
        assert process.stderr.read() == b""
    os.close(ours)
    assert process.returncode == 130
    branes.wait_until_gone()
    assert records(fresh)[-1]["done"]["outcome"] == "cancelled"


def test_an_impatient_second_signal_does_not_prevent_the_record(fresh: Brane) -> None:
    with fresh.start("run", "loop.wat") as process:
        assert process.stdout.readline() == b"running\n"
        for _ in range(20):
            process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert records(fresh)[-1]["event"] == "run.ended"


def test_an_ignored_signal_stays_ignored(fresh: Brane) -> None:
    words = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *fresh.words("run", "--timeout", "2s", "loop.wat")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=fresh.env) as process:
        assert process.stdout.readline() == b"running\n"
        process.send_signal(signal.SIGINT)
    assert process.returncode == 124


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["int", "term", "hup"]
)
@pytest.mark.parametrize("command", ["run", "python"])
def test_with_json_an_interrupted_run_says_what_there_was(fresh: Brane, command: str, number: int, code: int) -> None:
    """Begun is seen from the log: nothing is printed before the end."""
    attempt = (
        "import socket\ntry: socket.create_connection(('192.0.2.1', 80))\nexcept OSError: print('no', flush=True)\n"
    )
    args = ["run", "loop.wat"] if command == "run" else ["python", "-c", f"{attempt}while True: pass"]
    with fresh.start(args[0], "--json", *args[1:]) as process:
        sign = b"call.started" if command == "run" else b"wasi.denied"
        wait_for(fresh, sign)
        process.send_signal(number)
        found = json.loads(process.stdout.read())
    ended = records(fresh)[-1]
    assert (process.returncode, found["outcome"], found["exit_code"]) == (code, "interrupted", code)
    assert (found["run"], ended["event"]) == (ended["run"], "run.ended")
    assert found["error"]["kind"] == "interrupted"
    assert found["usage"]["wall"] > 0
    if command == "python":
        assert [denial["rule"] for denial in found["denials"]] == ["interface-denied"]


def test_with_json_an_interrupted_run_says_so(fresh: Brane) -> None:
    with fresh.start("python", "--json", "-c", "while True: pass") as process:
        assert process.stderr.readline() == b"compiling python (once)\n"
        process.send_signal(signal.SIGTERM)
        found = json.loads(process.stdout.read())
    assert (process.returncode, found["outcome"], found["exit_code"]) == (143, "interrupted", 143)


def test_with_json_a_signal_ends_a_command_whose_output_nobody_reads(fresh: Brane) -> None:
    """What it has to say does not fit the pipe, and waits for a reader that never comes."""
    with fresh.start("run", "--json", "--output", "1MiB", "yes.wat") as process:
        wait_for(fresh, b"run.ended")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 143
