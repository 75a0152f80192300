"""What a caller is set to does not follow into a brane: signals ignored or blocked, a real-time policy, a layout."""

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

# One brane traps, one that was open meanwhile still answers, and what a brane is set to is read from outside.
CALLER = """
import ctypes, json, os, signal, sys
{setting}
import branes
from pathlib import Path
trap = b'(module (memory (export "memory") 1) (func (export "_start") (drop (i32.load (i32.const -8)))))'
with branes.python() as py:
    try:
        branes.run(trap)
        ended = "returned"
    except branes.errors.BranesError as error:
        ended = type(error).__name__
    pid = py._brane._launched.jailed.pid
    lines = Path(f"/proc/{{pid}}/status").read_text().splitlines()
    status = dict(line.split(":\\t") for line in lines if ":\\t" in line)
    seen = {{
        "ended": ended,
        "answer": py.eval("6 * 7"),
        "blocked": int(status["SigBlk"], 16),
        "ignores_sigchld": bool(int(status["SigIgn"], 16) >> signal.SIGCHLD - 1 & 1),
        "policy": os.sched_getscheduler(pid),
    }}
print(json.dumps(seen))
"""
SOUND = {"ended": "Trapped", "answer": 42, "blocked": 0, "ignores_sigchld": False, "policy": os.SCHED_OTHER}
SETTINGS = {
    "nothing": "pass",
    "SIGCHLD ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "all signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "faults blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGSEGV, signal.SIGILL, signal.SIGFPE})",
    "no random addresses": "ctypes.CDLL(None).personality(0x0040000)",
}
if os.geteuid() == 0:
    SETTINGS["a real-time policy"] = "os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
ADDR_NO_RANDOMIZE = 0x0040000


def run(code: str) -> object:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_the_caller_is_set_to_changes_no_brane(setting: str) -> None:
    assert run(CALLER.format(setting=SETTINGS[setting])) == SOUND


def test_a_caller_without_random_addresses_has_branes_with_them() -> None:
    code = """
import ctypes, branes
from pathlib import Path
assert ctypes.CDLL(None).personality(0x0040000) != -1
with branes.python() as py:
    py.eval("1")
    print(int(Path(f"/proc/{py._brane._launched.jailed.pid}/personality").read_text(), 16))
"""
    # The control: what this process would pass on is there to be passed on.
    assert ctypes.CDLL(None).personality(0xFFFFFFFF) & ADDR_NO_RANDOMIZE == 0
    assert run(code) == 0
    assert Path("/proc/self/personality").exists()
