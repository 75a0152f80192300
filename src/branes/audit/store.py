"""The log as the rest of the package uses it: `append` returns once the records are durable, or raises.

Promises:

- Records that were returned are in the chain and on the disk: fdatasync(2) succeeded after they were written.
- Any number of threads and processes may append; each batch is written under an exclusive lock, after the
  head was looked at again if anyone else wrote. Threads that wait at the same time go into one batch with one
  fdatasync.
- Nothing waits for ever for the lock: a batch waits `lock_timeout` seconds, and a call at most for one batch
  that was already under way and its own.
- A failed append leaves no partial line. What was not returned may still have been recorded, if the caller
  was interrupted or the process was killed; a log may say more than was acknowledged, never less.
- After a failed fdatasync the kernel may have dropped what it could not write and will say so only once.
  Nothing that this process appends could be trusted, so that it appends no more to this folder.

Left to others: what to record and when, and stopping whatever is not recorded.

Expected strace of one append to a log that is open and that nobody else wrote to:

    flock(folder, LOCK_EX|LOCK_NB)              = 0
    fstat(folder), stat(its path)               is it still the log's folder?
    stat(segment)                               did another write, or put another file in its place?
    stat(next segment)                          = -1 ENOENT
    pwrite64(segment, line, length, end)        = length
    fdatasync(segment)                          = 0
    flock(folder, LOCK_UN)                      = 0
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
import weakref
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final

from branes.audit.chain import Stamp, extend
from branes.audit.folder import UnsyncedError, is_at, lock, make_folder, open_folder, spend_reserve, unlock
from branes.audit.newest import Newest, after, is_current, load, put, recovered, rotate, undo
from branes.audit.record import Event, Record
from branes.audit.turns import Ticket, Turns
from branes.errors import AuditError

_SEGMENT_SIZE: Final = 64 * 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

_open_logs: weakref.WeakSet[AuditLog] = weakref.WeakSet()
# Folders that this process may not append to any more, and why.
_poisoned: dict[Path, str] = {}


class AuditLog:
    """The audit log in one folder, made on the first append if it does not exist.

    Args:
        directory: the folder; belongs to this user alone.
        lock_timeout: how many seconds to wait while another process appends.
    """

    def __init__(self, directory: Path, *, lock_timeout: float = 5.0) -> None:
        self._directory = Path(os.path.abspath(directory))  # noqa: PTH100 - links stay visible
        self._lock_timeout = lock_timeout
        self._segment_size = _SEGMENT_SIZE
        self._folder: int | None = None
        self._newest: Newest | None = None
        self._begin()
        _open_logs.add(self)

    def append(self, *events: Event) -> tuple[Record, ...]:
        """Record `events` in this order, next to each other, and return once they are durable.

        Raises:
            AuditError: they are not recorded; whatever they are about must not go on.
        """
        if self._pid != os.getpid():
            self._forget()
        ticket = Ticket(events)
        try:
            batch = self._turns.wait_or_lead(ticket)
            if batch:
                self._settle(batch)
        finally:
            self._turns.leave(ticket)
        return ticket.result()

    def close(self) -> None:
        """Close what is open; not while another thread appends. A later append opens it again."""
        newest, self._newest = self._newest, None
        folder, self._folder = self._folder, None
        for fd in (newest.fd if newest else None, folder):
            if fd is not None:
                with suppress(OSError):
                    os.close(fd)

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._turns = Turns()

    def _forget(self) -> None:
        """Drop what a fork copied: descriptors that share the parent's lock, threads that are not here."""
        self.close()
        self._begin()

    def _settle(self, batch: list[Ticket]) -> None:
        """Record a batch; whatever happens, each of its tickets has an answer afterwards."""
        try:
            folder = self._lock()
            try:
                batch = self._turns.waiting()  # more may have come while this waited for the lock
                records = iter(self._commit(folder, [event for ticket in batch for event in ticket.events]))
            finally:
                unlock(folder)
            for ticket in batch:
                ticket.records = tuple(islice(records, len(ticket.events)))
        except BaseException as error:
            self.close()  # gives the lock back; the next append looks at everything anew
            cause = self._poison("fsync failed", error) if isinstance(error, UnsyncedError) else error
            for ticket in batch:
                ticket.failure = _as_audit_error(cause, self._directory)
            if not isinstance(error, AuditError | OSError):
                raise

    def _lock(self) -> int:
        """Return the folder that has the log's name now, locked."""
        if self._directory in _poisoned:
            raise _poison_error(_poisoned[self._directory])
        while True:
            if self._folder is None:
                make_folder(self._directory)
                self._folder = open_folder(self._directory)
            lock(self._folder, fcntl.LOCK_EX, self._lock_timeout)
            if is_at(self._folder, self._directory):
                return self._folder
            self.close()  # somebody moved it aside

    def _commit(self, folder: int, events: list[Event]) -> tuple[Record, ...]:
        newest = self._look(folder)
        first = recovered(newest)
        data, head, records = extend(newest.head, first + events, _now)
        if newest.end and not newest.torn and newest.end + len(data) > self._segment_size:
            newest = self._newest = rotate(folder, newest)
        try:
            self._store(newest, data)
        except OSError as error:
            if error.errno in _FULL:
                self._record_full(folder, newest, len(data))
            raise
        self._newest = after(newest, data, head)
        return records[len(first) :]

    def _look(self, folder: int) -> Newest:
        if self._newest is None or not is_current(folder, self._newest):
            known, self._newest = self._newest, None
            self._newest = load(folder, known)
        return self._newest

    def _store(self, newest: Newest, data: bytes) -> None:
        try:
            put(newest, data)
        except OSError as error:
            try:
                undo(newest)
            except OSError:
                raise self._poison("a partial line could not be taken back", error) from error
            raise
        try:
            os.fdatasync(newest.fd)
        except OSError as error:
            # The line may be in memory only; a process that came later would chain onto what is not there.
            with suppress(OSError):
                undo(newest)
            raise self._poison("fdatasync failed", error) from error

    def _record_full(self, folder: int, newest: Newest, size: int) -> None:
        """Use the space set aside to record that there is no more. If even that fails, there is no way."""
        tried, done = {"bytes": size}, {"action": "refused"}
        full = Event(run="", plan="", layer="host", event="audit.full", tried=tried, done=done)
        with suppress(OSError, AuditError):
            if spend_reserve(folder):
                self._store(newest, extend(newest.head, [*recovered(newest), full], _now)[0])

    def _poison(self, what: str, error: OSError) -> AuditError:
        _poisoned[self._directory] = f"{what}: {_reason(error)}"
        return _poison_error(_poisoned[self._directory])


def _now() -> Stamp:
    seconds, rest = divmod(time.time_ns() // 1000, 1_000_000)
    wall = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return Stamp(wall=f"{wall}.{rest:06d}Z", boot=time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000)


def _reason(error: OSError) -> str:
    return (error.strerror or "unknown error").lower()


def _as_audit_error(error: BaseException, directory: Path) -> AuditError:
    """Return a new error for one ticket, so that threads do not share a traceback."""
    if isinstance(error, AuditError):
        copy = AuditError(error.message, hint=error.hint)
    elif isinstance(error, OSError):
        copy = AuditError(
            f"the audit log in {str(directory)!r} cannot be written: {_reason(error)}",
            hint="free space there; nothing runs until it can be written" if error.errno in _FULL else "",
        )
    else:
        copy = AuditError(f"the append was interrupted: {type(error).__name__}")
    copy.__cause__ = error
    return copy


def _poison_error(why: str) -> AuditError:
    return AuditError(
        f"the audit log takes no more records from this process: {why}",
        hint="check the disk, then run `brane audit verify` and restart",
    )


def _forget_all() -> None:
    for log in list(_open_logs):
        log._forget()  # noqa: SLF001


os.register_at_fork(after_in_child=_forget_all)
