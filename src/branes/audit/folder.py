"""The folder of the log and the files in it: opened safely, locked, listed, read from the end.

Functions only; who calls what, and when, is decided in `branes.audit.newest` and `branes.audit.store`.

- The folder and the segments (`000001.jsonl` and so on) are opened without following a link in the last part
  of their name, and refused when they belong to another user or when others may write to them. The folder is
  refused when others may so much as read it: whoever can open it can take its lock, and keep it.
- A new name is durable before anything is written under it: the folder that holds it is synced.
- The lock is an exclusive flock on the folder itself. No lock file can be left behind or removed, and it goes
  with the process that held it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shlex
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from branes.errors import AuditError

if TYPE_CHECKING:
    from pathlib import Path

RESERVE_SIZE: Final = 16 * 1024

_SEGMENT: Final = re.compile(r"\d{6,}\.jsonl", re.ASCII)
_RESERVE: Final = "reserve"
_SAFE: Final = os.O_NOFOLLOW | os.O_CLOEXEC
_FIRST_PAUSE: Final = 50e-6
_LONGEST_PAUSE: Final = 2e-3


class UnsyncedError(OSError):
    """fsync(2) or fdatasync(2) failed: what was written may be lost, and no later call will say so again."""


def sync(fd: int) -> None:
    """Make a folder's names durable.

    Raises:
        UnsyncedError: as fsync(2).
    """
    try:
        os.fsync(fd)
    except OSError as error:
        raise UnsyncedError(error.errno, error.strerror) from error


def make_folder(path: Path) -> None:
    """Make the folder, and those above it that do not exist, for the owner only and durably."""
    if path.exists():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    fd = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync(fd)
    finally:
        os.close(fd)


def open_folder(path: Path) -> int:
    """Open a folder of this user that nobody else may open; whoever calls closes it.

    Raises:
        AuditError: it is a link, or not a folder, or not this user's alone.
        OSError: as open(2).
    """
    if path.is_symlink():
        raise AuditError(f"the audit log's folder {str(path)!r} is a symbolic link", hint="name its target")
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
    try:
        status = os.fstat(fd)
        _refuse_foreign(status, str(path))
        _refuse_open(status, str(path))
    except AuditError:
        os.close(fd)
        raise
    return fd


def is_at(folder: int, path: Path) -> bool:
    """Tell whether the open folder is still the one that `path` names."""
    try:
        return os.path.samestat(os.fstat(folder), path.stat())
    except FileNotFoundError:
        return False


def lock(folder: int, kind: int, timeout: float) -> None:
    """Take the lock, `fcntl.LOCK_EX` or `LOCK_SH`; closing `folder` or `unlock` gives it back.

    flock(2) knows no timeout, and an alarm would belong to the whole process, so this asks again and again.

    Raises:
        AuditError: another process had it for `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(folder, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise AuditError(
                    f"another process held the audit log's lock for {timeout} s",
                    hint="see /proc/locks for who; the lock goes when that process ends",
                ) from None
        else:
            return
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def unlock(folder: int) -> None:
    """Give the lock back."""
    fcntl.flock(folder, fcntl.LOCK_UN)


def segments(folder: int) -> list[str]:
    """Return the names of the segments, oldest first."""
    found = (name for name in os.listdir(folder) if _SEGMENT.fullmatch(name))
    numbered = {name: int(name.split(".")[0]) for name in found}
    return sorted((name for name, number in numbered.items() if name == segment(number)), key=numbered.__getitem__)


def segment(number: int) -> str:
    """Return the name of a segment, counted from 1."""
    return f"{number:06d}.jsonl"


def create_segment(folder: int, name: str) -> int:
    """Create an empty segment under a durable name and open it to read and write."""
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | _SAFE, 0o600, dir_fd=folder)
    try:
        sync(folder)
    except OSError:
        os.close(fd)
        raise
    return fd


def open_segment(folder: int, name: str, *, write: bool = False) -> int:
    """Open a segment that exists; to write, it must be this user's.

    Raises:
        AuditError: it is a link, or not a regular file, or to be written and somebody else's.
        OSError: as open(2).
    """
    # Without O_NONBLOCK a named pipe under this name would make open(2) wait for ever.
    flags = (os.O_RDWR if write else os.O_RDONLY) | os.O_NONBLOCK | _SAFE
    try:
        fd = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise AuditError(f"the audit log's file {name} is a symbolic link") from error
        raise
    try:
        _refuse_special(os.fstat(fd), name)
        if write:
            _refuse_foreign(os.fstat(fd), name)
            sync(folder)  # who created it may have died before this
    except BaseException:
        os.close(fd)
        raise
    return fd


def last_lines(fd: int, size: int, count: int) -> tuple[list[bytes], bytes]:
    """Return the last `count` (1 or more) whole lines below `size`, and the bytes after the last newline."""
    window = 64 * 1024
    while True:
        start = max(0, size - window)
        data = os.pread(fd, size - start, start)
        if start == 0 or data.count(b"\n") > count:
            break
        window *= 2
    *lines, torn = data.split(b"\n")
    return [line + b"\n" for line in lines[-count:]], torn


def write_at(fd: int, data: bytes, offset: int) -> None:
    """Write all of `data`, in one call unless the kernel splits it.

    Raises:
        OSError: as pwrite(2); some of it may then be there.
    """
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def fill_reserve(folder: int) -> None:
    """Set space aside, so that a full disk can still be recorded.

    Raises:
        OSError: as posix_fallocate(3), ENOSPC if there is none.
    """
    fd = os.open(_RESERVE, os.O_RDWR | os.O_CREAT | _SAFE, 0o600, dir_fd=folder)
    try:
        if os.fstat(fd).st_size < RESERVE_SIZE:
            os.posix_fallocate(fd, 0, RESERVE_SIZE)
    finally:
        os.close(fd)


def spend_reserve(folder: int) -> bool:
    """Give the space that was set aside back to the file system; False if there was none.

    Raises:
        OSError: as open(2) and ftruncate(2).
    """
    fd = os.open(_RESERVE, os.O_RDWR | _SAFE, dir_fd=folder)
    try:
        if os.fstat(fd).st_size == 0:
            return False
        os.ftruncate(fd, 0)
    finally:
        os.close(fd)
    return True


def _refuse_special(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise AuditError(f"the audit log's file {name} is not a regular file")


def _refuse_open(status: os.stat_result, path: str) -> None:
    if status.st_mode & 0o077:
        raise AuditError(
            f"the audit log's {path!r} may be opened, and its lock held, by others: "
            f"mode {stat.S_IMODE(status.st_mode):04o}, expected 0700",
            hint=f"chmod 700 {shlex.quote(path)}",
        )


def _refuse_foreign(status: os.stat_result, name: str) -> None:
    if status.st_uid != os.geteuid():
        raise AuditError(
            f"the audit log's {name!r} belongs to user {status.st_uid}, expected {os.geteuid()}",
            hint="run as that user, or use another state folder",
        )
    if status.st_mode & 0o022:
        raise AuditError(
            f"the audit log's {name!r} may be written by others: mode {stat.S_IMODE(status.st_mode):04o}",
            hint="chmod go-w, after finding out who did",
        )
