"""Which line of a broken chain is to blame, and what was done to it.

A line that does not follow the one before it shows only that something happened near it. The lines after it
are witnesses: each holds the digest of the line that it was written after. From them follows whether a line
was

- `changed`: its successor is there and holds another digest;
- `missing`: the place before this line is empty, and nothing later fits there;
- `swapped`: what belongs here comes later, and this line belongs later too;
- `inserted`: the chain closes without it;

and without witnesses, `malformed` (no record at all) or `torn` (no newline at the end of a file). One deed is
named exactly; of several, the first line that any of them left behind is named, with the reason that fits it
best.

Pure: lines in, a value out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from branes.audit.record import MAX_LINE, MalformedError, scan

if TYPE_CHECKING:
    from collections.abc import Iterable

Reason = Literal["changed", "inserted", "malformed", "missing", "swapped", "torn"]
Line = tuple[str, int, bytes]
"""A file's name, the line's number in it from 1 on, and the line with its newline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first thing that is wrong with a log.

    Attributes:
        file: the name of the file.
        line: the number of the line in it, from 1 on; of missing records, that of the line that follows the
            gap.
        reason: what was done, as well as the lines can tell.
        detail: what was expected and found; never text out of a record.
    """

    file: str
    line: int
    reason: Reason
    detail: str


class _Link(NamedTuple):
    seq: int
    prev: str
    digest: str


@dataclass(slots=True)
class _Ahead:
    """What the lines after the broken place say.

    Attributes:
        next: the line right after it, if it is a record.
        rightful: a later line is what was expected here.
        copy: a later line has the same place as the one here.
        parent: a later line is the one that the line here was written after.
    """

    next: _Link | None = None
    rightful: bool = False
    copy: bool = False
    parent: bool = False


def unreadable(line: Line, error: MalformedError) -> Fault:
    """Name a line that is not a record."""
    if not line[2].endswith(b"\n") and len(line[2]) <= MAX_LINE:
        return _fault(line, "torn", f"the last {len(line[2])} bytes of the file are not a whole line")
    return _fault(line, "malformed", str(error))


def explain(last: Line | None, line: Line, rest: Iterable[Line]) -> Fault:
    """Name the culprit when `line`, a record, does not follow `last`, the last sound line if there is one."""
    held = _link(last[2]) if last else _Link(0, "", "0" * 64)
    here = _link(line[2])
    ahead = _look_ahead(held, here, rest)
    if last and (here.seq, here.prev) == (held.seq, held.prev):
        return _rivals(last, line, here, ahead)
    place = held.seq + 1
    if ahead.rightful:
        return _displaced(line, here, place, ahead)
    if here.seq == place:
        return _changed(last, line, here, ahead)
    replaced = ahead.next and ahead.next.seq == place + 1 and ahead.next.prev != here.digest
    if here.prev == held.digest or replaced:
        return _fault(line, "changed", f"expected seq {place}, got {here.seq}")
    if here.seq > place:
        return _fault(line, "missing", f"seq {place} to {here.seq - 1} are missing before this line")
    return _fault(line, "inserted", f"expected seq {place}, got {here.seq} again")


def _link(raw: bytes) -> _Link:
    return _Link(*scan(raw), hashlib.sha256(raw).hexdigest())


def _look_ahead(held: _Link, here: _Link, rest: Iterable[Line]) -> _Ahead:
    ahead = _Ahead()
    for index, line in enumerate(rest):
        try:
            link = _link(line[2])
        except MalformedError:
            continue
        if index == 0:
            ahead.next = link
        ahead.rightful |= (link.seq, link.prev) == (held.seq + 1, held.digest)
        ahead.copy |= link.seq == here.seq
        ahead.parent |= link.digest == here.prev
    return ahead


def _rivals(last: Line, line: Line, here: _Link, ahead: _Ahead) -> Fault:
    """Two lines claim one place: the true one is that which the next line was written after."""
    continued = ahead.next is not None and ahead.next.prev == here.digest
    forged = last if continued and last[2] != line[2] else line
    return _fault(forged, "inserted", f"two lines have seq {here.seq}")


def _displaced(line: Line, here: _Link, place: int, ahead: _Ahead) -> Fault:
    detail = f"expected seq {place}, which comes later, got {here.seq}"
    belongs_later = here.seq > place and ahead.parent and not ahead.copy
    return _fault(line, "swapped" if belongs_later else "inserted", detail)


def _changed(last: Line | None, line: Line, here: _Link, ahead: _Ahead) -> Fault:
    """The place is right, the digest is not: the line before was changed, or the digest in this one."""
    if last and ahead.next is None:
        return _fault(last, "changed", "its SHA-256 is not what the last line holds, unless that one was changed")
    if last and ahead.next and ahead.next.prev == here.digest:
        return _fault(last, "changed", "its SHA-256 is not what the next line holds")
    return _fault(line, "changed", "it does not hold the SHA-256 of the line before, nor the next one its own")


def _fault(line: Line, reason: Reason, detail: str) -> Fault:
    return Fault(file=line[0], line=line[1], reason=reason, detail=detail)
