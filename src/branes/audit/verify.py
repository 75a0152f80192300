"""Reading the log: is it sound from its first line to its last, and what are the last records.

Reads only. The sizes of the files are taken under a shared lock, so that nobody is in the middle of a line,
and what is appended after that is not looked at; no writer waits while the lines are read. Whoever may read
the files may verify them; they need not be the owner's.

What a sound verdict is worth is said in `branes.audit.chain`: compare `head` with one that was kept
elsewhere.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from branes.audit.chain import check
from branes.audit.folder import last_lines, lock, open_segment, segments, unlock
from branes.audit.record import MAX_LINE, MalformedError, Record, decode
from branes.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from branes.audit.fault import Fault, Line

_LOCK_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What verifying a log found.

    Attributes:
        ok: nothing is wrong with it.
        records: how many records are sound, counted from the first up to the fault.
        segments: how many files it has.
        head: SHA-256 of the last sound line, in hexadecimal; 64 zeros if there is none.
        first_fault: what is wrong first, or None.
    """

    ok: bool
    records: int
    segments: int
    head: str
    first_fault: Fault | None


def verify(directory: Path) -> Verdict:
    """Check every line of the log in `directory`.

    Raises:
        AuditError: it cannot be read, or its lock is held for longer than five seconds.
    """
    with _opened(directory) as (folder, sizes):
        checked = check(_lines(folder, sizes))
    return Verdict(
        ok=checked.fault is None,
        records=checked.head.seq,
        segments=len(sizes),
        head=checked.head.digest,
        first_fault=checked.fault,
    )


def tail(directory: Path, count: int) -> list[Record]:
    """Return up to the last `count` records, oldest first. They are decoded, but the chain is not checked.

    Raises:
        AuditError: it cannot be read, or one of those lines is no record.
    """
    lines: list[bytes] = []
    with _opened(directory) as (folder, sizes):
        for name, size in reversed(sizes):
            if len(lines) >= count:
                break
            fd = open_segment(folder, name)
            try:
                lines = last_lines(fd, size, count - len(lines))[0] + lines
            finally:
                os.close(fd)
    try:
        return [decode(line) for line in lines]
    except MalformedError as error:
        hint = "`brane audit verify` names the first fault"
        raise AuditError(f"a line at the end of the audit log is no record: {error}", hint=hint) from None


@contextmanager
def _opened(directory: Path) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """Open the folder and take down the segments and their sizes at one moment between two appends."""
    try:
        folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            lock(folder, fcntl.LOCK_SH, _LOCK_TIMEOUT)
            sizes = [(name, os.stat(name, dir_fd=folder).st_size) for name in segments(folder)]
            unlock(folder)
            yield folder, sizes
        finally:
            os.close(folder)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise AuditError(f"the audit log in {str(directory)!r} cannot be read: {reason}") from error


def _lines(folder: int, sizes: list[tuple[str, int]]) -> Iterator[Line]:
    for name, size in sizes:
        with os.fdopen(open_segment(folder, name), "rb") as file:
            number, left = 0, size
            while left > 0 and (raw := file.readline(MAX_LINE + 1)):
                number, left = number + 1, left - len(raw)
                yield name, number, raw
