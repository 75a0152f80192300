"""RFC 8785: the one spelling of a JSON value, there and back.

The reference is the package rfc8785. For most values the C encoder of the standard library spells the same,
five times as fast, namely for ASCII text without fractions and long integers: names sorted by code unit, no
blanks, the same escapes. Where that is not certain the reference decides; the tests compare the two.

Pure: values in, values out.
"""

from __future__ import annotations

import json
from typing import Any, Final

import rfc8785

_SAFE_DIGITS: Final = 15  # fewer than 2^53 - 1 has, so that every such integer is exact


class SpellingError(ValueError):
    """Bytes are not the one spelling of a JSON value, or a value has none."""


def dumps(value: object) -> bytes:
    """Return the spelling of `value`.

    Raises:
        SpellingError: RFC 8785 has none, for NaN, large integers, surrogates, or what is not JSON at all.
    """
    try:
        text = _encode(value)
        if text.isascii() and _decode_plain(text) is not None:
            return text.encode()
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return rfc8785.dumps(value)  # type: ignore[arg-type]  # it refuses other types itself
    except (ValueError, RecursionError) as error:
        raise SpellingError("RFC 8785 has no spelling for it") from error


def loads(data: bytes) -> Any:
    """Return the value that `data` is the spelling of.

    Raises:
        SpellingError: it is not JSON, has a name twice, or is spelled otherwise.
    """
    if data.isascii():
        text = data.decode()
        value = _decode_plain(text)
        if value is not None and _encode(value) == text:
            return value
    try:
        value = json.loads(data.decode())
    except (ValueError, RecursionError):
        raise SpellingError("not JSON") from None
    if dumps(value) != data:
        raise SpellingError("not spelled as RFC 8785 spells it")
    return value


def _short_integer(text: str) -> int:
    if len(text) > _SAFE_DIGITS:
        raise ValueError
    return int(text)


def _refuse(_text: str) -> None:
    raise ValueError


_encode: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False
).encode
_decode: Final = json.JSONDecoder(parse_int=_short_integer, parse_float=_refuse, parse_constant=_refuse).raw_decode


def _decode_plain(text: str) -> Any:
    """Parse JSON in which every number is a short integer; None for all else."""
    try:
        return _decode(text)[0]
    except (ValueError, RecursionError):
        return None
