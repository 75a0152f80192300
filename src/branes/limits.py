"""Limits by name, and how people write sizes and durations.

A limit is a number of bytes or of seconds. In text, sizes end in `KiB`, `MiB` or `GiB` and durations in `ms`, `s` or
`m`; in Python they may also be plain numbers. `64M` and `64MB` are refused, for they mean two things; the hint says
which to write.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from branes.errors import UsageError

_SIZES: Final = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
#: Units that mean powers of ten to some and powers of two to others, each with what to write instead.
_UNCLEAR: Final = {
    f"{letter}{rest}".lower(): f"{letter.upper()}iB" for letter in "kmg" for rest in ("", "b", "i", "ib")
}
_DURATIONS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_MAX_SIZE: Final = 1 << 46
_MAX_DURATION: Final = 365 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one brane may use.

    Attributes:
        memory: bytes of the guest's memories in all, and of the process beyond its size at birth.
        timeout: seconds of wall time that each call may take.
        output: bytes of standard output and error in all.
        refusals: calls to denied interfaces, after which the brane is killed.
        calls: calls of tools in all, after which it is, too.
    """

    memory: int = 256 << 20
    timeout: float = 30.0
    output: int = 64 << 20
    refusals: int = 100
    calls: int = 10_000


def size(value: str | int) -> int:
    """Bytes of `256MiB` or of a positive number.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return int(_within(value, _MAX_SIZE, "size"))
    if not isinstance(value, str):
        raise UsageError(f"size of type {type(value).__name__}, expected a number of bytes or text such as 256MiB")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", value.strip(), re.ASCII)
    if not found or found[2] not in _SIZES:
        raise UsageError(f"size {value!a} is not understood", hint=_size_hint(found))
    exact = float(found[1]) * _SIZES[found[2]]
    return int(_within(math.floor(exact) if math.isfinite(exact) else exact, _MAX_SIZE, "size"))


def _size_hint(found: re.Match[str] | None) -> str:
    if found and found[2].lower() in _UNCLEAR:
        return f"write {found[1]}{_UNCLEAR[found[2].lower()]}"
    return "write it like 512KiB, 256MiB or 1GiB"


def size_in_words(value: int) -> str:
    """A number of bytes as people write it: in the largest unit of which it is a whole number, or nearly."""
    for unit in ("GiB", "MiB", "KiB"):
        if value >= _SIZES[unit]:
            return f"{value / _SIZES[unit]:.4g} {unit}" if value % _SIZES[unit] else f"{value // _SIZES[unit]} {unit}"
    return f"{value} bytes"


def duration(value: str | float) -> float:
    """Seconds of `30s` or of a positive number.

    Raises:
        UsageError: it is neither.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _within(value, _MAX_DURATION, "duration")
    if not isinstance(value, str):
        raise UsageError(f"duration of type {type(value).__name__}, expected a number of seconds or text such as 30s")
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", value.strip(), re.ASCII)
    if not found or found[2] not in _DURATIONS:
        raise UsageError(f"duration {value!a} is not understood", hint="write it like 500ms, 30s or 5m")
    return _within(float(found[1]) * _DURATIONS[found[2]], _MAX_DURATION, "duration")


def _within(value: float, most: float, what: str) -> float:
    if not math.isfinite(value) or not 0 < value <= most:
        raise UsageError(f"{what} of {value} is out of range, expected more than 0 and at most {most:g}")
    return value
