"""The brane's policy against real runs: every rule is needed by one, and no run needs more.

What sealed branes call is taken from strace(1), from the moment at which the last filter is installed.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from branes.layers import process
from escapes.harness import GUESTS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Owner

RULES = set(process.allowed("brane"))
SEALED = re.compile(r"^seccomp\(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,")
CALL = re.compile(r"^([a-z0-9_]+)\(")
#: Rules that no run of these needs, and why they stay.
UNSEEN = {
    "clock_gettime": "where the vDSO cannot serve, as with a clock source that is not the TSC",
}

#: Guests that between them do all that a guest can: memory, tables, traps, clocks, sleep, randomness, streams, denials.
RUNS = """
import struct, sys
from pathlib import Path
import branes

guests = Path(sys.argv[1])
number = lambda value: struct.pack("<Q", value)

def run(name, **asks):
    try:
        return branes.run(guests / name, **asks)
    except (branes.errors.GuestFault, branes.errors.LimitExceeded):
        return None

assert run("grow.wat", stdin=bytes(8), memory="512MiB").stdout == b"canary"
assert run("grow.wat", stdin=bytes([1] * 8), memory="512MiB").stdout == b"canary"
assert run("grow.wat", stdin=bytes(8), memory="16MiB").stdout == b""
assert run("recurse.wat", stdin=number(1000)).stdout == b"canary"
assert run("recurse.wat", stdin=number(1 << 62)) is None
assert run("bounds.wat", stdin=bytes(8)) is None
assert run("random.wat", stdin=number(64)).stdout == b"canary"
assert run("random.wat", stdin=number(1 << 32)) is None
assert run("loop.wat", stdin=number(0), timeout=0.2) is None
assert run("surroundings.wat", env={"A": "b"}).stdout == b"canary"
assert run("ungranted.wat", denials=["wasi:sockets"]).stdout == b"canary"

CODE = '''
import os, random, socket, sys, time
time.sleep(0.01)
time.time(), time.monotonic(), time.clock_getres(time.CLOCK_MONOTONIC)
kept = [bytearray(1 << 20) for _ in range(64)]
del kept
grown = bytearray(30 << 20)
grown += bytes(10 << 20)
os.urandom(32), random.random()
print("y" * 3_000_000)
assert len(sys.stdin.read()) == 3_000_000
try:
    socket.getaddrinfo("example.org", 80)
except OSError:
    pass
def down():
    return down()
try:
    down()
except RecursionError:
    pass
'''
with branes.python() as py:
    assert py.run(CODE, stdin=b"z" * 3_000_000).exit_code == 0
    assert py.eval("1 + 1") == 2
print("done")
"""


@pytest.fixture(scope="module")
def seen(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the system calls of sealed branes, in all runs."""
    traces = tmp_path_factory.mktemp("traces")
    # Once before, so that nothing is compiled while it is traced.
    for before in ((), ("strace", "-ff", "-o", str(traces / "of"), "-e", "signal=none")):
        done = owner.run(RUNS, str(GUESTS), before=before)
        assert done.stdout == "done\n", done.stderr
    sealed = [calls for path in traces.iterdir() if (calls := after_sealing(path))]
    assert len(sealed) == 12
    return set().union(*sealed)


def after_sealing(trace: Path) -> set[str]:
    """What one process called after its last filter; nothing if it installed none."""
    lines = trace.read_text(errors="replace").splitlines()
    place = next((index for index, line in enumerate(lines) if SEALED.match(line)), len(lines))
    return {found[1] for line in lines[place + 1 :] if (found := CALL.match(line))}


@pytest.mark.timeout(300)
def test_no_run_needs_what_the_policy_does_not_allow(seen: set[str]) -> None:
    assert seen <= RULES


@pytest.mark.timeout(300)
def test_every_rule_is_needed_by_a_run(seen: set[str]) -> None:
    assert RULES - seen <= UNSEEN.keys()


def test_no_rule_is_there_twice() -> None:
    rules = [rule["syscall"] for rule in json.loads(process.policy_text("brane"))["rules"]]
    assert sorted(rules) == sorted(RULES)
