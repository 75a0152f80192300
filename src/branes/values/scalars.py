"""Numbers and texts that a caller gives, one by one, or a list at once at the speed of built-in loops. Pure."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from branes.values.misfit import Misfit, got, nearest_f32, nearest_f32s
from branes.wit import INTEGERS

if TYPE_CHECKING:
    from branes import wit


def integer(of: wit.Primitive, value: Any) -> int:
    """An integer in the range of its type."""
    try:
        number = operator.index(value)
    except TypeError:
        raise got(value, of) from None
    if isinstance(value, bool):
        raise got(value, of)
    low, high = INTEGERS[of.name]
    if not low <= number <= high:
        told = number if number.bit_length() <= 128 else f"an integer of {number.bit_length()} bits"
        raise Misfit(f"got {told}, expected {of.name}: {low} to {high}")
    return number


def number(of: wit.Primitive, value: Any) -> float:
    """A float of its type, the nearest where it has fewer bits."""
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise got(value, of)
    try:
        wide = float(value)
        return nearest_f32(wide) if of.name == "f32" else wide
    except OverflowError:
        told = value if isinstance(value, float) else f"an integer of {value.bit_length()} bits"
        raise Misfit(f"got {told}, which is out of range of {of.name}") from None


def buffer_of(value: Any) -> bytes | None:
    """What a buffer of bytes holds; None if it is none."""
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    try:
        view = memoryview(value)
    except TypeError:
        return None
    return view.tobytes() if view.format == "B" and view.ndim == 1 else None


def many(name: str, items: list[Any]) -> list[Any] | None:
    """All of a list of primitives at once; None to go one by one, which says which one does not fit."""
    kinds = set(map(type, items))
    if name in INTEGERS:
        return many_integers(items, *INTEGERS[name])
    if name in {"f32", "f64"} and kinds <= {float}:
        try:
            return nearest_f32s(items) if name == "f32" else items
        except OverflowError:
            return None
    if name == "bool" and kinds <= {bool}:
        return items
    if name in {"char", "string"} and kinds <= {str} and (name == "string" or set(map(len, items)) <= {1}):
        return None if any(map(_has_surrogate, items)) else items
    return None


def many_integers(items: list[Any], low: int, high: int) -> list[Any] | None:
    """All of a list of integers at once; None to go one by one."""
    fits = set(map(type, items)) <= {int} and (not items or (min(items) >= low and max(items) <= high))
    return items if fits else None


def _has_surrogate(text: str) -> bool:
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
