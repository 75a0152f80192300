"""`branes.run`: a program in a fresh brane, to its end."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import branes
from branes import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    from branes.audit import Record


def test_arguments_arrive_as_they_are_after_the_programs_name(programs: SimpleNamespace) -> None:
    done = branes.run(programs.print_args, ["--flag", "", "a b\n", "ü ✓", "$HOME;*"])
    assert done.stdout == "app\0--flag\0\0a b\n\0ü ✓\0$HOME;*\0".encode()
    assert (done.exit_code, done.stderr, done.denials) == (0, b"", ())


def test_a_file_is_called_by_its_own_name(programs: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "tool.wat").write_bytes(programs.print_args)
    assert branes.run(tmp_path / "tool.wat").stdout == branes.run(str(tmp_path / "tool.wat")).stdout == b"tool.wat\0"


def test_the_environment_is_empty_unless_one_is_given(
    programs: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    assert branes.run(programs.print_env).stdout == b""
    assert branes.run(programs.print_env, env={"A": "1", "B": ""}).stdout == b"A=1\0B=\0"


@pytest.mark.parametrize("stdin", [b"some bytes\0", "tëxt", io.BytesIO(b"a file")])
def test_input_of_every_kind_arrives(programs: SimpleNamespace, stdin: bytes | str | io.BytesIO) -> None:
    expected = stdin.encode() if isinstance(stdin, str) else stdin if isinstance(stdin, bytes) else stdin.getvalue()
    assert branes.run(programs.echo, stdin=stdin).stdout == expected


def test_no_input_is_an_end_at_once(programs: SimpleNamespace) -> None:
    assert branes.run(programs.echo).stdout == b""


@pytest.mark.parametrize("code", [0, 1, 2, 42, 70, 71, 125, 126])
def test_an_exit_code_is_the_guests_own(
    programs: SimpleNamespace, code: int, records: Callable[[str], list[Record]]
) -> None:
    done = branes.run(programs.exit(code))
    assert done.exit_code == code
    end = records(done.run)[-1]
    assert (end.event, end.done["exit_code"], end.done["outcome"]) == ("run.ended", code, "exited")


def test_five_million_bytes_go_in_and_come_out_of_a_guest_that_prints_as_it_reads(programs: SimpleNamespace) -> None:
    data = os.urandom(5_000_000)
    assert branes.run(programs.echo, stdin=data).stdout == data


def test_a_caller_that_pushes_and_a_guest_that_prints_do_not_block_each_other(
    programs: SimpleNamespace, pipe: SimpleNamespace
) -> None:
    data = os.urandom(5_000_000)

    def push() -> None:
        with pipe.writer, io.BufferedWriter(pipe.writer) as into:
            into.write(data)

    thread = threading.Thread(target=push)
    thread.start()
    with pipe.open() as file:
        assert branes.run(programs.echo, stdin=file).stdout == data
    thread.join()


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_output_is_there_before_the_next_input_is_written(
    programs: SimpleNamespace, pipe: SimpleNamespace, buffering: int
) -> None:
    questions = [b"first\n", b"second\n", b"third\n"]
    answers: list[bytes] = []

    def on_stdout(data: bytes) -> None:
        answers.append(data)
        if len(answers) < len(questions):
            pipe.writer.write(questions[len(answers)])
        else:
            pipe.writer.close()

    pipe.writer.write(questions[0])
    with pipe.open(buffering=buffering) as file:
        done = branes.run(programs.echo, stdin=file, on_stdout=on_stdout)
    assert answers == questions
    assert done.stdout == b""


@pytest.mark.parametrize("buffering", [0, -1], ids=["raw", "buffered"])
def test_time_is_up_though_a_guest_waits_for_input_that_does_not_come(
    programs: SimpleNamespace, pipe: SimpleNamespace, buffering: int
) -> None:
    with pipe.open(buffering=buffering) as file, pytest.raises(errors.DeadlineExceeded):
        branes.run(programs.echo, stdin=file, timeout="200ms")


def test_standard_input_of_the_caller_can_be_given_and_nothing_hangs_at_its_exit(pipe: SimpleNamespace) -> None:
    """A thread that reads `sys.stdin` would hold its lock, and the interpreter aborts where it cannot have that."""
    code = (
        "import sys, branes\n"
        "with branes.python(timeout=0.2) as py:\n"
        "    try: py.run('input()', stdin=sys.stdin.buffer)\n"
        "    except branes.errors.DeadlineExceeded: print('late')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdin=pipe.reader, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"late\n", b"")


def test_time_that_is_up_ends_a_guest_that_computes(
    programs: SimpleNamespace, records: Callable[[str], list[Record]]
) -> None:
    started = time.monotonic()
    with pytest.raises(errors.DeadlineExceeded) as caught:
        branes.run(programs.spin, timeout=0.3)
    assert 0.3 <= time.monotonic() - started < 10
    assert caught.value.limit == "time"
    assert caught.value.completed is not None
    found = records(caught.value.completed.run)
    assert [record.event for record in found] == ["run.spawned", "call.started", "limit.time", "run.ended"]
    assert found[-1].done["outcome"] == "deadline"


def test_too_much_output_ends_a_guest_and_what_was_within_the_limit_is_there(
    programs: SimpleNamespace, records: Callable[[str], list[Record]]
) -> None:
    with pytest.raises(errors.LimitExceeded) as caught:
        branes.run(programs.echo, stdin=bytes(1_000_000), output="100KiB")
    assert caught.value.limit == "output"
    completed = caught.value.completed
    assert completed is not None
    assert 0 < len(completed.stdout) <= 100 << 10
    assert [record.event for record in records(completed.run)].count("limit.output") == 1


def test_a_trap_is_named_and_recorded(programs: SimpleNamespace, records: Callable[[str], list[Record]]) -> None:
    with pytest.raises(errors.Trapped) as caught:
        branes.run(programs.trap)
    assert caught.value.trap == "unreachable-code-reached"
    assert caught.value.completed is not None
    assert "wasm.trap" in [record.event for record in records(caught.value.completed.run)]


def hungry(then: str) -> bytes:
    """A program that takes memory until it is refused, and then does `then`."""
    return f"""
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $more (br_if $more (i32.ne (memory.grow (i32.const 64)) (i32.const -1))))
    {then}))
""".encode()


def test_a_program_that_aborts_for_want_of_memory_is_at_its_limit(records: Callable[[str], list[Record]]) -> None:
    with pytest.raises(errors.LimitExceeded) as caught:
        branes.run(hungry("unreachable"), memory="16MiB")
    assert (caught.value.limit, caught.value.exit_code) == ("memory", 137)
    assert "--memory" in caught.value.hint
    assert caught.value.completed is not None
    assert caught.value.completed.exit_code == 137
    found = records(caught.value.completed.run)
    assert [one.event for one in found[2:]] == ["limit.memory", "wasm.trap", "run.ended"]
    assert found[2].done == {"refused": True, "limit": 16 << 20}
    assert found[-1].done["outcome"] == "limit"


def test_a_program_that_makes_do_without_more_memory_exits_as_it_likes() -> None:
    assert branes.run(hungry(""), memory="16MiB").exit_code == 0
    assert branes.run(hungry("(call $exit (i32.const 7))"), memory="16MiB").exit_code == 7


def test_a_program_that_makes_do_and_then_traps_trapped(records: Callable[[str], list[Record]]) -> None:
    with pytest.raises(errors.Trapped) as caught:
        branes.run(hungry("(drop (i32.div_u (i32.const 1) (i32.const 0)))"), memory="16MiB")
    assert (caught.value.trap, caught.value.exit_code) == ("integer-division-by-zero", 134)
    assert caught.value.completed is not None
    assert records(caught.value.completed.run)[-1].done["outcome"] == "trap"


@pytest.mark.parametrize("app", [b"", b"MZ", b"\0asm", b"(module", b"#!/bin/sh\n", bytes(1000)])
def test_what_is_no_program_is_the_callers_mistake(app: bytes) -> None:
    with pytest.raises(errors.InputError):
        branes.run(app)


@pytest.mark.parametrize("name", ["absent.wasm", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_the_callers_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.InputError, match="cannot be read"):
        branes.run(f"{tmp_path}/{name}")


def test_a_component_that_is_no_command_is_the_callers_mistake(programs: SimpleNamespace) -> None:
    with pytest.raises(errors.InputError, match="does not export wasi:cli/run"):
        branes.run(programs.no_command)


def test_what_a_component_imports_beyond_its_preset_is_refused_before_it_runs(programs: SimpleNamespace) -> None:
    with pytest.raises(errors.Refused) as caught:
        branes.run(programs.foreign)
    assert [refusal.item for refusal in caught.value.refusals] == ["evil:host/anything"]


def test_what_the_caller_raises_ends_the_guest_and_is_raised(programs: SimpleNamespace) -> None:
    def fail(_data: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        branes.run(programs.echo, stdin=b"a", on_stdout=fail)


@pytest.mark.parametrize(
    "words",
    [
        {"memory": "lots"},
        {"timeout": 0},
        {"output": -1},
        {"preset": "all"},
        {"grants": ["wasi:sockets/tcp"]},
        {"stdin": 1},
    ],
    ids=str,
)
def test_a_bad_argument_is_the_callers_mistake(programs: SimpleNamespace, words: dict[str, object]) -> None:
    with pytest.raises(errors.UsageError):
        branes.run(programs.echo, **words)  # type: ignore[arg-type]


def test_arguments_that_no_message_holds_are_the_callers_mistake(programs: SimpleNamespace) -> None:
    with pytest.raises(errors.UsageError, match="too large"):
        branes.run(programs.print_args, ["a" * (17 << 20)])
    assert branes.run(programs.print_args).exit_code == 0


def test_progress_of_compiling_is_told_once_per_program(programs: SimpleNamespace) -> None:
    told: list[tuple[int, int]] = []
    program = programs.exit(int.from_bytes(os.urandom(3), "big") << 8)
    branes.run(program, progress=lambda done, total: told.append((done, total)))
    assert told
    assert all(0 <= done <= total for done, total in told)
    again = len(told)
    branes.run(program, progress=lambda done, total: told.append((done, total)))
    assert len(told) == again


def test_twenty_runs_leave_no_descriptor_behind(programs: SimpleNamespace) -> None:
    def run(number: int) -> None:
        branes.run(programs.echo, stdin=b"a" * number)
        with pytest.raises(errors.Trapped):
            branes.run(programs.trap)

    run(0)
    # What earlier tests raised still holds its frames, and these hold artifacts: not to be given back in between.
    gc.collect()
    before = sorted(os.listdir("/proc/self/fd"))
    for number in range(20):
        run(number)
    assert sorted(os.listdir("/proc/self/fd")) == before


DENIED = """(component
  (import "{interface}" (instance $denied (export "{function}" (func))))
  (core func $lowered (canon lower (func $denied "{function}")))
  (core module $code
    (import "denied" "call" (func $call))
    (func (export "run") (result i32) (call $call) (i32.const 0)))
  (core instance $core (instantiate $code (with "denied" (instance (export "call" (func $lowered))))))
  (func $run (result (result)) (canon lift (core func $core "run")))
  (component $command (import "run" (func $run (result (result)))) (export "run" (func $run)))
  (instance $exported (instantiate $command (with "run" (func $run))))
  (export "wasi:cli/run@0.2.0" (instance $exported)))"""


@pytest.mark.parametrize("where", ["interface", "function"])
def test_a_denied_call_of_any_name_is_recorded(where: str, records: Callable[[str], list[Record]]) -> None:
    names = {"interface": "wasi:sockets/tcp@0.2.0", "function": "call"}
    names[where] += f"-{'x' * 2000}"
    with pytest.raises(errors.Trapped) as caught:
        branes.run(DENIED.format(**names).encode(), preset="python")
    assert caught.value.completed is not None
    (denial,) = caught.value.completed.denials
    assert denial.rule == "interface-denied"
    (record,) = (one for one in records(caught.value.completed.run) if one.event == "wasi.denied")
    assert record.tried[where] == names[where][:1024]


def test_an_import_of_a_shape_that_cannot_be_is_refused_in_few_words() -> None:
    component = f"""(component
      (import "wasi:sockets/tcp@0.2.0" (instance (export "{"x" * 60_000}" (instance))))
      (component $empty) (instance $run (instantiate $empty)) (export "wasi:cli/run@0.2.0" (instance $run)))"""
    with pytest.raises(errors.Refused) as caught:
        branes.run(component.encode(), preset="python")
    (refusal,) = caught.value.refusals
    assert refusal.item.startswith("link wasi:sockets/tcp@0.2.0: ")
    assert len(refusal.item) <= 4096


def test_a_refused_name_is_told_in_characters_that_no_terminal_obeys() -> None:
    with pytest.raises(errors.Refused) as caught:
        branes.run(b'(component (import "url=<\\1b[31m>" (func)))')
    assert [refusal.item for refusal in caught.value.refusals] == [r"url=<\x1b[31m>"]


HELLO = Path(__file__).parents[2] / "examples" / "hello.wat"


@pytest.mark.parametrize(
    "mistake",
    [
        {"args": "--verbose"},
        {"args": b"--verbose"},
        {"args": [1]},
        {"args": ["a\0b"]},
        {"args": ["\ud800"]},
        {"grants": "wasi:random"},
        {"denials": "wasi:sockets"},
        {"env": ["A=1"]},
        {"env": {"A": 1}},
        {"memory": 1.5},
        {"timeout": True},
    ],
    ids=str,
)
def test_words_of_the_wrong_type_are_the_callers_mistake(mistake: dict[str, Any]) -> None:
    with pytest.raises(errors.UsageError) as raised:
        branes.run(HELLO, **mistake)
    assert raised.type is errors.UsageError
