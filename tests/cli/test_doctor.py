"""`brane doctor`, `--help` and `--version` on this machine, which can run branes, as the other tests show."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Brane


def test_doctor_tries_everything_then_runs_a_brane_and_shows_it(brane: Brane) -> None:
    done = brane("doctor")
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert "FAIL" not in text
    assert "ok    a brane: ran in " in text
    assert "Seccomp=2" in text
    assert "root folder  empty" in text
    assert text.endswith("this machine can run branes\n")


def test_doctor_in_json_lists_each_check(brane: Brane) -> None:
    done = brane("doctor", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["outcome"]) == (0, "can-run")
    names = {check["name"] for check in found["checks"]}
    assert {"kernel", "namespace user", "namespace net", "seccomp user notification", "clone3", "a brane"} <= names
    assert all(check["ok"] for check in found["checks"] if check["required"])
    assert found["spawned"]["enforced"]["status"]["NoNewPrivs"] == "1"


def test_doctor_where_the_stack_limit_is_too_small_names_it_and_is_125(brane: Brane) -> None:
    limited = ["sh", "-c", 'ulimit -s 8192; exec "$@"', "sh"]
    words = [*limited, *brane.words("doctor")]
    done = subprocess.run(words, capture_output=True, env=brane.env, check=False, text=True)
    assert done.returncode == 125
    assert "FAIL  stack limit: 8388608 bytes at most\n       hint: ulimit -Hs 40960 or more\n" in done.stdout
    assert "FAIL  a brane: " in done.stdout


def test_help_has_examples_and_loads_neither_rich_nor_the_sdk(brane: Brane) -> None:
    done = brane("--help")
    assert done.returncode == 0
    assert b"brane python -c 'print(1 + 1)'\n" in done.stdout
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", *brane.words("--help")[1:]], capture_output=True, env=brane.env, check=True
    )
    names = {line.rpartition("|")[2].strip() for line in loaded.stderr.decode().splitlines()}
    assert "branes.cli.app" in names
    assert not names & {"rich", "branes.api", "branes.spawn", "msgpack"}


def test_a_run_loads_no_rich(brane: Brane) -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", *brane.words("run", "exit.wat", "0")[1:]],
        capture_output=True,
        env=brane.env,
        check=True,
    )
    names = {line.rpartition("|")[2].strip() for line in loaded.stderr.decode().splitlines()}
    assert "branes.spawn" in names
    assert "rich" not in names


def test_version_says_which_it_is(brane: Brane) -> None:
    done = brane("--version")
    assert done.returncode == 0
    assert done.stdout.startswith(b"brane")


def test_completion_knows_commands_and_options(brane: Brane) -> None:
    env = {"_BRANE_COMPLETE": "complete_bash", "COMP_WORDS": "brane run --gr", "COMP_CWORD": "2"}
    assert brane(env=env).stdout.split() == [b"--grant"]
