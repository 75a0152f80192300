"""Probes of system calls that container filters and old kernels refuse, each tried for itself."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import re
import subprocess
from typing import TYPE_CHECKING, Final

from branes import _executables, _kernel
from branes.errors import BranesError
from branes.host.check import UNCONFINE, Check, in_child, outcome, read

if TYPE_CHECKING:
    from collections.abc import Iterator

KERNEL: Final = (5, 15)
#: Numbers of system calls without a wrapper: seccomp, keyctl, clone3.
_NUMBERS: Final = {"x86_64": (317, 250, 435), "aarch64": (277, 219, 435)}

_libc = ctypes.CDLL(None, use_errno=True)


def kernel(release: str) -> Check:
    """A kernel that has all that is used."""
    found = re.match(r"(\d+)\.(\d+)", release)
    ok = found is not None and (int(found[1]), int(found[2])) >= KERNEL
    needed = ".".join(map(str, KERNEL))
    return Check(name="kernel", ok=ok, detail=release, hint="" if ok else f"Linux {needed} or newer is needed")


def seccomp() -> Iterator[Check]:
    """The filter's actions, and user notification (seccomp(2), SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES)."""
    number = _numbers()[0]
    for name, action in {"user notification": 0x7FC00000, "kill process": 0x80000000}.items():
        value = ctypes.c_uint32(action)
        code = _errno(_libc.syscall(number, 2, 0, ctypes.byref(value)))
        hint = "this kernel lacks it, or a filter around this process hides seccomp(2)" if code else ""
        yield Check(name=f"seccomp {name}", ok=not code, detail=outcome(code, "available"), hint=hint)
    sizes = (ctypes.c_uint16 * 3)()
    code = _errno(_libc.syscall(number, 3, 0, ctypes.byref(sizes)))
    ok = not code and tuple(sizes) == (80, 24, 64)
    detail = outcome(code, f"of {sizes[0]}, {sizes[1]} and {sizes[2]} bytes")
    hint = "" if ok else "this kernel speaks another form of notifications; a newer branes is needed"
    yield Check(name="seccomp messages", ok=ok, detail=detail, hint=hint)


def clone3() -> Check:
    """The system call, with no arguments, must say EINVAL; container filters make it ENOSYS."""
    code = _errno(_libc.syscall(_numbers()[2], 0, 0))
    ok = code == errno.EINVAL
    return Check(name="clone3", ok=ok, detail="there" if ok else outcome(code, ""), hint="" if ok else UNCONFINE)


def pidfd_getfd() -> Check:
    """A descriptor taken out of a process, here our own (pidfd_getfd(2))."""
    try:
        pidfd = os.pidfd_open(os.getpid())
        try:
            os.close(_kernel.pidfd_getfd(pidfd, pidfd))
        finally:
            os.close(pidfd)
    except OSError as error:
        return Check(name="pidfd_getfd", ok=False, detail=str(error), hint=UNCONFINE)
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
        setting = read("/proc/sys/vm/memfd_noexec").strip()
        hint = "as root: sysctl -w vm.memfd_noexec=1" if setting == "2" else "brane-jail must be executable here"
        return Check(name="sealed memfd", ok=False, detail=str(error), hint=hint)
    return Check(name="sealed memfd", ok=True, detail="sealed, and runs")


def keyring() -> Check:
    """A session keyring of one's own (keyctl(2)); container filters refuse it."""
    code = in_child(lambda: _errno(_libc.syscall(_numbers()[1], 1, None)))
    hint = f"a filter, or kernel.keys.maxkeys, refuses it; {UNCONFINE}" if code else ""
    return Check(name="keyring", ok=not code, detail=outcome(code, "joined a new one"), hint=hint)


def _errno(result: int) -> int:
    return ctypes.get_errno() if result < 0 else 0


def _numbers() -> tuple[int, int, int]:
    return _NUMBERS.get(platform.machine(), (-1, -1, -1))
