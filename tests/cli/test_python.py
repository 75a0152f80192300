"""`brane python`: called as `python` is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane


def test_code_gets_its_arguments_options_included(brane: Brane) -> None:
    done = brane("python", "-c", "import sys; print(sys.argv)", "a", "--json", "-c", "--help")
    assert (done.returncode, done.stdout) == (0, b"['-c', 'a', '--json', '-c', '--help']\n")


def test_a_script_gets_its_arguments_and_standard_input(brane: Brane, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint(sys.argv[1:], sys.stdin.read(), __name__)\nsys.exit(3)\n")
    done = brane("python", str(script), "-x", "--json", stdin=b"input")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"['-x', '--json'] input __main__\n", b"")


@pytest.mark.parametrize("args", [[], ["-"], ["-", "a"]])
def test_a_program_on_standard_input(brane: Brane, args: list[str]) -> None:
    done = brane("python", *args, stdin=b"import sys; print(sys.argv[1:], repr(sys.stdin.read()))")
    assert (done.returncode, done.stdout) == (0, f"{args[1:]} ''\n".encode())


def test_a_traceback_and_exit_code_1_come_through_without_colours(brane: Brane) -> None:
    done = brane("python", "-c", "1 / 0")
    assert done.returncode == 1
    assert done.stderr.startswith(b"Traceback (most recent call last):\n")
    assert done.stderr.endswith(b"ZeroDivisionError: division by zero\n")
    assert b"\x1b" not in done.stderr


def test_a_script_with_a_coding_line_is_read_as_it_says(brane: Brane, tmp_path: Path) -> None:
    script = tmp_path / "latin.py"
    script.write_bytes(b"# -*- coding: latin-1 -*-\nprint('\xe9')\n")
    assert brane("python", str(script)).stdout == "é\n".encode()


@pytest.mark.parametrize("coding", ["undefined", "punycode", "idna", "rot13", "no-such"])
def test_a_coding_that_is_none_or_takes_for_ever_is_2(brane: Brane, tmp_path: Path, coding: str) -> None:
    script = tmp_path / "slow.py"
    script.write_bytes(b"# coding: %s\n#-%s" % (coding.encode(), b"abcdefgh" * 200_000))
    done = brane("python", str(script))
    assert (done.returncode, done.stdout) == (2, b"")


def test_source_that_is_no_text_is_2(brane: Brane, tmp_path: Path) -> None:
    script = tmp_path / "no.py"
    script.write_bytes(b"\xff\xfe\x00")
    done = brane("python", str(script))
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"brane: ")


def test_output_comes_line_by_line_while_it_runs(brane: Brane) -> None:
    with brane.start("python", "-c", "print('first', flush=True)\nwhile True: pass") as process:
        assert process.stdout.readline() == b"first\n"
        assert process.poll() is None
        process.terminate()


def test_environment_is_only_what_is_given(brane: Brane) -> None:
    code = "import os; print(dict(os.environ))"
    assert brane("python", "-c", code).stdout == b"{}\n"
    assert brane("python", "--env", "A=b=c", "-c", code).stdout == b"{'A': 'b=c'}\n"


def test_a_deadline_and_a_memory_limit_hold(brane: Brane) -> None:
    assert brane("python", "--timeout", "500ms", "-c", "while True: pass").returncode == 124
    done = brane("python", "--json", "--memory", "64MiB", "-c", "x = bytearray(1 << 30)")
    assert json.loads(done.stdout)["exit_code"] in (1, 137)


def test_where_there_is_no_terminal_compiling_is_announced_once(fresh: Brane) -> None:
    first = fresh("python", "-c", "print(1)")
    assert (first.returncode, first.stdout, first.stderr) == (0, b"1\n", b"compiling python (once)\n")
    second = fresh("python", "-c", "print(2)")
    assert (second.stdout, second.stderr) == (b"2\n", b"")
