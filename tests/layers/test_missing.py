"""Every mechanism is really missing in turn: the owner's own filter refuses the system call, or the kernel does.

Each is a run refused with the name of its step, and no brane. The same program runs when nothing is missing.
"""

from __future__ import annotations

import errno
import json
import os
import resource
from typing import TYPE_CHECKING

import pytest

from branes import audit, demands

if TYPE_CHECKING:
    from conftest import Owner

GUEST = """
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\10\\00\\00\\00\\03\\00\\00\\00ran")
  (func (export "_start") (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 24)))))
"""
#: Refuses what argv says, to itself and all that it starts, then is an ordinary owner.
RUN = """
import json, sys
syscall, code, arguments, guest = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
if syscall:
    import pyseccomp
    filter = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    compared = [pyseccomp.Arg(index, pyseccomp.EQ, value) for index, value in arguments]
    filter.add_rule_exactly(pyseccomp.ERRNO(code), syscall, *compared)
    filter.load()
import branes
try:
    print(json.dumps(["ran", branes.run(guest.encode()).stdout.decode()]))
except branes.errors.BranesError as error:
    print(json.dumps([error.kind, error.message, error.hint]))
"""
#: No user namespace in a user namespace whose own limit is 0.
NO_NAMESPACES = """
import ctypes, os
from pathlib import Path
user, group = os.geteuid(), os.getegid()
assert ctypes.CDLL(None).unshare(0x10000000) == 0
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
Path("/proc/sys/user/max_user_namespaces").write_text("0")
"""

PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 4, 24, 38, 47
NEW_LISTENER = 8
CLOSE_RANGE_CLOEXEC = 4
RLIMITS = {"core": 4, "nofile": 7, "nproc": 6, "fsize": 1, "memlock": 8, "msgqueue": 12, "sigpending": 11}
#: System call, errno, arguments that it is refused with (position and value; none: always), and what is said.
MISSING = [
    ("clone3", errno.ENOSYS, [], "clone user and pid namespace"),
    ("clone3", errno.EPERM, [], "clone user and pid namespace"),
    ("clone3", errno.ENOSPC, [], "clone user and pid namespace"),
    *([("setgroups", errno.EPERM, [], "drop supplementary groups")] if os.geteuid() == 0 else []),
    ("setresgid", errno.EPERM, [(0, 0)], "take group"),
    ("setresuid", errno.EPERM, [(0, 0)], "take user"),
    ("prlimit64", errno.EPERM, [(1, resource.RLIMIT_STACK)], "limit stack"),
    ("close_range", errno.ENOSYS, [(0, 4), (2, CLOSE_RANGE_CLOEXEC)], "mark descriptors close-on-exec"),
    ("execveat", errno.EACCES, [], "exec template"),
    ("unshare", errno.EPERM, [], "unshare template namespaces"),
    ("prctl", errno.EINVAL, [(0, PR_SET_NO_NEW_PRIVS)], "set no-new-privs"),
    ("setsid", errno.EPERM, [], "start session"),
    ("keyctl", errno.ENOSYS, [], "join session keyring"),
    ("sethostname", errno.EPERM, [], "set host name"),
    ("mount", errno.EPERM, [], "make mounts private"),
    ("pivot_root", errno.EINVAL, [], "pivot root"),
    ("umount2", errno.EPERM, [], "detach old root"),
    ("seccomp", errno.EINVAL, [(0, 1), (1, 0)], "install first filter"),
    ("seccomp", errno.EINVAL, [(0, 1), (1, NEW_LISTENER)], "install second filter"),
    ("seccomp", errno.ENOSYS, [(0, 1), (1, NEW_LISTENER)], "install second filter"),
    ("setresgid", errno.EPERM, [(0, 1000)], "take brane group"),
    ("setresuid", errno.EPERM, [(0, 1000)], "take brane user"),
    ("prctl", errno.EPERM, [(0, PR_CAPBSET_DROP)], "drop bounding set"),
    ("prctl", errno.EPERM, [(0, PR_CAP_AMBIENT)], "clear ambient set"),
    ("capset", errno.EPERM, [], "drop capabilities"),
    ("close_range", errno.ENOSYS, [(2, 0)], "close descriptors"),
    *(("prlimit64", errno.EPERM, [(1, number)], f"limit {name}") for name, number in RLIMITS.items()),
    ("prctl", errno.EINVAL, [(0, PR_SET_DUMPABLE)], "set not dumpable"),
    ("pidfd_getfd", errno.EPERM, [], "the seccomp listener cannot be taken"),
    ("pidfd_getfd", errno.ENOSYS, [], "the seccomp listener cannot be taken"),
]


@pytest.fixture(scope="module", autouse=True)
def _compiled(owner: Owner) -> None:
    """The program is compiled while nothing is missing: what is missing then is missing for its run."""
    assert run(owner, "") == ["ran", "ran"]


def run(owner: Owner, syscall: str, code: int = 0, arguments: object = (), before: str = "") -> list[str]:
    done = owner.run(before + RUN, syscall, str(code), json.dumps(arguments), GUEST)
    assert done.returncode == 0, done.stderr
    answer: list[str] = json.loads(done.stdout)
    return answer


def spawned(owner: Owner) -> int:
    return sum(record.event == "run.spawned" for record in audit.tail(owner.state / "audit", 1000))


@pytest.mark.parametrize(
    ("syscall", "code", "arguments", "said"),
    [pytest.param(*case, id=f"{case[3]}-{errno.errorcode[case[1]]}".replace(" ", "-")) for case in MISSING],
)
def test_without_the_mechanism_nothing_runs_and_the_step_is_named(
    owner: Owner, syscall: str, code: int, arguments: list[tuple[int, int]], said: str
) -> None:
    before = spawned(owner)
    kind, message, hint = run(owner, syscall, code, arguments)
    assert kind == "missing-mechanism", message
    assert said in message
    assert "\n" not in message + hint
    assert hint
    assert spawned(owner) == before


def test_without_user_namespaces_nothing_runs(owner: Owner) -> None:
    before = spawned(owner)
    kind, message, hint = run(owner, "", before=NO_NAMESPACES)
    assert kind == "missing-mechanism"
    assert "'clone user and pid namespace' failed: ENOSPC" in message
    assert "user.max_user_namespaces=15000" in hint
    assert spawned(owner) == before


#: A limit of the owner (getrlimit(2)), soft and hard, what is said of it, and the setting that is named.
TOO_LOW = [
    *(("NOFILE", number, "", "ulimit -n") for number in (14, 20, 32, 64, 65)),
    ("STACK", 8 << 20, "'limit stack' failed: EPERM", "ulimit -Hs 40960 or more"),
    ("STACK", demands.STACK - 1, "'limit stack' failed: EPERM", "ulimit -Hs 40960 or more"),
    ("AS", 3 << 30, f"address space is too low for a guest's memories: {3 << 30} bytes at most", "ulimit -v unlimited"),
    ("AS", demands.ADDRESS_SPACE - 1, "address space is too low for a guest's memories", "ulimit -v unlimited"),
    # Root may raise it again.
    *([("DATA", 250 << 20, "a brane's memory cannot be limited to", "ulimit -d unlimited")] if os.geteuid() else []),
]


@pytest.mark.parametrize(("name", "limit", "said", "setting"), TOO_LOW)
def test_where_a_limit_is_too_low_nothing_runs_and_the_setting_is_named(
    owner: Owner, name: str, limit: int, said: str, setting: str
) -> None:
    before = spawned(owner)
    lower = f"import resource\nresource.setrlimit(resource.RLIMIT_{name}, ({limit}, {limit}))\n"
    kind, message, hint = run(owner, "", before=lower)
    assert kind == "missing-mechanism", message
    assert said in message
    assert "\n" not in message
    assert setting in hint
    assert spawned(owner) == before


#: Ends with what waitid(2) says of children of any kind: with no such child, ECHILD.
CHILDREN = """
import os
try:
    os.waitid(os.P_ALL, 0, os.WEXITED | 0x40000000)
except ChildProcessError:
    print("none")
"""


def test_a_template_that_fails_at_birth_is_not_left_as_a_zombie(owner: Owner) -> None:
    lower = "import resource\nresource.setrlimit(resource.RLIMIT_STACK, (8 << 20, 8 << 20))\n"
    done = owner.run(lower + RUN + CHILDREN, "", "0", "[]", GUEST)
    assert "limit stack" in done.stdout, done.stderr
    assert done.stdout.endswith("\nnone\n")


@pytest.mark.parametrize(
    ("name", "limit"), [("NOFILE", demands.OPEN_FILES), ("STACK", demands.STACK), ("AS", demands.ADDRESS_SPACE)]
)
def test_at_the_least_that_a_limit_must_be_the_program_runs(owner: Owner, name: str, limit: int) -> None:
    lower = f"import resource\nresource.setrlimit(resource.RLIMIT_{name}, ({limit}, {limit}))\n"
    assert run(owner, "", before=lower) == ["ran", "ran"]


def test_with_nothing_missing_the_same_program_runs(owner: Owner) -> None:
    before = spawned(owner)
    assert run(owner, "") == ["ran", "ran"]
    assert spawned(owner) == before + 1
