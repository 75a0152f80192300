"""The one JSON object of `brane run --json` and `brane python --json`."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from branes.cli import output, streams
from branes.outcome import Completed, Usage

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane

KEYS = {
    "outcome",
    "exit_code",
    "stdout",
    "stdout_encoding",
    "stderr",
    "stderr_encoding",
    "denials",
    "usage",
    "run",
    "taken",
    "error",
}


def objects(brane: Brane, *args: str) -> dict[str, Any]:
    done = brane(*args)
    assert done.stdout.count(b"\n") == 1
    assert done.stdout.isascii()
    return json.loads(done.stdout)


def test_a_run_that_exits_says_so_and_has_no_error(brane: Brane) -> None:
    found = objects(brane, "run", "--json", "exit.wat", "126")
    assert set(found) == KEYS
    assert (found["outcome"], found["exit_code"], found["error"]) == ("exited", 126, None)
    assert found["usage"]["wall"] > 0
    assert found["usage"]["max_rss"] > 0
    assert len(found["run"]) == 16


def test_a_refusal_by_a_layer_is_told_from_a_guests_own_126(brane: Brane) -> None:
    found = objects(brane, "run", "--json", "evil.wat")
    assert (found["outcome"], found["exit_code"], found["run"]) == ("refused", 126, None)
    assert [(item["item"], item["change"]) for item in found["error"]["refusals"]] == [
        ("wasi:sockets/tcp@0.2.0", "--deny wasi:sockets/tcp"),
        ("wasi:http/outgoing-handler@0.2.0", "--deny wasi:http/outgoing-handler"),
        ("host:exec/run", "--deny host:exec/run"),
    ]


def test_ten_thousand_refused_imports_are_all_listed(brane: Brane, tmp_path: Path) -> None:
    path = tmp_path / "many.wat"
    imports = "".join(f'(import "evil:corp/f{n}" (func))' for n in range(10_000))
    path.write_text(f"(component {imports})")
    found = objects(brane, "run", "--json", str(path))
    assert found["exit_code"] == 126
    assert [refusal["item"] for refusal in found["error"]["refusals"]] == [f"evil:corp/f{n}" for n in range(10_000)]


def test_what_it_printed_until_it_was_killed_is_there(brane: Brane) -> None:
    found = objects(brane, "run", "--json", "--timeout", "200ms", "loop.wat")
    assert (found["outcome"], found["stdout"], found["stdout_encoding"]) == ("deadline", "running\n", "utf-8")
    assert (found["error"]["kind"], found["error"]["limit"]) == ("deadline", "time")


def test_output_that_is_no_text_is_base64_and_says_so(brane: Brane) -> None:
    found = objects(brane, "run", "--json", "hostile.wat")
    assert found["stdout_encoding"] == found["stderr_encoding"] == "base64"
    assert base64.b64decode(found["stdout"]).startswith(b"\x1b[31mred\x07\xc3\xa9\xff")


ENCODED = {
    "few control characters are text": (b"\x1b[31mred\x1b[0m\r\n\0", "utf-8"),
    "line ends are text": (b"\n" * 100, "utf-8"),
    "mostly control characters": (b"a\0" * 100, "base64"),
    "half a character at the end": (b"a" * 100 + b"\xc3", "base64"),
    "characters of any size": ("a\u00e9\u2028\U0001f600".encode() * 30_000, "utf-8"),
    "bytes that are not text, late": (b"a" * 300_001 + b"\xff", "base64"),
}


@pytest.mark.parametrize("name", ENCODED)
def test_output_is_text_where_it_is_mostly_that_and_whole_in_any_case(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, encoding = ENCODED[name]
    written: list[str] = []
    monkeypatch.setattr(streams, "put_pieces", written.extend)
    usage = Usage(wall=1.0, user=0.0, system=0.0, max_rss=0)
    output.put_json(output.exited(Completed(exit_code=0, stdout=data, stderr=b"", denials=(), usage=usage, run="r")))
    found = json.loads("".join(written))
    assert found["stdout_encoding"] == encoding
    assert (base64.b64decode(found["stdout"]) if encoding == "base64" else found["stdout"].encode()) == data
    assert max(map(len, written)) < 1 << 20


#: Says on standard error how many bytes a command took. What pytest takes is counted for its own children (execve(2)).
MEASURED = (
    "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], check=True);"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024, file=sys.stderr)"
)


def test_output_at_its_limit_takes_a_small_multiple_of_its_size(brane: Brane, tmp_path: Path) -> None:
    size = 60_000_000
    path = tmp_path / "out.py"
    path.write_text(f"import sys\nfor _ in range(1000): sys.stdout.write('\\0' * {size // 1000})")
    assert brane("python", "-c", "1").returncode == 0  # what compiling takes is another matter
    words = [sys.executable, "-c", MEASURED, *brane.words("python", "--json", str(path))]
    with (tmp_path / "said").open("wb") as said:
        done = subprocess.run(words, stdout=said, stderr=subprocess.PIPE, env=brane.env, timeout=120, check=True)
    assert int(done.stderr) < 5 * size
    found = json.loads((tmp_path / "said").read_bytes())
    assert found["stdout_encoding"] == "base64"
    assert base64.b64decode(found["stdout"]) == bytes(size)


def test_a_trap_is_named(brane: Brane) -> None:
    found = objects(brane, "run", "--json", "trap.wat")
    assert (found["outcome"], found["error"]["trap"]) == ("trap", "unreachable-code-reached")


@pytest.mark.parametrize(
    "args",
    [
        ["run", "--json", "--bogus", "exit.wat"],
        ["run", "--bogus", "--json", "exit.wat"],
        ["python", "--json", "-c"],
        ["plan", "exit.wat", "--bogus", "--json"],
        ["audit", "tail", "--json", "--bogus"],
        ["audit", "bogus", "--json"],
    ],
    ids=" ".join,
)
def test_a_wrong_word_is_told_in_json_too(brane: Brane, args: list[str]) -> None:
    done = brane(*args)
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (2, b"")
    assert (found["outcome"], found["exit_code"]) == ("usage", 2)


@pytest.mark.parametrize(
    "args",
    [["run", "/nonexistent", "--json"], ["run", "--memory", "--json", "exit.wat"], ["run", "--bogus", "a", "--json"]],
)
def test_a_guests_own_json_option_is_not_ours(brane: Brane, args: list[str]) -> None:
    done = brane(*args)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"brane: ")


def test_denials_are_listed_with_their_record(brane: Brane) -> None:
    code = "import socket\ntry: socket.create_connection(('192.0.2.1', 80))\nexcept OSError: print('no')"
    found = objects(brane, "python", "--json", "-c", code)
    assert (found["stdout"], found["outcome"]) == ("no\n", "exited")
    assert found["denials"]
    assert {denial["layer"] for denial in found["denials"]} == {"language"}
    assert all(denial["seq"] > 0 and denial["tried"].startswith("wasi:sockets/") for denial in found["denials"])
