"""Programs as people have them, from C and Go, unchanged: arguments, input, output, exit codes, and no way out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import branes
from branes.errors import Refused

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
SALES = (EXAMPLES / "sales.csv").read_bytes()


@pytest.fixture(scope="session")
def wordcount(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("c") / "wordcount.wasm"
    env = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(tmp_path_factory.getbasetemp() / "zig")}
    compiler = [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi", "-O2"]
    subprocess.run([*compiler, "-o", out, EXAMPLES / "wordcount.c"], env=env, check=True, timeout=300)
    return out


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("go") / "words.wasm"
    own = {
        "GOOS": "wasip1",
        "GOARCH": "wasm",
        "GOCACHE": str(tmp_path_factory.getbasetemp() / "go-cache"),
        "GOPATH": str(out.parent / "path"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod",
        "GO111MODULE": "off",
    }
    go = Path(sys.executable).with_name("go")
    env = {name: value for name, value in os.environ.items() if not name.startswith("GO")} | own
    subprocess.run([go, "build", "-o", out, HERE / "words.go"], env=env, check=True, timeout=600)
    return out


def test_a_c_program_gets_arguments_and_input_and_gives_its_own_exit_code(wordcount: Path) -> None:
    found = branes.run(wordcount, ["anvil"], stdin=SALES)
    assert (found.exit_code, found.stdout) == (0, b"6 lines, 6 words, 124 bytes\n2 lines with anvil\n")
    missing = branes.run(wordcount, ["dynamite"], stdin=SALES)
    assert (missing.exit_code, missing.stdout) == (3, b"6 lines, 6 words, 124 bytes\n0 lines with dynamite\n")


@pytest.mark.timeout(900)
def test_a_go_program_runs_unchanged(words: Path) -> None:
    orders = b'{"customer": "b", "amount": 2.5}\n{"customer": "a", "amount": 1}\nnot json\n'
    orders += b'{"customer": "b", "amount": 4}\n'
    done = branes.run(words, ["x", "y z"], stdin=orders)
    assert done.stdout == b"a 1.00\nb 6.50\nargs [x y z] env 0 time goes on true\nno file: true\n"
    assert done.stderr.startswith(b"skipped: invalid character")
    assert done.exit_code == 1


def test_a_program_gets_the_environment_it_is_given_and_no_other(words: Path) -> None:
    done = branes.run(words, stdin=b"", env={"ONE": "1", "TWO": "2"})
    assert b"env 2" in done.stdout


def test_without_the_interfaces_it_needs_a_program_does_not_start(wordcount: Path) -> None:
    with pytest.raises(Refused) as refused:
        branes.run(wordcount, ["anvil"], stdin=SALES, preset="none")
    items = {refusal.item.partition("@")[0] for refusal in refused.value.refusals}
    assert {"wasi:cli/stdin", "wasi:cli/stdout", "wasi:io/streams", "wasi:cli/environment"} <= items
    assert all(refusal.change.startswith("--grant ") for refusal in refused.value.refusals)
