"""The one JSON object of `brane run --json` and `brane python --json`."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

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
