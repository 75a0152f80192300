"""The hash chain: how records follow each other, and what is wrong where they do not.

Each record holds its place (`seq`, from 1 on, without gaps) and the SHA-256 of the whole line before it,
newline included (`prev`; 64 zeros in the first). A head is the place and the digest of the last line; with it
the chain can be continued, and everything before it is fixed. What is wrong with a broken chain is worked out
in `branes.audit.fault`.

What the chain cannot show: the last line has nobody to vouch for it, so that a changed last line, lines cut
off at the end and a chain rewritten from some line on look sound. Whoever knows a head from elsewhere can
tell.

Pure: lines in, values out. Files, locks and clocks belong to others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from branes.audit.fault import Fault, Line, explain, unreadable
from branes.audit.record import Event, MalformedError, Record, encode, scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class Stamp(NamedTuple):
    """When: `wall` is UTC as RFC 3339 with six decimals, `boot` is microseconds since the machine started."""

    wall: str
    boot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain.

    Attributes:
        seq: the place of the last record, 0 if there is none.
        digest: SHA-256 of its line, in hexadecimal.
    """

    seq: int
    digest: str


GENESIS: Final = Head(seq=0, digest="0" * 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a walk along the chain found.

    Attributes:
        head: the end of the part that is sound; its `seq` is the number of records in it.
        fault: what is wrong with the next line, or None.
    """

    head: Head
    fault: Fault | None


def extend(head: Head, events: Iterable[Event], clock: Callable[[], Stamp]) -> tuple[bytes, Head, tuple[Record, ...]]:
    """Return the lines that record `events` after `head`, the new head, and the records."""
    lines: list[bytes] = []
    records: list[Record] = []
    seq, prev = head.seq, head.digest
    for event in events:
        seq += 1
        stamp = clock()
        line = encode(event, seq, stamp.wall, stamp.boot, prev)
        digest = _digest(line)
        records.append(_record(event, seq, stamp, prev, digest))
        lines.append(line)
        prev = digest
    return b"".join(lines), Head(seq=seq, digest=prev), tuple(records)


def _record(event: Event, seq: int, stamp: Stamp, prev: str, digest: str) -> Record:
    return Record(
        seq=seq,
        wall=stamp.wall,
        boot=stamp.boot,
        run=event.run,
        plan=event.plan,
        layer=event.layer,
        event=event.event,
        tried=event.tried,
        done=event.done,
        prev=prev,
        digest=digest,
    )


def resume(lines: Sequence[bytes]) -> Head:
    """Return the head of a log whose last lines, at least two if it has as many, are `lines`.

    Raises:
        MalformedError: the last line is no record, or does not follow the one before it.
    """
    if not lines:
        return GENESIS
    before = GENESIS
    if len(lines) > 1:
        before = Head(seq=scan(lines[-2])[0], digest=_digest(lines[-2]))
    seq, prev = scan(lines[-1])
    if (seq, prev) != (before.seq + 1, before.digest):
        raise MalformedError("does not follow the line before")
    return Head(seq=seq, digest=_digest(lines[-1]))


def check(lines: Iterable[Line]) -> Checked:
    """Walk along a whole log from its first line to the first fault.

    Where a line does not follow the one before it, the lines after it are read too: they tell which of the
    two is to blame, and how.
    """
    rest = iter(lines)
    before = head = GENESIS
    last: Line | None = None
    fault: Fault | None = None
    for line in rest:
        try:
            follows = scan(line[2]) == (head.seq + 1, head.digest)
        except MalformedError as error:
            fault = unreadable(line, error)
            break
        if not follows:
            fault = explain(last, line, rest)
            if last and (fault.file, fault.line) == last[:2]:
                # The one that was taken for sound is the one to blame.
                head = before
            break
        before, head, last = head, Head(seq=head.seq + 1, digest=_digest(line[2])), line
    return Checked(head=head, fault=fault)


def _digest(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()
