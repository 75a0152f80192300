"""What this machine offers: probes for `brane doctor`, each done by trying, or by reading the kernel's own view.

A probe returns a `Check` and raises nothing: what cannot be found out is not ok. Probes that change a process do so in
a child of their own. Nothing here decides whether a brane may run; `spawn` looks at each one for itself.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from branes import _executables, _kernel, ids
from branes.errors import BranesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from branes.state import StateDir

KERNEL: Final = (5, 15)
STACK: Final = 40 << 20
_EXECUTABLES: Final = ("brane-compile", "brane-jail", "brane-worker")
_NEW_USER: Final = 0x10000000
#: clone(2), CLONE_NEW*.
_KINDS: Final = {
    "cgroup": 0x02000000,
    "ipc": 0x08000000,
    "mnt": 0x00020000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "uts": 0x04000000,
}
#: Numbers of system calls without a wrapper: seccomp, keyctl, clone3.
_NUMBERS: Final = {"x86_64": (317, 250, 435), "aarch64": (277, 219, 435)}
_ELF_MACHINES: Final = {62: "x86_64", 183: "aarch64"}
_SYSCTLS: Final = {
    "kernel/unprivileged_userns_clone": "0",
    "user/max_user_namespaces": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}
_UNCONFINE: Final = (
    "where this is a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined, "
    "or --cap-add SYS_ADMIN; in Kubernetes: seccompProfile and appArmorProfile Unconfined"
)

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one probe found.

    Attributes:
        name: what was looked at.
        ok: whether it is as a Standard brane needs it.
        detail: what was seen.
        hint: what to do about it, or "".
        required: whether there is no run without it.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    required: bool = True


def probe(state: StateDir) -> Iterator[Check]:
    """All checks, one after the other."""
    yield machine(platform.system(), platform.machine(), _executables_machine())
    yield kernel(platform.release())
    user = user_namespaces()
    yield user
    yield from other_namespaces() if user.ok else ()
    yield id_range(os.geteuid(), _read("/proc/self/uid_map"), _read("/proc/self/gid_map"))
    yield from seccomp()
    yield libseccomp()
    yield clone3()
    yield pidfd_getfd()
    yield memfd()
    yield keyring()
    yield proc(_read("/proc/self/mountinfo"))
    yield stack(resource.getrlimit(resource.RLIMIT_STACK)[1])
    yield executables()
    yield audit_log(state)
    yield cgroups(_read("/proc/self/cgroup"))


# -- judged from what was read, without looking ----------------------------------------------------------------------


def machine(system: str, arch: str, built_for: str) -> Check:
    """Linux, on a processor that the executables were built for."""
    ok = system == "Linux" and arch == built_for
    hint = "" if ok else "install the package that was built for this machine; only Linux can run branes"
    return Check(name="machine", ok=ok, detail=f"{system} on {arch}, executables for {built_for}", hint=hint)


def kernel(release: str) -> Check:
    """A kernel that has all that is used."""
    found = re.match(r"(\d+)\.(\d+)", release)
    ok = found is not None and (int(found[1]), int(found[2])) >= KERNEL
    needed = ".".join(map(str, KERNEL))
    return Check(name="kernel", ok=ok, detail=release, hint="" if ok else f"Linux {needed} or newer is needed")


def namespace_hint(kind: str, code: int, sysctls: dict[str, str], container: str) -> str:
    """What to do when a namespace of `kind` is refused with `code`, given what the settings say."""
    for name, bad in _SYSCTLS.items():
        if sysctls.get(name) == bad:
            wanted = {"user/max_user_namespaces": "15000"}.get(name, "1" if bad == "0" else "0")
            return f"as root: sysctl -w {name.replace('/', '.')}={wanted}, and the same line in /etc/sysctl.d/"
    if code == errno.ENOSPC:
        return f"as root: raise user.max_{kind}_namespaces; as many as it allows are in use"
    if container:
        return f"this is {container}, whose default profile refuses namespaces; {_UNCONFINE}"
    return f"a security module or a seccomp filter refuses it; {_UNCONFINE}"


def id_range(user: int, *maps: str) -> Check:
    """Whether root has the private range of ids to give branes; root of a rootless container does not (uid_map)."""
    if user != 0:
        return Check(name="ids", ok=True, detail=f"branes run as this user, {user}")
    ranges = [[line.split() for line in text.splitlines()] for text in maps]
    first, last = ids.FIRST, ids.FIRST + ids.BLOCK - 1
    ok = all(any(int(start) <= first and last < int(start) + int(count) for start, _, count in one) for one in ranges)
    detail = f"from {first} on, for each brane its own" if ok else f"this root has no ids from {first} on"
    hint = "" if ok else "run as an ordinary user, or map these ids into the user namespace that this root belongs to"
    return Check(name="ids", ok=ok, detail=detail, hint=hint)


def proc(mountinfo: str) -> Check:
    """/proc is there, and shows this user's own processes (proc(5), hidepid and subset)."""
    mounts = [line.split() for line in mountinfo.splitlines()]
    options = [words[-1] for words in mounts if len(words) > 6 and words[4] == "/proc" and "proc" in words[6:]]
    if not options:
        return Check(name="/proc", ok=False, detail="not mounted", hint="mount -t proc proc /proc")
    hiding = [word for word in options[-1].split(",") if word.startswith(("hidepid=", "subset="))]
    bad = [word for word in hiding if word.startswith("subset=")]
    detail = f"mounted{', ' if hiding else ''}{', '.join(hiding)}"
    hint = "mount it without subset=pid: settings and limits are read from it" if bad else ""
    return Check(name="/proc", ok=not bad, detail=detail, hint=hint)


def stack(hard: int) -> Check:
    """The hard limit of the stack leaves room for a guest's deepest one."""
    ok = hard == resource.RLIM_INFINITY or hard >= STACK
    detail = "no limit" if hard == resource.RLIM_INFINITY else f"{hard} bytes at most"
    return Check(name="stack limit", ok=ok, detail=detail, hint="" if ok else f"ulimit -Hs {STACK >> 10} or more")


def cgroups(own: str, root: Path = Path("/sys/fs/cgroup")) -> Check:
    """Whether cgroup v2 controllers are this user's to use. Not required."""
    path = next((line[3:] for line in own.splitlines() if line.startswith("0::")), None)
    folder = root / path.lstrip("/") if path else None
    controllers = _read(folder / "cgroup.controllers").split() if folder else []
    is_ours = folder is not None and os.access(folder / "cgroup.subtree_control", os.W_OK)
    held = "cpu is not held; memory is held by RLIMIT_DATA, by the guest's own limits and by the owner's look"
    ok = is_ours and {"cpu", "memory", "pids"} <= set(controllers)
    seen = f"delegated: {' '.join(controllers)}; not used yet" if ok else "controllers are not delegated to this user"
    return Check(name="cgroup v2", ok=ok, detail=f"{seen}; {held}", required=False)


# -- found out by trying ---------------------------------------------------------------------------------------------


def user_namespaces() -> Check:
    """A user namespace of one's own, in which one has capabilities."""
    code = in_child(lambda: _unshare(_NEW_USER) or _unshare(_KINDS["uts"]))
    hint = namespace_hint("user", code, _sysctls(), _container()) if code else ""
    return Check(name="namespace user", ok=not code, detail=_outcome(code, "made, with its capabilities"), hint=hint)


def other_namespaces() -> Iterator[Check]:
    """Each of the other kinds, inside a user namespace."""
    for kind, flag in _KINDS.items():
        code = in_child(lambda flag=flag: _unshare(_NEW_USER) or _unshare(flag))  # type: ignore[misc]
        hint = namespace_hint(kind, code, _sysctls(), _container()) if code else ""
        yield Check(name=f"namespace {kind}", ok=not code, detail=_outcome(code, "made"), hint=hint)


def seccomp() -> Iterator[Check]:
    """The filter's actions, and user notification (seccomp(2), SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES)."""
    number = _numbers()[0]
    for name, action in {"user notification": 0x7FC00000, "kill process": 0x80000000}.items():
        value = ctypes.c_uint32(action)
        code = _errno(_libc.syscall(number, 2, 0, ctypes.byref(value)))
        hint = "this kernel lacks it, or a filter around this process hides seccomp(2)" if code else ""
        yield Check(name=f"seccomp {name}", ok=not code, detail=_outcome(code, "available"), hint=hint)
    sizes = (ctypes.c_uint16 * 3)()
    code = _errno(_libc.syscall(number, 3, 0, ctypes.byref(sizes)))
    ok = not code and tuple(sizes) == (80, 24, 64)
    detail = _outcome(code, f"of {sizes[0]}, {sizes[1]} and {sizes[2]} bytes")
    hint = "" if ok else "this kernel speaks another form of notifications; a newer branes is needed"
    yield Check(name="seccomp messages", ok=ok, detail=detail, hint=hint)


def libseccomp() -> Check:
    """The library that makes the filters."""
    from branes.layers import process  # noqa: PLC0415 -- of this probe alone

    try:
        size = len(process.build_filter("brane"))
    except BranesError as error:
        return Check(name="libseccomp", ok=False, detail=error.message, hint=error.hint)
    return Check(name="libseccomp", ok=True, detail=f"makes a brane's filter, of {size // 8} instructions")


def clone3() -> Check:
    """The system call, with no arguments, must say EINVAL; container filters make it ENOSYS."""
    code = _errno(_libc.syscall(_numbers()[2], 0, 0))
    ok = code == errno.EINVAL
    return Check(name="clone3", ok=ok, detail="there" if ok else _outcome(code, ""), hint="" if ok else _UNCONFINE)


def pidfd_getfd() -> Check:
    """A descriptor taken out of a process, here our own (pidfd_getfd(2))."""
    try:
        pidfd = os.pidfd_open(os.getpid())
        try:
            os.close(_kernel.pidfd_getfd(pidfd, pidfd))
        finally:
            os.close(pidfd)
    except OSError as error:
        return Check(name="pidfd_getfd", ok=False, detail=str(error), hint=_UNCONFINE)
    return Check(name="pidfd_getfd", ok=True, detail="works")


def memfd() -> Check:
    """An executable in a sealed memfd, which is run (memfd_create(2); sysctl vm.memfd_noexec)."""
    try:
        descriptor = _executables.sealed(_executables.executable("brane-jail"))
        # Without its arguments it ends with a complaint; that it can is the point.
        words, path = ["brane-jail"], f"/proc/self/fd/{descriptor}"
        subprocess.run(
            words, executable=path, pass_fds=(descriptor,), stdin=-3, stdout=-3, stderr=-3, check=False, timeout=20
        )
    except (OSError, subprocess.SubprocessError, BranesError) as error:
        setting = _read("/proc/sys/vm/memfd_noexec").strip()
        hint = "as root: sysctl -w vm.memfd_noexec=1" if setting == "2" else "brane-jail must be executable here"
        return Check(name="sealed memfd", ok=False, detail=str(error), hint=hint)
    return Check(name="sealed memfd", ok=True, detail="sealed, and runs")


def keyring() -> Check:
    """A session keyring of one's own (keyctl(2)); container filters refuse it."""
    code = in_child(lambda: _errno(_libc.syscall(_numbers()[1], 1, None)))
    hint = f"a filter, or kernel.keys.maxkeys, refuses it; {_UNCONFINE}" if code else ""
    return Check(name="keyring", ok=not code, detail=_outcome(code, "joined a new one"), hint=hint)


def executables() -> Check:
    """What ships is there, runs here and needs no library of this machine: its ELF header names no interpreter."""
    try:
        wrong = [name for name in _EXECUTABLES if not is_static(_executables.executable(name).read_bytes())]
        _executables.find("_guests", "python.wasm")
    except (BranesError, OSError) as error:
        return Check(name="executables", ok=False, detail=str(error), hint=getattr(error, "hint", ""))
    detail = f"not static: {', '.join(wrong)}" if wrong else f"{', '.join(_EXECUTABLES)}: static; the Python guest"
    return Check(name="executables", ok=not wrong, detail=detail, hint="reinstall branes from a wheel" if wrong else "")


def audit_log(state: StateDir) -> Check:
    """The folder of the log can be written, has space, and the log's end is sound."""
    from branes import audit  # noqa: PLC0415 -- of this probe alone

    try:
        folder = state.audit if state.audit.exists() else state.root
        if not os.access(folder, os.W_OK | os.X_OK):
            return Check(name="audit log", ok=False, detail=f"{folder} cannot be written", hint="set BRANES_STATE")
        space = os.statvfs(folder)
        free = space.f_bavail * space.f_frsize
        records = audit.tail(state.audit, 2) if state.audit.exists() else []
    except (BranesError, OSError) as error:
        return Check(name="audit log", ok=False, detail=str(error), hint=getattr(error, "hint", ""))
    follows = len(records) < 2 or records[1].prev == records[0].digest
    ok = follows and free > (1 << 20)
    detail = f"{state.audit}: {records[-1].seq if records else 0} records, {free >> 20} MiB free"
    hint = "" if ok else "free space there" if follows else "`brane audit verify` names the first fault"
    return Check(name="audit log", ok=ok, detail=detail if follows else f"{detail}; its end is broken", hint=hint)


# -- how -------------------------------------------------------------------------------------------------------------


def in_child(step: Callable[[], int]) -> int:
    """The errno, or 0, with which `step` ends in a child process of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(step())
        finally:
            os._exit(errno.EIO)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or 0


def is_static(elf: bytes) -> bool:
    """Whether a 64-bit little-endian ELF file has no program header PT_INTERP (elf(5))."""
    if elf[:6] != b"\x7fELF\x02\x01" or len(elf) < 64:
        return False
    start = int.from_bytes(elf[32:40], "little")
    size, count = (int.from_bytes(elf[at : at + 2], "little") for at in (54, 56))
    kinds = [int.from_bytes(elf[start + n * size : start + n * size + 4], "little") for n in range(count)]
    return 3 not in kinds


def _executables_machine() -> str:
    try:
        head = _executables.executable("brane-worker").read_bytes()[:20]
    except (BranesError, OSError):
        return "nothing: they are missing"
    return _ELF_MACHINES.get(int.from_bytes(head[18:20], "little"), "another machine")


def _unshare(flags: int) -> int:
    return _errno(_libc.unshare(flags))


def _errno(result: int) -> int:
    return ctypes.get_errno() if result < 0 else 0


def _numbers() -> tuple[int, int, int]:
    return _NUMBERS.get(platform.machine(), (-1, -1, -1))


def _outcome(code: int, good: str) -> str:
    return f"refused: {errno.errorcode.get(code, code)}" if code else good


def _sysctls() -> dict[str, str]:
    return {name: _read(f"/proc/sys/{name}").strip() for name in _SYSCTLS}


def _container() -> str:
    if Path("/.dockerenv").exists():
        return "a Docker container"
    if Path("/run/.containerenv").exists():
        return "a Podman container"
    return "a Kubernetes pod" if "KUBERNETES_SERVICE_HOST" in os.environ else ""


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
