"""What goes in and comes out: byte by byte through a pipe, escaped on a terminal, quiet when nobody reads."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane, Family

HOSTILE = b"\x1b[31mred\x07\xc3\xa9\xff\x00\xe2\x80\xae\xc2\x9b\tx\n"
ESCAPED = r"\x1b[31mred\x07é\xff\x00\u202e\x9b".encode() + b"\tx\r\n"


def on_a_terminal(brane: Brane, *args: str, stream: str = "stdout") -> tuple[bytes, int]:
    """What a terminal is sent when `stream` is one; the other is dropped. Second, the exit code."""
    ours, theirs = pty.openpty()
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
    with subprocess.Popen(brane.words(*args), stdin=subprocess.DEVNULL, env=brane.env, **streams) as process:
        os.close(theirs)
        seen = bytearray()
        with contextlib.suppress(OSError):  # EIO: the last one closed it
            while chunk := os.read(ours, 65536):
                seen += chunk
        os.close(ours)
    return bytes(seen), process.returncode


def test_output_through_a_pipe_is_what_the_guest_wrote(brane: Brane) -> None:
    done = brane("run", "hostile.wat")
    assert (done.returncode, done.stdout, done.stderr) == (0, HOSTILE, HOSTILE)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_output_on_a_terminal_is_escaped(brane: Brane, stream: str) -> None:
    assert on_a_terminal(brane, "run", "hostile.wat", stream=stream) == (ESCAPED, 0)


def test_an_error_on_a_terminal_escapes_what_was_named(brane: Brane) -> None:
    seen, code = on_a_terminal(brane, "run", "a\nb\x1b[31m", stream="stderr")
    assert (seen, code) == (b"brane: a\\nb\\x1b[31m cannot be read: no such file or directory\r\n", 2)


def test_a_terminal_is_shown_the_first_twenty_refusals_and_a_count(brane: Brane, tmp_path: Path) -> None:
    path = tmp_path / "many.wat"
    path.write_text("(component " + "".join(f'(import "evil:corp/i{n}" (instance))' for n in range(50)) + ")")
    seen, code = on_a_terminal(brane, "run", str(path), stream="stderr")
    assert (code, seen.count(b"refused by layer")) == (126, 20)
    assert b"and 30 more; --json lists them all" in seen
    assert brane("run", str(path)).stderr.count(b"refused by layer") == 50


def test_denied_attempts_are_told_on_a_terminal_only(brane: Brane) -> None:
    code = "import socket\ntry: socket.create_connection(('192.0.2.1', 80))\nexcept OSError: pass"
    seen, _ = on_a_terminal(brane, "python", "-c", code, stream="stderr")
    told = re.search(rb"brane: refused 1 attempt \(wasi:sockets/[^ ]*\); see `brane audit tail --run (\w+)`", seen)
    assert told
    shown = brane("audit", "tail", "--run", told[1].decode()).stdout.splitlines()
    assert [line.split()[5] for line in shown] == [b"run.spawned", b"call.started", b"wasi.denied", b"run.ended"]
    assert brane("python", "-c", code).stderr == b""


def test_standard_input_arrives_whole(brane: Brane) -> None:
    data = os.urandom(300_000)
    done = brane("run", "cat.wat", stdin=data)
    assert (done.returncode, done.stdout) == (0, data)


def test_output_comes_while_the_guest_runs_and_input_goes_in(brane: Brane) -> None:
    with brane.start("run", "cat.wat", stdin=subprocess.PIPE) as process:
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == line
        process.stdin.close()
    assert process.returncode == 0


def test_a_reader_that_leaves_ends_the_run_quietly(fresh: Brane, family: type[Family]) -> None:
    with fresh.start("run", "yes.wat") as process:
        assert process.stdout.read(1) == b"y"
        branes = family.below(process.pid)
        assert branes.found
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
    branes.wait_until_gone()
    assert b'"event":"run.cancelled"' in (fresh.state / "audit" / "000001.jsonl").read_bytes()


@pytest.mark.parametrize("args", [("run", "yes.wat"), ("run", "--json", "exit.wat", "3"), ("--help",), ("plan",)])
def test_a_closed_standard_output_is_141_without_a_word(brane: Brane, args: list[str]) -> None:
    words = ["sh", "-c", 'exec "$@" >&-', "sh", *brane.words(*args)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=brane.env, check=False)
    # Python's own help writer takes a closed output for no output.
    assert (done.returncode, done.stderr) == (0 if args == ("--help",) else 141, b"")


def test_closed_streams_do_not_mix_up_descriptors(brane: Brane) -> None:
    words = ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", *brane.words("run", "cat.wat")]
    done = subprocess.run(words, stdout=subprocess.PIPE, env=brane.env, check=False)
    assert (done.returncode, done.stdout) == (0, b"")


@pytest.mark.parametrize(
    "said",
    [
        ("run", "loop.wat"),
        ("run", "--json", "--timeout", "1s", "loop.wat"),
        ("run", "--json", "--nope"),
        ("audit", "verify", "--json"),
        ("--help",),
    ],
)
def test_a_full_disk_behind_standard_output_is_125(brane: Brane, said: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:
        words = brane.words(*said)
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, env=brane.env, check=False)
    assert (done.returncode, done.stderr) == (125, b"brane: output cannot be written: no space left on device\n")


def test_a_reader_that_does_not_read_does_not_stretch_the_deadline(brane: Brane) -> None:
    brane("plan", "yes.wat")
    started = time.monotonic()
    with brane.start("run", "--timeout", "1s", "yes.wat") as process:
        # Nothing is read until the command says why it ended.
        assert select.select([process.stderr], [], [], 100)[0]
        assert b"killed after 1 s, in which its output was not read" in process.stderr.read()
    assert process.returncode == 124
    assert time.monotonic() - started < 10  # of which the brane has one


def test_a_slow_reader_gets_all_that_was_written_before_the_guest_was_killed(brane: Brane) -> None:
    with brane.start("run", "--output", "256KiB", "yes.wat") as process:
        # Whatever it still writes waits for us: a pipe holds 64 KiB.
        assert not select.select([process.stderr], [], [], 1)[0]
        assert len(process.stdout.read()) == 256 << 10
        assert b"killed after 256 KiB of output" in process.stderr.read()
    assert process.returncode == 137
