"""Probes of namespaces, ids and /proc: what a template and its branes are made of."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from branes import ids
from branes.host.check import UNCONFINE, Check, in_child, outcome, read

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_SYSCTLS: Final = {
    "kernel/unprivileged_userns_clone": "0",
    "user/max_user_namespaces": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}

_libc = ctypes.CDLL(None, use_errno=True)


def user_namespaces() -> Check:
    """A user namespace of one's own, in which one has capabilities."""
    code = in_child(lambda: _unshare(_NEW_USER) or _unshare(_KINDS["uts"]))
    hint = hint_here("user", code) if code else ""
    return Check(name="namespace user", ok=not code, detail=outcome(code, "made, with its capabilities"), hint=hint)


def other_namespaces() -> Iterator[Check]:
    """Each of the other kinds, inside a user namespace."""
    for kind, flag in _KINDS.items():
        code = in_child(lambda flag=flag: _unshare(_NEW_USER) or _unshare(flag))  # type: ignore[misc]
        hint = hint_here(kind, code) if code else ""
        yield Check(name=f"namespace {kind}", ok=not code, detail=outcome(code, "made"), hint=hint)


def hint_here(kind: str, code: int) -> str:
    """What to do on this machine when a namespace of `kind` is refused with `code`."""
    return namespace_hint(kind, code, _sysctls(), _container())


def namespace_hint(kind: str, code: int, sysctls: dict[str, str], container: str) -> str:
    """What to do when a namespace of `kind` is refused with `code`, given what the settings say."""
    for name, bad in _SYSCTLS.items():
        if sysctls.get(name) == bad:
            wanted = {"user/max_user_namespaces": "15000"}.get(name, "1" if bad == "0" else "0")
            return f"as root: sysctl -w {name.replace('/', '.')}={wanted}, and the same line in /etc/sysctl.d/"
    if code == errno.ENOSPC:
        return f"as root: raise user.max_{kind}_namespaces; as many as it allows are in use"
    if container:
        return f"this is {container}, whose default profile refuses namespaces; {UNCONFINE}"
    return f"a security module or a seccomp filter refuses it; {UNCONFINE}"


def id_range(user: int, *maps: str, status: str) -> Check:
    """Which ids branes run under; root of a rootless container has none to give, and shares its own."""
    why = ids.why_ordinary(user, *maps, status=status)
    if not why:
        return Check(name="ids", ok=True, detail=f"from {ids.FIRST} on, for each brane its own")
    reason = "" if user else f": {why}"
    return Check(name="ids", ok=True, detail=f"branes run as this user, {user}{reason}")


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


def _unshare(flags: int) -> int:
    return ctypes.get_errno() if _libc.unshare(flags) < 0 else 0


def _sysctls() -> dict[str, str]:
    return {name: read(f"/proc/sys/{name}").strip() for name in _SYSCTLS}


def _container() -> str:
    if Path("/.dockerenv").exists():
        return "a Docker container"
    if Path("/run/.containerenv").exists():
        return "a Podman container"
    return "a Kubernetes pod" if "KUBERNETES_SERVICE_HOST" in os.environ else ""
