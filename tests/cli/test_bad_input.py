"""Whatever is handed in: one clear error, exit code 2, no traceback."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from conftest import Brane


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
