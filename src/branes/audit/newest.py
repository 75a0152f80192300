"""The newest segment of the log: where it ends, what its head is, and the bytes that go behind it.

All of it is called by whoever holds the lock of the folder. The newest segment is the only one ever written
to, and only behind its last newline. What follows that newline is torn: somebody died while writing, so
nobody was told that those bytes were safe.

A whole last line that is no record, or does not follow the line before, is not an accident of writing.
Nothing is appended to such a log, because a chain that goes on would lend it credit.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from itertools import takewhile

from branes.audit.chain import Head, resume
from branes.audit.folder import (
    create_segment,
    fill_reserve,
    last_lines,
    open_segment,
    segment,
    segments,
    write_at,
)
from branes.audit.record import Event, MalformedError
from branes.errors import AuditError


@dataclass(frozen=True, slots=True, kw_only=True)
class Newest:
    """The newest segment as it was when the lock was last held.

    Attributes:
        number: counted from 1.
        fd: open to read and write.
        identity: device and inode.
        end: the offset behind the last newline.
        torn: what is behind that offset.
        head: the head of the chain, which an empty segment has from the segment before.
    """

    number: int
    fd: int
    identity: tuple[int, int]
    end: int
    torn: bytes
    head: Head


def is_current(folder: int, newest: Newest) -> bool:
    """Tell whether nobody wrote to, replaced or went beyond this segment since."""
    try:
        status = os.stat(segment(newest.number), dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if (status.st_dev, status.st_ino) != newest.identity or status.st_size != newest.end + len(newest.torn):
        return False
    try:
        os.stat(segment(newest.number + 1), dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return True
    return False


def load(folder: int, known: Newest | None) -> Newest:
    """Read the end of the log anew, and set space aside. `known` is used up, on failure too.

    Raises:
        AuditError: the log is broken or unsafe to open.
        OSError: as the calls to the file system.
    """
    fd, number = _open(folder, known)
    try:
        status = os.fstat(fd)
        lines, torn = last_lines(fd, status.st_size, 2)
        head = _head(folder, number, lines)
        fill_reserve(folder)
    except BaseException:
        os.close(fd)
        raise
    identity, end = (status.st_dev, status.st_ino), status.st_size - len(torn)
    return Newest(number=number, fd=fd, identity=identity, end=end, torn=torn, head=head)


def rotate(folder: int, newest: Newest) -> Newest:
    """Begin the next segment; the descriptor of the one before is closed."""
    number = newest.number + 1
    fd = create_segment(folder, segment(number))
    os.close(newest.fd)
    status = os.fstat(fd)
    return replace(newest, number=number, fd=fd, identity=(status.st_dev, status.st_ino), end=0)


def put(newest: Newest, data: bytes) -> None:
    """Write `data`, whole lines, behind the last newline, over what is torn.

    Overwriting before cutting means that a crash between the two leaves a torn end again: no cut goes
    unrecorded.

    Raises:
        OSError: as pwrite(2) and ftruncate(2); `undo` follows.
    """
    write_at(newest.fd, data, newest.end)
    if newest.torn:
        os.ftruncate(newest.fd, newest.end + len(data))


def undo(newest: Newest) -> None:
    """Take back a `put` that failed. What was torn before stays torn, to be cut and recorded later.

    Raises:
        OSError: as ftruncate(2).
    """
    if not newest.torn:
        os.ftruncate(newest.fd, newest.end)


def after(newest: Newest, data: bytes, head: Head) -> Newest:
    """Return the segment as it is once `data` was put."""
    return replace(newest, end=newest.end + len(data), torn=b"", head=head)


def recovered(newest: Newest) -> list[Event]:
    """Return what has to be recorded before anything else: that a torn end was cut, if there is one."""
    if not newest.torn:
        return []
    tried = {"bytes": len(newest.torn), "sha256": hashlib.sha256(newest.torn).hexdigest()}
    done = {"action": "cut"}
    return [Event(run="", plan="", layer="host", event="audit.recovered", tried=tried, done=done)]


def _open(folder: int, known: Newest | None) -> tuple[int, int]:
    """Return a descriptor of the newest segment and its number; that of `known` if it is the same file."""
    try:
        name = next(reversed(segments(folder)), None)
        if known and name == segment(known.number):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if (status.st_dev, status.st_ino) == known.identity:
                return known.fd, known.number
        fd = open_segment(folder, name, write=True) if name else create_segment(folder, segment(1))
    except BaseException:
        if known:
            os.close(known.fd)
        raise
    if known:
        os.close(known.fd)
    return fd, int(name.split(".")[0]) if name else 1


def _head(folder: int, number: int, lines: list[bytes]) -> Head:
    older = takewhile(lambda name: name != segment(number), segments(folder))
    for name in reversed(list(older)):
        if len(lines) >= 2:
            break
        lines = _last_of(folder, name) + lines
    try:
        return resume(lines[-2:])
    except MalformedError as error:
        raise _broken(f"the last line: {error}") from None


def _last_of(folder: int, name: str) -> list[bytes]:
    fd = open_segment(folder, name)
    try:
        lines, torn = last_lines(fd, os.fstat(fd).st_size, 2)
    finally:
        os.close(fd)
    if torn:
        raise _broken(f"{name}, which is not the newest, has no newline at its end")
    return lines


def _broken(what: str) -> AuditError:
    return AuditError(
        f"the audit log is broken and takes no more records: {what}",
        hint="`brane audit verify` names the first fault; to go on, move the folder aside and keep it",
    )
