"""Layer 2, process: the filter of a brane, and what must be seen of it from outside.

The policy is data (`policy/seccomp/*.json`); libseccomp makes the program. What a brane *is* is not taken from what was
asked for but read from `/proc`, by the owner, after the last filter is installed and before any "go".
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from branes.errors import HostFault, MissingMechanism

if TYPE_CHECKING:
    from collections.abc import Mapping

LAYER: Final = "process"
NAMESPACES: Final = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
#: /proc/PID/status fields and what a sealed brane shows there.
STATUS: Final = {
    "Seccomp": "2",
    "NoNewPrivs": "1",
    "CapInh": "0000000000000000",
    "CapPrm": "0000000000000000",
    "CapEff": "0000000000000000",
    "CapBnd": "0000000000000000",
    "CapAmb": "0000000000000000",
    "Threads": "1",
    "SigBlk": "0000000000000000",
}

_ACTIONS: Final = {"allow": 0x7FFF0000, "notify": 0x7FC00000, "kill-process": 0x80000000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforced:
    """What was seen of a brane from outside, before "go".

    Attributes:
        status: the fields of `/proc/PID/status` in `STATUS`, and `Seccomp_filters`.
        namespaces: kind to inode number.
        descriptors: number to what it points at.
        root: names in the root directory: none.
        uid: the host's user id of the brane.
    """

    status: Mapping[str, str]
    namespaces: Mapping[str, int]
    descriptors: Mapping[int, str]
    root: tuple[str, ...]
    uid: int


@cache
def policy_text(name: str) -> str:
    """The policy `policy/seccomp/NAME.json` as it ships."""
    return files("branes.policy").joinpath("seccomp", f"{name}.json").read_text()


@cache
def policy_digest(name: str) -> str:
    """SHA-256 of the policy's text, in hexadecimal."""
    return hashlib.sha256(policy_text(name).encode()).hexdigest()


@cache
def allowed(name: str) -> tuple[str, ...]:
    """Names of the system calls that the policy allows, sorted."""
    return tuple(sorted(rule["syscall"] for rule in json.loads(policy_text(name))["rules"]))


def startup(name: str) -> tuple[str, ...]:
    """System calls that a program under the policy makes once before main, and that are answered with ENOENT."""
    return tuple(json.loads(policy_text(name)).get("startup", {}))


def build_filter(name: str) -> bytes:
    """The policy as an array of `struct sock_filter`, made by libseccomp.

    Raises:
        HostFault: libseccomp is missing, or refuses the policy.
    """
    pyseccomp = _pyseccomp()
    policy = json.loads(policy_text(name))
    try:
        made = pyseccomp.SyscallFilter(_ACTIONS[policy["default"]])
        # Foreign architectures and x32: libseccomp's default would kill the thread alone.
        made.set_attr(pyseccomp.Attr.ACT_BADARCH, _ACTIONS[policy["bad_arch"]])
        # We set no-new-privs ourselves and never load through libseccomp, which only exports here.
        for rule in policy["rules"]:
            comparisons = [_comparison(pyseccomp, argument) for argument in rule.get("args", [])]
            made.add_rule_exactly(_ACTIONS["allow"], rule["syscall"], *comparisons)
        with tempfile.TemporaryFile() as exported:
            made.export_bpf(exported)
            exported.seek(0)
            return exported.read()
    except (OSError, ValueError) as error:
        raise HostFault(f"libseccomp refuses the policy {name}: {error}") from error


def _pyseccomp() -> Any:
    try:
        import pyseccomp  # noqa: PLC0415 -- loading libseccomp takes milliseconds, and the result is cached
    except (ImportError, RuntimeError, OSError) as error:
        raise MissingMechanism(
            "libseccomp is not installed, and no filter can be made without it",
            hint="install it: apt-get install libseccomp2",
        ) from error
    return pyseccomp


def _comparison(pyseccomp: Any, argument: list[Any]) -> object:
    index, operator, *values = argument
    operators = {"==": pyseccomp.EQ, "masked": pyseccomp.MASKED_EQ}
    return pyseccomp.Arg(index, operators[operator], *values)


def look(pid: int) -> Enforced:
    """What `/proc` shows of the process `pid`.

    Raises:
        HostFault: it cannot be seen; then nothing is known, and nothing may run.
    """
    folder = f"/proc/{pid}"
    try:
        status = _status(folder)
        return Enforced(
            status={name: status[name] for name in (*STATUS, "Seccomp_filters") if name in status},
            namespaces=namespaces(pid),
            descriptors={int(name): os.readlink(f"{folder}/fd/{name}") for name in os.listdir(f"{folder}/fd")},
            root=tuple(os.listdir(f"{folder}/root/")),
            uid=int(status["Uid"].split()[0]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise MissingMechanism(
            f"a brane cannot be looked at from outside: {error}",
            hint="/proc must be mounted and show the caller's own processes; `brane doctor` says more",
        ) from error


def namespaces(pid: int | str) -> dict[str, int]:
    """Kind to inode number of the namespaces of `pid` ("self" for this process)."""
    return {kind: os.stat(f"/proc/{pid}/ns/{kind}").st_ino for kind in NAMESPACES}


def own_filters() -> int:
    """How many seccomp filters this thread is under, all of which its children inherit (proc(5), Seccomp_filters)."""
    return int(_status("/proc/thread-self").get("Seccomp_filters", "0"))


def _status(folder: str) -> dict[str, str]:
    with open(f"{folder}/status", encoding="utf-8", errors="replace") as lines:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def deviations(seen: Enforced, own: Mapping[str, int], descriptors: Mapping[int, str], filters: int) -> list[str]:
    """What in `seen` is not as it must be; empty for a brane that may go. Pure.

    Args:
        seen: what was seen.
        own: the namespaces of the owner.
        descriptors: the descriptors that there must be, number to what they point at.
        filters: how many there must be: `Seccomp: 2` alone is true of the first stage, which allows all.
    """
    found = [
        f"{name} is {seen.status.get(name, 'not shown')}, expected {wanted}"
        for name, wanted in {**STATUS, "Seccomp_filters": str(filters)}.items()
        if seen.status.get(name) != wanted
    ]
    found += [f"the {kind} namespace is the owner's" for kind in NAMESPACES if seen.namespaces[kind] == own[kind]]
    found += [f"the root has {len(seen.root)} entries, expected none"] if seen.root else []
    if seen.descriptors != descriptors:
        found.append(f"open descriptors are {dict(seen.descriptors)}, expected {dict(descriptors)}")
    return found


def syscall_name(arch: int, number: int) -> str:
    """The name of system call `number` of audit architecture `arch`; `syscall_N` where libseccomp knows none."""
    try:
        name = _pyseccomp().resolve_syscall(arch, number)
    except (HostFault, OSError, ValueError, TypeError):
        name = None  # without a name an attempt is recorded all the same
    return name.decode() if isinstance(name, bytes) else f"syscall_{number}"


def arch_name(arch: int) -> str:
    """`x86_64` and the like of an audit architecture number (linux/audit.h)."""
    return {0xC000003E: "x86_64", 0xC00000B7: "aarch64", 0x40000003: "i386"}.get(arch, f"{arch:#x}")
