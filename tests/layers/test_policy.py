"""The policies against real runs and compilations: every rule is needed by one, and none needs more.

What sealed processes call is taken from strace(1), from the moment at which the last filter is installed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from branes.layers import process
from escapes.harness import GUESTS

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Owner

RULES = {name: set(process.allowed(name)) for name in ("brane", "compile")}
#: With a program: libseccomp only asks whether there is such a call.
SEALED = re.compile(r"^seccomp\(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, \{len=")
CALL = re.compile(r"^([a-z0-9_]+)\(")
#: Rules that no run of these needs, and why they stay.
UNSEEN = {
    "brane": {"clock_gettime": "where the vDSO cannot serve, as with a clock source that is not the TSC"},
    "compile": {},
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


#: Compilations that between them do all that the compiler can: text, modules, components, the largest program at hand
#: in the least memory that there may be, what is no program, too little memory, a fault.
COMPILATIONS = """
import os, signal
from pathlib import Path
import sys
from branes import _executables, compiling, headroom, runtime
from branes.errors import Escaped, InputError, LimitExceeded, Refused
from escapes import binary

guests = Path(sys.argv[1])
python = _executables.find("_guests", "python.wasm").read_bytes()
headroom.room = lambda: 0
started, starts = [], compiling.Jail._start

def start(self, *args):
    started.append(starts(self, *args))
    return started[-1]

def fault(done, total):
    # As a stack that overflows would. The first time is for the handler, which takes itself away.
    if started[-1] is not None:
        os.kill(started[-1].pid, signal.SIGSEGV)
        started.append(None)

def compile(program, progress=lambda _done, _total: None):
    try:
        runtime.runtime().artifact(lambda: program, progress)
    except Escaped:
        raise
    except (InputError, LimitExceeded, Refused) as error:
        return type(error)

compiling.Jail._start = start
assert compile(b'(component)') is None
assert compile((guests / "surroundings.wat").read_bytes()) is None
assert compile(binary.MODULE) is None
assert compile(binary.component(binary.MODULE)) is None
nested, elf = b"(" * 100_000, b"\\x7fELF" + bytes(99)
for broken in (b"", b"(module", nested, binary.MODULE[:-9], binary.component(bytes(9)), elf):
    assert compile(broken) is InputError
assert compile((guests / "invented_core.wat").read_bytes()) is Refused
least, headroom.LEAST = headroom.LEAST, 64 << 20
assert compile(python) is LimitExceeded
headroom.LEAST = least
assert compile(python, fault) is None
print("done")
"""


def after_sealing(trace: Path) -> Counter[str]:
    """What one process called after its last filter, and how often; nothing if it installed none."""
    lines = trace.read_text(errors="replace").splitlines()
    place = next((index for index, line in enumerate(lines) if SEALED.match(line)), len(lines))
    return Counter(found[1] for line in lines[place + 1 :] if (found := CALL.match(line)))


def sealed(owner: Owner, code: str, traces: Path) -> list[Counter[str]]:
    """What each sealed process called of those that an owner starts."""
    traces.mkdir()
    done = owner.run(code, str(GUESTS), before=("strace", "-ff", "-o", str(traces / "of"), "-e", "signal=none"))
    assert done.stdout == "done\n", done.stderr
    return [calls for path in traces.iterdir() if (calls := after_sealing(path))]


@pytest.fixture(scope="module")
def runs(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> list[Counter[str]]:
    """What the branes of all runs called."""
    # Once before, so that nothing is compiled while it is traced.
    done = owner.run(RUNS, str(GUESTS))
    assert done.stdout == "done\n", done.stderr
    return sealed(owner, RUNS, tmp_path_factory.mktemp("runs") / "traces")


@pytest.fixture(scope="module")
def compilations(owner: Owner, tmp_path_factory: pytest.TempPathFactory) -> list[Counter[str]]:
    """What the compilers of all compilations called; in a state folder in which nothing is compiled yet."""
    folder = tmp_path_factory.mktemp("compilations")
    folder.chmod(0o700)
    return sealed(replace(owner, state=folder), COMPILATIONS, folder / "traces")


@pytest.mark.timeout(300)
def test_no_run_needs_what_the_policy_does_not_allow(runs: list[Counter[str]]) -> None:
    assert len(runs) == 12
    assert set().union(*runs) <= RULES["brane"]


@pytest.mark.timeout(300)
def test_every_rule_is_needed_by_a_run(runs: list[Counter[str]]) -> None:
    assert RULES["brane"] - set().union(*runs) <= UNSEEN["brane"].keys()


@pytest.mark.timeout(300)
def test_no_compilation_needs_what_the_policy_does_not_allow(compilations: list[Counter[str]]) -> None:
    assert len(compilations) == 13
    assert set().union(*compilations) <= RULES["compile"] | set(process.startup("compile"))


@pytest.mark.timeout(300)
def test_every_rule_is_needed_by_a_compilation(compilations: list[Counter[str]]) -> None:
    assert RULES["compile"] - set().union(*compilations) <= UNSEEN["compile"].keys()


@pytest.mark.timeout(300)
def test_what_is_answered_at_the_start_is_asked_once_by_every_compiler(compilations: list[Counter[str]]) -> None:
    once = dict.fromkeys(process.startup("compile"), 1)
    assert once
    for calls in compilations:
        assert {name: calls[name] for name in once} == once


@pytest.mark.parametrize("name", RULES)
def test_no_rule_is_there_twice(name: str) -> None:
    rules = [rule["syscall"] for rule in json.loads(process.policy_text(name))["rules"]]
    assert sorted(rules) == sorted(RULES[name])


def test_the_first_filter_has_no_rules_and_leaves_the_answers_to_the_second() -> None:
    policy = json.loads(process.policy_text("template"))
    assert (policy["default"], policy["rules"], policy["bad_arch"]) == ("allow", [], "kill-process")
