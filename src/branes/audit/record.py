"""One record of the audit log: what it holds, and its one form as bytes.

A record is one line: a JSON object in the form of RFC 8785 and a newline, at most `MAX_LINE` bytes together.
There is one spelling of each record, so that a hash of the line is a hash of the record; `decode` refuses
every other spelling.

`Event` is what a caller reports. Everything that can go wrong with it goes wrong when it is made: a name that
is not one is the caller's mistake and raises. What the guest tried is another matter. It is hostile text of
any length and must never be the reason why a record is missing, so that no content of `tried` or `done` is
refused; it is spelled out instead (see `_clean`), and what is too long is replaced by its digest.

Pure: values in, values out. Time, hashes of other lines and files belong to others.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import rfc8785

MAX_LINE: Final = 64 * 1024
LAYERS: Final = frozenset({"language", "process", "network", "kernel", "host"})

_FIELDS: Final = ("boot", "done", "event", "layer", "plan", "prev", "run", "seq", "tried", "wall")
# The fields other than `tried` and `done` take less than 600 bytes; the rest of the line is for those two.
_MAX_BODY: Final = MAX_LINE - 1024
_MAX_DEPTH: Final = 16
_MAX_INTEGER: Final = 2**53 - 1
_START: Final = 256

_RUN: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._:-]{0,127})?")
_PLAN: Final = re.compile(r"(?:sha256:[0-9a-f]{64})?")
_EVENT: Final = re.compile(r"(?=.{1,64}\Z)[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_WALL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
# RFC 8785 leaves these as they are, and a terminal obeys some of them or shows nothing: delete, the C1
# controls, line separators, what reorders text, what has no width, tags, and surrogates, which have no UTF-8
# form at all.
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


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
    _tried: bytes = field(init=False, repr=False, compare=False)
    _done: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_names(self.run, self.plan, self.layer, self.event)
        done, done_bytes = _fit(_clean_mapping(self.done, 0), _MAX_BODY // 2)
        tried, tried_bytes = _fit(_clean_mapping(self.tried, 0), _MAX_BODY - len(done_bytes))
        for name, value in (("tried", tried), ("done", done), ("_tried", tried_bytes), ("_done", done_bytes)):
            object.__setattr__(self, name, value)


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
    """ _check_place(seq, wall, boot, prev) return (
    f'{{"boot":{boot},"done":{event._done.decode()},"event":"{event.event}","layer":"{event.layer}",'  # noqa:
    SLF001 f'"plan":"{event.plan}","prev":"{prev}","run":"{event.run}","seq":{seq},'
    f'"tried":{event._tried.decode()},"wall":"{wall}"}}\n'  # noqa: SLF001
    ).encode()


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
    fields = _parse_plain(line) or _parse(line)
    if tuple(fields) != _FIELDS:
        raise MalformedError("does not have the fields of a record")
    try:
        _check_names(fields["run"], fields["plan"], fields["layer"], fields["event"])
        _check_place(fields["seq"], fields["wall"], fields["boot"], fields["prev"])
    except (TypeError, ValueError) as error:
        raise MalformedError(str(error)) from None
    if type(fields["tried"]) is not dict or type(fields["done"]) is not dict:
        raise MalformedError("tried or done is not an object")
    return fields


def _parse(line: bytes) -> dict[str, Any]:
    """Parse with the reference: what it parses to must be spelled as RFC 8785 spells it."""
    try:
        value = json.loads(line[:-1].decode())
        canonical = rfc8785.dumps(value)
    except (ValueError, RecursionError):
        raise MalformedError("not JSON that RFC 8785 can express") from None
    if canonical != line[:-1]:
        raise MalformedError("not spelled as RFC 8785 spells it")
    if type(value) is not dict:
        raise MalformedError("not an object")
    return value


def _plain_integer(text: str) -> int:
    if len(text) > 15:
        raise ValueError
    return int(text)


def _no_float(_text: str) -> float:
    raise ValueError


# For ASCII text without fractions and long integers the C encoder of the standard library and RFC 8785 agree:
# names sorted by code unit, no blanks, the same escapes. The tests hold the two against each other.
_plain_decode: Final = json.JSONDecoder(
    parse_int=_plain_integer, parse_float=_no_float, parse_constant=_no_float
).raw_decode
_plain_encode: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode


def _parse_plain(line: bytes) -> dict[str, Any] | None:
    """Parse the common sort of line five times as fast; None means: ask `_parse`."""
    if not line.isascii():
        return None
    text = line[:-1].decode()
    try:
        value, _end = _plain_decode(text)
        if type(value) is dict and _plain_encode(value) == text:
            return value
    except (ValueError, RecursionError):
        pass
    return None


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
    if type(seq) is not int or not 1 <= seq <= _MAX_INTEGER:
        raise ValueError("seq is not a positive integer")
    if type(boot) is not int or not 0 <= boot <= _MAX_INTEGER:
        raise ValueError("boot is not a number of microseconds")
    if not _WALL.fullmatch(wall):
        raise ValueError("wall is not a time: expected RFC 3339, UTC, six decimals")
    if not _DIGEST.fullmatch(prev):
        raise ValueError("prev is not a digest: expected 64 hexadecimal digits")


def _fit(value: dict[str, object], room: int) -> tuple[dict[str, object], bytes]:
    """Return `value` and its bytes, or if they exceed `room` a stand-in that still says what they were."""
    encoded = rfc8785.dumps(value)  # type: ignore[arg-type]  # _clean left nothing else in it
    if len(encoded) <= room:
        return value, encoded
    digest = hashlib.sha256(encoded).hexdigest()
    start = encoded[:_START].decode(errors="ignore")
    omitted: dict[str, object] = {"bytes": len(encoded), "sha256": digest, "start": start}
    return {"omitted": omitted}, rfc8785.dumps({"omitted": omitted})  # type: ignore[dict-item]


def _clean_mapping(value: Mapping[str, object], depth: int) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, got {type(value).__name__}")
    cleaned: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            raise TypeError(f"expected text as a name, got {type(key).__name__}")
        name = _clean_text(key)
        while name in cleaned:  # two hostile names may be spelled alike; neither may hide the other
            name += "'"
        cleaned[name] = _clean(item, depth + 1)
    return cleaned


def _clean(value: object, depth: int) -> object:
    """Return a value that RFC 8785 can express and that reads back as itself."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | bytes):
        return _clean_text(value)
    if isinstance(value, int | float):
        return _clean_number(value)
    if not isinstance(value, Mapping | list | tuple):
        raise TypeError(f"expected what JSON can express, got {type(value).__name__}")
    if depth >= _MAX_DEPTH:
        return f"nested deeper than {_MAX_DEPTH} levels"
    if isinstance(value, Mapping):
        return _clean_mapping(value, depth)
    return [_clean(item, depth + 1) for item in value]


def _clean_text(value: str | bytes) -> str:
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str.__str__(value)
    return _UNSEEN.sub(lambda found: found[0].encode("ascii", "backslashreplace").decode(), text)


def _clean_number(value: float) -> int | float | str:
    if isinstance(value, int):
        if abs(value) <= _MAX_INTEGER:
            return int(value)
        # Python refuses to spell very long integers in decimal.
        return str(int(value)) if value.bit_length() <= 1024 else hex(value)
    # A large float is spelled without a point, and would read back as an integer that RFC 8785 refuses.
    return float(value) if math.isfinite(value) and abs(value) <= _MAX_INTEGER else repr(float(value))
