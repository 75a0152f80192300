"""Hostile values made fit for a record: what a guest makes up is never refused, all of it is spelled out.

- Text: bytes are taken as UTF-8; what has no UTF-8 form, what a terminal obeys and what nobody can see become
  a backslash escape. RFC 8785 itself escapes the C0 controls, quotes and backslashes.
- Integers beyond 2^53 - 1, which JSON cannot be trusted with, become text, as do floats that large, infinite
  or not a number.
- Two names that come to be spelled alike stay two; depth is bounded.
- What is too long becomes its length, its digest and how it starts.

A type that no decoder of the guest's messages makes is the caller's mistake and raises TypeError.

Pure: values in, values out.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from typing import Final

from branes.audit.canonical import dumps

MAX_INTEGER: Final = 2**53 - 1

_MAX_DEPTH: Final = 16
_START: Final = 256

# RFC 8785 leaves these as they are, and a terminal obeys some of them or shows nothing: delete, the C1
# controls, line separators, what reorders text, what has no width, tags, and surrogates, which have no UTF-8
# form at all. (Unicode's Cc, Cf and Default_Ignorable_Code_Point, but for number signs and joiners that are seen.)
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def clean(value: Mapping[str, object]) -> dict[str, object]:
    """Return `value` as RFC 8785 can express it and as it reads back.

    Raises:
        TypeError: it holds something that neither JSON nor bytes taken as text can express.
    """
    return _mapping(value, 0)


def fit(value: dict[str, object], room: int) -> tuple[dict[str, object], bytes]:
    """Return `value` and its bytes, or if they exceed `room` a stand-in that still says what they were."""
    encoded = dumps(value)
    if len(encoded) <= room:
        return value, encoded
    digest = hashlib.sha256(encoded).hexdigest()
    start = encoded[:_START].decode(errors="ignore")
    omitted: dict[str, object] = {"bytes": len(encoded), "sha256": digest, "start": start}
    return {"omitted": omitted}, dumps({"omitted": omitted})


def _mapping(value: Mapping[str, object], depth: int) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a mapping, got {type(value).__name__}")
    cleaned: dict[str, object] = {}
    for key, item in value.items():
        if not isinstance(key, str | bytes):
            raise TypeError(f"expected text as a name, got {type(key).__name__}")
        name = _text(key)
        while name in cleaned:  # two hostile names may be spelled alike; neither may hide the other
            name += f"~{len(cleaned)}"
        cleaned[name] = _value(item, depth + 1)
    return cleaned


def _value(value: object, depth: int) -> object:
    """Return a value that RFC 8785 can express and that reads back as itself."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str | bytes):
        return _text(value)
    if isinstance(value, int | float):
        return _number(value)
    if not isinstance(value, Mapping | list | tuple):
        raise TypeError(f"expected what JSON can express, got {type(value).__name__}")
    if depth >= _MAX_DEPTH:
        return f"nested deeper than {_MAX_DEPTH} levels"
    if isinstance(value, Mapping):
        return _mapping(value, depth)
    return [_value(item, depth + 1) for item in value]


def _text(value: str | bytes) -> str:
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str.__str__(value)
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _number(value: float) -> int | float | str:
    if isinstance(value, int):
        if abs(value) <= MAX_INTEGER:
            return int(value)
        # Python refuses to spell very long integers in decimal.
        return str(int(value)) if value.bit_length() <= 1024 else hex(value)
    # A large float is spelled without a point, and would read back as an integer that RFC 8785 refuses.
    return float(value) if math.isfinite(value) and abs(value) <= MAX_INTEGER else repr(float(value))
