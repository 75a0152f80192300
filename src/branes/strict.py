"""JSON between an owner and its guests: the same strict rules for what comes in and what goes out. Pure.

RFC 8259, and of what it leaves open the narrow choice: no NaN, no infinity, no number beyond a float, no lone
surrogate, no duplicate key, at most 64 levels and 250,000 values. What is read may be hostile: both bounds hold before
anything of the text is built.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH: Final = 64
MAX_VALUES: Final = 250_000
#: A string, or one that nothing closes: whatever the text is, it is gone through once.
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_NOT_BRACKETS: Final = bytes(code for code in range(256) if code not in b"[]{}")


def loads(data: bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none, or one beyond the bounds.
    """
    _check_bounds(without_strings(data))
    try:
        value = with_numbers(data.decode(), _without_duplicates)
    except RecursionError as error:
        raise ValueError("nested too deep") from error
    if _SURROGATE.search(data):
        # Pairs of escapes are characters; a lone one has no UTF-8 form.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def dumps(value: object) -> bytes:
    """The JSON text of a value.

    Raises:
        TypeError: it holds what JSON has no form for, or a key that is no text.
        ValueError: it is beyond the bounds, or holds a number or a text that JSON cannot say.
    """
    _Values().check(value, 0)
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def with_numbers(text: str, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """The value of a JSON text whose numbers are JSON's own; nothing else of it is checked.

    Args:
        text: of a length that the caller has bounded.
        pairs: makes an object of its pairs; None is a dict.

    Raises:
        ValueError: it is none. RecursionError: it is nested too deep.
    """
    return json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=pairs)


def without_strings(data: bytes) -> bytes:
    """What of a JSON text stands outside its strings, in one pass over it, whatever it is."""
    return _STRING.sub(b"", data)


class _Values:
    """Values seen so far, of those that one text may hold."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def check(self, value: object, depth: int) -> None:
        self._left -= 1
        if self._left < 0:
            raise ValueError(f"more than {MAX_VALUES} values")
        if isinstance(value, dict | list | tuple):
            if depth >= MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
            if isinstance(value, dict):
                _check_keys(value)
            for item in value.values() if isinstance(value, dict) else value:
                self.check(item, depth + 1)
        elif value is not None and not isinstance(value, str | int | float):
            raise TypeError(f"a value of type {type(value).__name__}, which JSON has no form for")


def _check_keys(value: dict[object, object]) -> None:
    for key in value:
        if not isinstance(key, str):
            raise TypeError(f"a key of type {type(key).__name__}, expected str")


def _check_bounds(bare: bytes) -> None:
    """Refuse a text, given without its strings, that has too many levels or values."""
    opened = bare.count(b"[") + bare.count(b"{")
    # Each value but the outermost stands behind a comma or is the first in its list or object.
    if opened + bare.count(b",") > MAX_VALUES:
        raise ValueError(f"more than {MAX_VALUES} values")
    if bare.count(b"]") + bare.count(b"}") != opened:
        raise ValueError("brackets do not match")
    depth = 0
    for bracket in bare.translate(None, _NOT_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")


def _no_number(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    """Python would read `1e999` as infinity."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is beyond what a float holds")
    return number


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return fields
