"""`brane doctor`, `--help` and `--version` on this machine, which can run branes, as the other tests show."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize(
    ("limit", "found", "way_out"),
    [
        ("-n 60", "open files: 60 descriptors at most", "ulimit -n 1024, or more"),
        ("-s 8192", "stack limit: 8388608 bytes at most", "ulimit -Hs 40960 or more"),
        ("-v 3000000", "address space: 3072000000 bytes at most", "ulimit -v unlimited"),
    ],
)
def test_doctor_where_a_limit_is_too_low_names_it_and_the_way_out_and_is_125(
    brane: Brane, limit: str, found: str, way_out: str
) -> None:
    limited = ["sh", "-c", f'ulimit {limit}; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *brane.words("doctor")], capture_output=True, env=brane.env, check=False, text=True
    )
    assert done.returncode == 125
    assert f"FAIL  {found}\n       hint: {way_out}\n" in done.stdout
    assert "FAIL  a brane: " in done.stdout


def test_a_run_in_too_little_address_space_is_a_host_fault_and_not_the_guests(brane: Brane) -> None:
    words = ["sh", "-c", 'ulimit -v 3000000; exec "$@"', "sh", *brane.words("run", "exit.wat", "0")]
    done = subprocess.run(words, capture_output=True, env=brane.env, check=False, text=True)
    assert done.returncode == 125
    assert "address space is too low" in done.stderr
    assert "hint: ulimit -v unlimited\n" in done.stderr


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
