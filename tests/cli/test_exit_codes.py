"""Each row of the table of exit codes, as a transcript of a real run."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane


HTTP = "wasi:http/outgoing-handler"


def lines(data: bytes) -> list[str]:
    return data.decode().splitlines()


@pytest.mark.parametrize("code", [0, 1, 3, 126])
def test_a_guests_own_exit_code_comes_back(brane: Brane, code: int) -> None:
    done = brane("run", "exit.wat", str(code))
    assert (done.returncode, done.stdout, done.stderr) == (code, b"", b"")


def test_bad_input_is_2_with_one_clear_error(brane: Brane, tmp_path: Path) -> None:
    path = tmp_path / "no.wasm"
    path.write_bytes(b"this is no program")
    done = brane("run", str(path))
    assert done.returncode == 2
    assert done.stdout == b""
    assert lines(done.stderr)[0].startswith("brane: not a program that can run: ")


def test_a_deadline_is_124(brane: Brane) -> None:
    done = brane("run", "--timeout", "200ms", "loop.wat")
    assert (done.returncode, done.stdout) == (124, b"running\n")
    assert lines(done.stderr)[0] == "brane: killed after 0.2 s"
    assert lines(done.stderr)[1].startswith("  hint: give it more: --timeout")


def test_a_state_folder_that_cannot_be_made_is_125(brane: Brane) -> None:
    done = brane("run", "exit.wat", "0", env={"BRANES_STATE": "/dev/null/state"})
    assert done.returncode == 125
    assert "BRANES_STATE" in lines(done.stderr)[1]


def test_a_log_that_cannot_be_written_is_125_and_no_result_comes_out(fresh: Brane) -> None:
    assert fresh("run", "exit.wat", "0").returncode == 0
    segment = fresh.state / "audit" / "000001.jsonl"
    segment.write_bytes(segment.read_bytes().replace(b'"seq":1,', b'"seq":9,') + b"{}\n")
    done = fresh("run", "loop.wat")
    assert (done.returncode, done.stdout) == (125, b"")
    assert "brane audit verify" in done.stderr.decode()


def test_a_refused_program_is_126_names_every_import_and_the_way_out(fresh: Brane) -> None:
    done = fresh("run", "evil.wat")
    assert (done.returncode, done.stdout) == (126, b"")
    assert lines(done.stderr) == [
        "brane: the component imports 3 interfaces that nothing grants",
        "  refused by layer language: wasi:sockets/tcp@0.2.0  (--deny wasi:sockets/tcp would let it start)",
        f"  refused by layer language: {HTTP}@0.2.0  (--deny {HTTP} would let it start)",
        "  refused by layer language: host:exec/run  (--deny host:exec/run would let it start)",
        "  hint: grant what it needs, or deny it so that each use is refused and recorded",
    ]


def test_no_byte_of_a_refused_program_runs(fresh: Brane) -> None:
    fresh("run", "evil.wat")
    records = [json.loads(line) for line in (fresh.state / "audit" / "000001.jsonl").read_bytes().splitlines()]
    assert [record["event"] for record in records] == ["wasi.link_denied"]
    assert records[0]["done"] == {"started": False}
    assert records[0]["tried"]["imports"] == [
        "wasi:sockets/tcp@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "host:exec/run",
    ]


def test_a_denied_import_lets_it_start_and_each_use_is_refused_and_recorded(fresh: Brane) -> None:
    done = fresh("run", "--deny", "host:exec/run", "denied.wat")
    assert done.returncode == 134
    written = (fresh.state / "audit" / "000001.jsonl").read_bytes()
    (denied,) = (line for line in written.splitlines() if b'"wasi.denied"' in line)
    assert json.loads(denied)["tried"] == {
        "arguments": "rm\x1b[31m -rf",
        "function": "run",
        "interface": "host:exec/run@1.0.0",
    }
    assert b"\x1b" not in written


def test_an_import_that_is_granted_but_of_another_type_is_said_to_be_that(brane: Brane) -> None:
    done = brane("run", "misfit.wat")
    assert (done.returncode, done.stdout) == (126, b"")
    first, second, hint = lines(done.stderr)
    assert first.endswith("in a form that this host does not have: the types do not match")
    assert "wasi:cli/stdout@0.2.0" in second
    assert "nothing grants" not in first + second
    assert hint.startswith("  hint: build it for the version")


def test_a_hundred_refusals_are_137_with_the_way_to_read_them(brane: Brane) -> None:
    code = (
        "import socket\nfor _ in range(1000):\n try: socket.create_connection(('192.0.2.1', 80))\n except OSError: pass"
    )
    done = brane("python", "-c", code)
    assert done.returncode == 137
    assert lines(done.stderr)[0] == "brane: killed after 100 refused calls"
    assert "brane audit tail --run " in lines(done.stderr)[1]


def test_a_trap_is_134(brane: Brane) -> None:
    done = brane("run", "trap.wat")
    assert (done.returncode, done.stdout) == (134, b"")
    assert lines(done.stderr)[0].startswith("brane: the guest trapped: ")


def test_a_limit_is_137(brane: Brane) -> None:
    done = brane("run", "--output", "1KiB", "yes.wat")
    assert (done.returncode, done.stdout) == (137, b"y\n" * 512)
    assert lines(done.stderr)[0] == "brane: killed after 1 KiB of output"


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["run", "exit.wat", "126"], 126),
        (["run", "evil.wat"], 126),
        (["run", "--timeout", "200ms", "loop.wat"], 124),
        (["run", "trap.wat"], 134),
        (["run", "--output", "1KiB", "yes.wat"], 137),
        (["run", "/nonexistent"], 2),
        (["plan", "/nonexistent"], 2),
        (["audit", "verify", "--log", "/nonexistent"], 125),
    ],
)
def test_json_has_the_same_exit_code_and_says_it_on_standard_output_alone(
    brane: Brane, args: list[str], code: int
) -> None:
    command, *rest = args if args[0] != "audit" else ["audit verify", *args[2:]]
    done = brane(*command.split(), "--json", *rest)
    assert (done.returncode, done.stderr) == (code, b"")
    assert json.loads(done.stdout)["exit_code"] == code


def test_an_unexpected_exception_is_125_and_no_traceback_unless_asked_for(brane: Brane, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import branes.launching\ndel branes.launching.prepare\n")
    path = {"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
    done = brane("run", "exit.wat", "0", env=path)
    assert done.returncode == 125
    assert lines(done.stderr)[0].startswith("brane: unexpected ImportError: ")
    assert "Traceback" not in done.stderr.decode()
    assert "BRANES_DEBUG=1" in lines(done.stderr)[1]
    assert "Traceback" in brane("run", "exit.wat", "0", env={**path, "BRANES_DEBUG": "1"}).stderr.decode()


def test_an_incomplete_installation_is_125_in_one_line(brane: Brane, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise ImportError('no typer here')\n")
    done = brane("run", "exit.wat", "0", env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])})
    assert done.returncode == 125
    assert lines(done.stderr)[0] == "brane: this installation is incomplete: no typer here"
