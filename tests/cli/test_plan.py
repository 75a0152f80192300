"""`brane plan`: what would be enforced, without running anything."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Brane


def test_a_program_that_would_start_is_0(fresh: Brane) -> None:
    done = fresh("plan", "exit.wat")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "kind     a WASI preview-1 module, adapted to a component\n" in text
    assert "verdict  it would start\n" in text
    assert "  granted  wasi:cli/exit@" in text
    assert "lets it end itself with an exit code\n" in text
    assert "template sha256:" in text


def test_a_program_that_would_be_refused_is_126_and_is_shown_all_the_same(fresh: Brane) -> None:
    done = fresh("plan", "evil.wat")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (126, b"")
    assert "verdict  it would be refused: 3 of its 4 imports are absent\n" in text
    assert (
        "  absent   wasi:sockets/tcp@0.2.0\n           it would make TCP connections; --deny wasi:sockets/tcp" in text
    )
    assert "  granted  wasi:cli/stdout@0.2.0\n" in text


def test_what_is_denied_is_shown_as_that(fresh: Brane) -> None:
    done = fresh("plan", "--deny", "wasi:sockets", "--json", "evil.wat")
    states = {item["name"]: item["state"] for item in json.loads(done.stdout)["imports"]}
    assert states["wasi:sockets/tcp@0.2.0"] == "denied"
    assert states["host:exec/run"] == "absent"


def test_nothing_is_started_or_recorded(fresh: Brane) -> None:
    fresh("plan", "evil.wat")
    fresh("plan", "exit.wat")
    assert not list((fresh.state / "audit").glob("*.jsonl"))


def test_the_digest_is_that_of_the_template_that_a_run_uses(fresh: Brane) -> None:
    planned = json.loads(fresh("plan", "--json", "exit.wat").stdout)["template"]
    fresh("run", "exit.wat", "0")
    records = [json.loads(line) for line in (fresh.state / "audit" / "000001.jsonl").read_bytes().splitlines()]
    (spawned,) = (record for record in records if record["event"] == "run.spawned")
    assert spawned["tried"]["template"] == planned


def test_verbose_gives_the_reason_for_each_system_call(fresh: Brane) -> None:
    brief, verbose = fresh("plan", "exit.wat").stdout, fresh("plan", "--verbose", "exit.wat").stdout
    assert b"  getrandom      wasi:random" in verbose
    assert b"wasi:random, and the seeds" not in brief


def test_without_a_program_the_presets_are_printed(brane: Brane) -> None:
    done = brane("plan")
    assert done.returncode == 0
    assert {"none", "command", "python"} <= {line.split()[0] for line in done.stdout.decode().splitlines()}
    assert set(json.loads(brane("plan", "--json").stdout)["presets"]) == {"none", "command", "library", "python"}
