"""`brane call`, `inspect`, `diff` and `stubs`: functions of a component, called and looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # components are shared with other tests

import identity

if TYPE_CHECKING:
    from conftest import Brane


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("app") / "moving.wat"
    path.write_bytes(identity.moving())
    return str(path)


@pytest.mark.parametrize(
    ("call", "printed"),
    [
        ("bytes([1, 2])", b"[1, 2]\n"),
        ("as-text([27, 32])", b'"\\u{1b} "\n'),
        ("length([1, 2])", b"2\n"),
        ("nothing([])", b""),
        ("well([1])", b"[1]\n"),
    ],
)
def test_a_value_is_printed_in_the_notation_that_arguments_have(
    brane: Brane, app: str, call: str, printed: bytes
) -> None:
    done = brane("call", app, call)
    assert (done.returncode, done.stdout, done.stderr) == (0, printed, b"")


def test_as_json_a_value_stands_beside_its_text(brane: Brane, app: str) -> None:
    done = brane("call", "--json", app, "bytes([1, 2])")
    told = json.loads(done.stdout)
    assert (done.returncode, told["outcome"], told["value"], told["wave"]) == (0, "exited", [1, 2], "[1, 2]")


def test_an_error_that_a_function_returns_is_1_and_told(brane: Brane, app: str) -> None:
    done = brane("call", app, "ill([110, 111])")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"brane: `ill` returned an error: no\n")
    told = json.loads(brane("call", "--json", app, "ill([110, 111])").stdout)
    assert (told["outcome"], told["exit_code"]) == ("result-error", 1)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("byte([])", "no exported function is called `byte`"),
        ("bytes([256])", "column 8: got `256`, expected u8"),
        ("bytes(", "expected"),
        ("", "expected"),
        ("bytes()", "argument"),
    ],
)
def test_a_call_that_means_nothing_is_2_and_says_why(brane: Brane, app: str, call: str, said: str) -> None:
    done = brane("call", app, call)
    assert (done.returncode, done.stdout) == (2, b"")
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_a_trap_is_134(brane: Brane, app: str) -> None:
    assert brane("call", app, "trap()").returncode == 134


def test_inspect_says_what_there_is_and_what_it_would_allow(brane: Brane, app: str) -> None:
    text = brane("inspect", app).stdout.decode()
    assert "imports: what it could do, where it is granted\n  nothing\n" in text
    assert "    well: func(x: list<u8>) -> result<list<u8>, string>\n" in text
    told = json.loads(brane("inspect", "--json", "exit.wat").stdout)
    allowed = {side["name"].partition("@")[0]: side["allows"] for side in told["imports"]}
    assert allowed["wasi:cli/exit"] == "end itself with an exit code"


def test_diff_says_what_is_new_and_its_code_whether_anything_is(brane: Brane, app: str) -> None:
    same = brane("diff", app, app)
    assert (same.returncode, same.stdout) == (0, b"nothing differs\n")
    more = brane("diff", app, "exit.wat")
    assert more.returncode == 1
    assert "it could end itself with an exit code\n" in more.stdout.decode()
    assert "- no longer exports bytes\n" in more.stdout.decode()
    told = json.loads(brane("diff", "--json", "exit.wat", app).stdout)
    assert "exports bytes" in told["gained"]


def test_stubs_are_python_that_a_type_checker_reads(brane: Brane, app: str, tmp_path: Path) -> None:
    done = brane("stubs", app)
    stub = tmp_path / "moving.pyi"
    stub.write_bytes(done.stdout)
    words = [sys.executable, "-m", "mypy", "--strict", f"--cache-dir={tmp_path}", str(stub)]
    checked = subprocess.run(words, capture_output=True, check=False)
    assert (done.returncode, checked.returncode) == (0, 0), checked.stdout


@pytest.mark.parametrize("command", ["inspect", "stubs", "call", "diff"])
def test_what_is_no_program_is_2(brane: Brane, tmp_path: Path, command: str) -> None:
    missing = str(tmp_path / "no.wasm")
    done = brane(command, missing, *{"call": ["f()"], "diff": [missing]}.get(command, []))
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"cannot be read" in done.stderr
