"""Whatever is handed in: one clear error, exit code 2, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import branes

if TYPE_CHECKING:
    from conftest import Brane

PROGRAMS = Path(__file__).parent / "programs"


def only_error(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of an error that is nothing but ours."""
    text = done.stderr.decode()
    assert done.stdout == b""
    assert text.startswith("brane: ")
    assert "Traceback" not in text
    assert all(char.isprintable() or char == "\n" for char in text)
    return text.splitlines()[0]


@pytest.mark.parametrize("command", ["run", "plan"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a program"),
        (b"\x00asm\x01\x00\x00\x00\x01", "not a program"),
        (b"\x00asm", "not a program"),
        (b"\x7fELF" + bytes(100), "not a program"),
        (b"(module", "not a program"),
        (b"(module (func \x1b]0;title\x07))", "not a program"),
        (bytes(100_000_000), "not a program"),
    ],
    ids=["empty", "truncated", "magic", "elf", "open", "escape", "100mb"],
)
def test_what_is_no_program(brane: Brane, tmp_path: Path, command: str, content: bytes, says: str) -> None:
    path = tmp_path / "program"
    path.write_bytes(content)
    done = brane(command, str(path))
    assert done.returncode == 2
    assert says in only_error(done)


def test_a_relative_state_folder_is_refused_where_the_working_directory_is_gone(brane: Brane, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = (
        "import os, sys; os.chdir(sys.argv[1]); os.rmdir(sys.argv[1]); sys.argv[1:] = ['python', '-c', '1'];"
        "from branes.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "gone")],
        env=brane.env | {"BRANES_STATE": "rel", "PYTHONPATH": str(Path(branes.__file__).parents[1])},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert only_error(done) == "brane: BRANES_STATE is rel, expected an absolute path"
    assert b"hint: the working directory is gone" in done.stderr


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\u202eb"])
def test_a_name_that_a_terminal_would_obey_is_escaped(brane: Brane, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no program")
    done = brane("run", str(path))
    assert done.returncode == 2
    only_error(done)
    path.unlink()
    done = brane("run", str(path))
    assert done.returncode == 2
    assert "no such file or directory" in only_error(done)


def test_an_import_name_that_a_terminal_would_obey_is_escaped(brane: Brane, tmp_path: Path) -> None:
    path = tmp_path / "names.wat"
    path.write_bytes(b'(module (import "a\\00b\\n\\1b[31m" "\\e2\\80\\ae" (func)))')
    done = brane("run", str(path))
    assert done.returncode == 126
    only_error(done)


@pytest.mark.parametrize("path", ["/", "/dev/zero", "/nonexistent", ""])
def test_what_is_no_file(brane: Brane, path: str) -> None:
    done = brane("run", path)
    assert done.returncode == 2
    only_error(done)


@pytest.mark.parametrize(
    "args",
    [
        ["run"],
        ["run", "--bogus", "exit.wat"],
        ["run", "--memory", "much", "exit.wat"],
        ["run", "--memory", "-1MiB", "exit.wat"],
        ["run", "--timeout", "0s", "exit.wat"],
        ["run", "--output", "1", "--env", "A", "exit.wat"],
        ["run", "--env", "=b", "exit.wat"],
        ["run", "--preset", "all", "exit.wat"],
        ["run", "--grant", "wasi:sockets", "exit.wat"],
        ["run", "--grant", "\x1b[31m", "exit.wat"],
        ["run", "--deny", "wasi:sokets", "exit.wat"],
        ["run", "--deny", "\x1b[31m", "exit.wat"],
        ["run", "exit.wat", os.fsdecode(b"\xff")],
        ["python", "-c"],
        ["python", "/nonexistent.py"],
        ["python", "/"],
        ["bogus"],
        ["audit"],
        ["audit", "tail", "-n", "0"],
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_2(brane: Brane, args: list[str]) -> None:
    done = brane(*args)
    assert done.returncode == 2
    only_error(done)


def test_a_component_that_is_no_command_is_2(brane: Brane, tmp_path: Path) -> None:
    path = tmp_path / "library.wat"
    path.write_text("(component)")
    done = brane("run", str(path))
    assert done.returncode == 2
    assert "does not export wasi:cli/run" in only_error(done)


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["python", "-c"], "write it like brane python -c 'print(1)'"),
        (["python", "exit.wat"], "use `brane run "),
        (["run", "--memory", "64M", "exit.wat"], "write 64MiB"),
        (["run", "--deny", "wasi:sokets", "exit.wat"], "did you mean wasi:sockets?"),
        (["run", "--grant", "wasi:random/randm", "exit.wat"], "did you mean wasi:random/random?"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_mistake_that_is_often_made_has_its_own_hint(brane: Brane, args: list[str], hint: str) -> None:
    done = brane(*args)
    assert done.returncode == 2
    only_error(done)
    assert done.stderr.decode().splitlines()[1].startswith(f"  hint: {hint}")


def test_a_script_that_is_run_as_a_program_is_sent_to_python(brane: Brane, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("print(1)\n")
    done = brane("run", str(script))
    assert done.returncode == 2
    assert f"use `brane python {script}`" in done.stderr.decode()


def test_a_program_without_a_name_that_is_given_to_python_is_sent_to_run(brane: Brane, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\0asm\1\0\0\0")
    done = brane("python", str(program))
    assert done.returncode == 2
    assert f"use `brane run {program}`" in done.stderr.decode()


def test_a_misspelled_command_is_corrected_once(brane: Brane) -> None:
    done = brane("rn")
    assert only_error(done) == "brane: no such command 'rn'. Did you mean 'run'?"
    assert done.stderr.count(b"mean") == 1


def test_a_relative_state_folder_is_125_and_nothing_is_made(brane: Brane, tmp_path: Path) -> None:
    words = brane.words("run", str(PROGRAMS / "exit.wat"), "0")
    env = brane.env | {"BRANES_STATE": "here", "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    done = subprocess.run(words, capture_output=True, env=env, cwd=tmp_path, check=False)
    assert done.returncode == 125
    assert only_error(done) == "brane: BRANES_STATE is here, expected an absolute path"
    assert list(tmp_path.iterdir()) == []


def test_shells_are_told_the_presets(brane: Brane) -> None:
    words = {"_BRANE_COMPLETE": "complete_bash", "COMP_WORDS": "brane run --preset ", "COMP_CWORD": "3"}
    done = brane(env=words)
    assert {line.split()[0] for line in done.stdout.decode().splitlines()} == {"none", "command", "library", "python"}


def test_import_this_fails_and_says_why(brane: Brane) -> None:
    done = brane("python", "-c", "import this")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1].startswith("ModuleNotFoundError: No module named 'this': ")
