"""System calls that Python's library has no name for, one function each. Values are checked, nothing is decided."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import select
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIDFD_GETFD: Final = 438  # the same on x86_64 and aarch64
_NOTIF_RECV: Final = 0xC0502100  # SECCOMP_IOCTL_NOTIF_RECV, linux/seccomp.h
_NOTIF_SEND: Final = 0xC0182101  # SECCOMP_IOCTL_NOTIF_SEND
_NOTIF: Final = struct.Struct("=QII iI Q 6Q")
_NOTIF_RESP: Final = struct.Struct("=QqiI")
_F_ADD_SEALS: Final = 1033
_SEALS: Final = 0x1 | 0x2 | 0x4 | 0x8  # seal, shrink, grow, write
_MFD_EXEC: Final = 0x10
_SEAL_TRIES: Final = 10

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """A system call that stage 2 of a brane's filter did not allow (seccomp_unotify(2))."""

    id: int
    pid: int
    number: int
    arch: int
    instruction_pointer: int
    args: tuple[int, ...]


def pidfd_getfd(pidfd: int, number: int) -> int:
    """A duplicate of descriptor `number` of the process behind `pidfd` (pidfd_getfd(2)); close-on-exec.

    Raises:
        OSError: the kernel refused.
    """
    got = _libc.syscall(_PIDFD_GETFD, pidfd, number, 0)
    if got < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(got)


def readable(descriptors: Iterable[int], seconds: float) -> dict[int, int]:
    """Which descriptors have something to read or have ended within `seconds`, with poll(2)'s events of each.

    Not select(2), whose numbers end at 1,023.
    """
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, select.POLLIN)
    return dict(poller.poll(max(seconds, 0.0) * 1000))


def receive_notification(listener: int) -> Notification | None:
    """The next notification of `listener`, where poll(2) says POLLIN; None if its process died meanwhile (ENOENT).

    Where it says only POLLHUP, kernels before 6.11 would wait here for ever.

    Raises:
        OSError: the kernel refused.
    """
    buffer = bytearray(_NOTIF.size)
    try:
        fcntl.ioctl(listener, _NOTIF_RECV, buffer)
    except FileNotFoundError:
        return None
    identity, pid, _, number, arch, pointer, *args = _NOTIF.unpack(buffer)
    return Notification(id=identity, pid=pid, number=number, arch=arch, instruction_pointer=pointer, args=tuple(args))


def answer_notification(listener: int, notification: Notification, code: int) -> None:
    """Let the system call fail with `code`; it is never continued. No error if its process died meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        fcntl.ioctl(listener, _NOTIF_SEND, _NOTIF_RESP.pack(notification.id, 0, -code, 0))


def sealed_memfd(name: str, data: bytes | memoryview, *, executable: bool = False) -> int:
    """A memfd with `data` that nobody, this process included, can change any more (memfd_create(2)).

    Raises:
        OSError: the kernel refused.
    """
    memfd = new_memfd(name, executable=executable)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(memfd, view) :]
        seal(memfd)
    except BaseException:
        os.close(memfd)
        raise
    return memfd


def new_memfd(name: str, *, executable: bool = False) -> int:
    """An empty memfd that can be sealed."""
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create(name, flags | (_MFD_EXEC if executable else 0))
    except OSError:
        if not executable:
            raise
        # Before Linux 6.3 the flag is unknown and every memfd is executable.
        return os.memfd_create(name, flags)


def seal(memfd: int) -> None:
    """Forbid every further change of `memfd` (fcntl(2), F_ADD_SEALS).

    The kernel waits a moment for pages that somebody holds, then says EBUSY. That somebody may be the kernel itself,
    which looks for pages to reclaim; so it is asked more than once. A writable mapping stays, and stays refused.

    Raises:
        OSError: the kernel refused.
    """
    for _ in range(_SEAL_TRIES - 1):
        try:
            fcntl.fcntl(memfd, _F_ADD_SEALS, _SEALS)
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
        else:
            return
    fcntl.fcntl(memfd, _F_ADD_SEALS, _SEALS)
