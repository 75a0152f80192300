"""One record of the audit log: what it holds, and its one form as bytes.

A record is one line: a JSON object in the form of RFC 8785 and a newline, at most `MAX_LINE` bytes together.
There is one spelling of each record, so that a hash of the line is a hash of the record; `decode` refuses
every other spelling.

`Event` is what a caller reports. Everything that can go wrong with it goes wrong when it is made: a name that
is not one is the caller's mistake and raises. What the guest tried is another matter. It is hostile text of
any length and must never be the reason why a record is missing, so that no content of `tried` or `done` is
refused; `branes.audit.clean` spells it out instead.

Pure: values in, values out. Time, hashes of other lines and files belong to others.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from branes.audit.canonical import SpellingError, loads
from branes.audit.clean import MAX_INTEGER, clean, fit

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LINE: Final = 64 * 1024
LAYERS: Final = frozenset({"language", "process", "network", "kernel", "host"})

_FIELDS: Final = ("boot", "done", "event", "layer", "plan", "prev", "run", "seq", "tried", "wall")
# The fields other than `tried` and `done` take less than 600 bytes; the rest of the line is for those two.
_MAX_BODY: Final = MAX_LINE - 1024

_RUN: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,127})?")
_PLAN: Final = re.compile(r"(?:sha256:[0-9a-f]{64})?")
_EVENT: Final = re.compile(r"(?=.{1,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_WALL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)


class MalformedError(ValueError):
    """A line is not a record in its one form; the text says why, without quoting the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a caller wants written down.

    Attributes:
        run: the run's id, or "" for what belongs to none.
        plan: the plan's digest, `sha256:` and 64 hexadecimal digits, or "".
        layer: the enforcement layer that saw it, one of `LAYERS`; `host` is what watches them.
        event: what kind it is, dotted lower-case words such as `seccomp.denied`.
        tried: what was attempted; may hold untrusted text. Made safe to show and to encode.
        done: what was done about it. Made safe likewise.
        tried_json, done_json: the same two in the form of RFC 8785.

    Raises:
        ValueError: a name does not have its form.
        TypeError: `tried` or `done` holds something that JSON, or bytes taken as text, cannot express.
    """

    run: str
    plan: str
    layer: str
    event: str
    tried: Mapping[str, object] = field(default_factory=dict)
    done: Mapping[str, object] = field(default_factory=dict)
    tried_json: bytes = field(init=False, repr=False, compare=False)
    done_json: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_names(self.run, self.plan, self.layer, self.event)
        done, done_json = fit(clean(self.done), _MAX_BODY // 2)
        tried, tried_json = fit(clean(self.tried), _MAX_BODY - len(done_json))
        made = {"tried": tried, "done": done, "tried_json": tried_json, "done_json": done_json}
        for name, value in made.items():
            object.__setattr__(self, name, value)  # frozen, but not yet seen by anyone


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the log, read or just written.

    Attributes:
        seq: the place in the whole log; the first is 1.
        wall: UTC, RFC 3339 with six decimals; a wrong clock makes it wrong.
        boot: microseconds since the machine started, sleep included; never goes back until it restarts.
        prev: SHA-256 of the line before, in hexadecimal; 64 zeros in the first record.
        digest: SHA-256 of this line; not in the line itself.
        run, plan, layer, event, tried, done: as in `Event`.
    """

    seq: int
    wall: str
    boot: int
    run: str
    plan: str
    layer: str
    event: str
    tried: Mapping[str, object]
    done: Mapping[str, object]
    prev: str
    digest: str


def encode(event: Event, seq: int, wall: str, boot: int, prev: str) -> bytes:
    """Return the line, newline included, that records `event` in the place `seq` after the line `prev`.

    The parts that cost time were encoded when the event was made; this only puts them in the order of RFC
    8785, which is that of the names here.

    Raises:
        ValueError: `seq`, `wall`, `boot` or `prev` is out of its form.
    """
    _check_place(seq, wall, boot, prev)
    return b"".join(
        (
            b'{"boot":%d,"done":' % boot,
            event.done_json,
            f',"event":"{event.event}","layer":"{event.layer}","plan":"{event.plan}","prev":"{prev}"'.encode(),
            f',"run":"{event.run}","seq":{seq},"tried":'.encode(),
            event.tried_json,
            f',"wall":"{wall}"}}\n'.encode(),
        )
    )


def decode(line: bytes) -> Record:
    """Return the record that `line`, newline included, is the one form of.

    Raises:
        MalformedError: it is not one: not JSON, a name twice, another spelling, a field too many, too few or
            out of its form, over `MAX_LINE`.
    """
    return Record(**_fields(line), digest=hashlib.sha256(line).hexdigest())


def scan(line: bytes) -> tuple[int, str]:
    """Return `seq` and `prev` of a line, as strict as `decode` and cheaper.

    Raises:
        MalformedError: as `decode`.
    """
    fields = _fields(line)
    return fields["seq"], fields["prev"]


def _fields(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE:
        raise MalformedError(f"longer than {MAX_LINE} bytes")
    if not line.endswith(b"\n"):
        raise MalformedError("does not end with a newline")
    try:
        fields = loads(line[:-1])
    except SpellingError as error:
        raise MalformedError(str(error)) from None
    if type(fields) is not dict or tuple(fields) != _FIELDS:
        raise MalformedError("does not have the fields of a record")
    try:
        _check_names(fields["run"], fields["plan"], fields["layer"], fields["event"])
        _check_place(fields["seq"], fields["wall"], fields["boot"], fields["prev"])
    except (TypeError, ValueError) as error:
        raise MalformedError(str(error)) from None
    if type(fields["tried"]) is not dict or type(fields["done"]) is not dict:
        raise MalformedError("tried or done is not an object")
    return fields


@lru_cache(maxsize=1024)
def _check_names(run: str, plan: str, layer: str, event: str) -> None:
    if not _RUN.fullmatch(run):
        raise ValueError("run is not an id: expected up to 128 letters, digits, dots, colons, dashes")
    if not _PLAN.fullmatch(plan):
        raise ValueError("plan is not a digest: expected sha256: and 64 hexadecimal digits")
    if layer not in LAYERS:
        raise ValueError(f"layer is none of {', '.join(sorted(LAYERS))}")
    if not _EVENT.fullmatch(event):
        raise ValueError("event is not a name: expected dotted lower-case words, up to 64 characters")


def _check_place(seq: int, wall: str, boot: int, prev: str) -> None:
    if type(seq) is not int or not 1 <= seq <= MAX_INTEGER:
        raise ValueError("seq is not a positive integer")
    if type(boot) is not int or not 0 <= boot <= MAX_INTEGER:
        raise ValueError("boot is not a number of microseconds")
    if not _WALL.fullmatch(wall):
        raise ValueError("wall is not a time: expected RFC 3339, UTC, six decimals")
    if not _DIGEST.fullmatch(prev):
        raise ValueError("prev is not a digest: expected 64 hexadecimal digits")
