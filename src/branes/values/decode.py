"""Plain to Python, for what a brane gives: hostile, checked to the letter, any misfit is a `WireError`. Pure.

What is decoded has been unpacked already, for this alone: lists of it become part of the value. Nothing that is made
here is larger; how large it may be is for who unpacks.
"""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from branes import wit
from branes.values.misfit import Misfit, is_scalar, nearest_f32, nearest_f32s
from branes.values.shapes import Case, Err, Ok, Record, Some
from branes.wire import WireError
from branes.wit import INTEGERS, quoted, type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from branes.wit import Function, Type


def decode(of: Type, plain: object, *, at: str = "") -> Any:
    """The Python value of a type that `plain` stands for.

    Args:
        of: the type.
        plain: as unpacked, hostile.
        at: what the value is, for errors.

    Raises:
        WireError: it is none.
    """
    try:
        return _value(of, plain)
    except Misfit as misfit:
        if at:
            misfit.within(at)
        raise WireError(str(misfit)) from None


def decode_result(function: Function, plain: object) -> Any:
    """What a function returned: None where it returns nothing, `Ok` or `Err` where it returns a result.

    Raises:
        WireError: it is not of the function's type.
    """
    if function.result is not None:
        return decode(function.result, plain, at="the result")
    if plain is not None:
        raise WireError("the result: expected nothing")
    return None


def _value(of: Type, plain: Any) -> Any:
    return _KINDS[type(of)](of, plain)


def _all(pairs: Iterable[tuple[Type, Any]], step: Callable[[int], str]) -> list[Any]:
    decoded: list[Any] = []  # its length says which one did not fit
    try:
        for of, plain in pairs:
            decoded.append(_value(of, plain))
    except Misfit as misfit:
        misfit.within(step(len(decoded)))
        raise
    return decoded


def _one(of: Type, plain: Any, step: str) -> Any:
    return _all([(of, plain)], lambda _: step)[0]


def _expected(of: Type) -> Misfit:
    return Misfit(f"expected {type_text(of, most=80)}")


def _items(of: Type, plain: Any, length: int | None = None) -> list[Any]:
    if type(plain) is not list or (length is not None and len(plain) != length):
        raise _expected(of)
    return plain


def _primitive(of: wit.Primitive, plain: Any) -> Any:
    return _primitives(of, [plain])[0]


def _primitives(of: wit.Primitive, items: list[Any]) -> list[Any]:
    """All of a list at once, at the speed of the interpreter's own loops."""
    if not (_FITS[of.name](items, of.name) if items else True):
        raise _expected(of)
    return items


def _integers(items: list[Any], name: str) -> bool:
    low, high = INTEGERS[name]
    return set(map(type, items)) <= {int} and min(items) >= low and max(items) <= high


def _bools(items: list[Any], _: str) -> bool:
    return set(map(type, items)) <= {bool}


def _floats(items: list[Any], name: str) -> bool:
    if not set(map(type, items)) <= {float}:
        return False
    try:
        return name == "f64" or items == nearest_f32s(items) or all(map(_is_f32, items))
    except OverflowError:
        return False


def _is_f32(value: float) -> bool:
    # Only a NaN is not equal to itself.
    return value != value or nearest_f32(value) == value  # noqa: PLR0124 -- as said above


def _strings(items: list[Any], _: str) -> bool:
    if not set(map(type, items)) <= {str}:
        return False
    try:
        return all(item.isascii() or item.encode() for item in items)
    except UnicodeEncodeError:
        return False


def _chars(items: list[Any], _: str) -> bool:
    return set(map(type, items)) <= {str} and all(map(is_scalar, items))


_FITS: Final[Mapping[str, Callable[[list[Any], str], bool]]] = {
    **dict.fromkeys(INTEGERS, _integers),
    "bool": _bools,
    "f32": _floats,
    "f64": _floats,
    "char": _chars,
    "string": _strings,
}


def _list(of: wit.List, plain: Any) -> Any:
    if of.element == _U8:
        if type(plain) is not bytes:
            raise _expected(of)
        return plain
    return _each(of.element, _items(of, plain))


def _fixed(of: wit.FixedList, plain: Any) -> list[Any]:
    return _each(of.element, _items(of, plain, of.length))


def _each(of: Type, items: list[Any]) -> list[Any]:
    if isinstance(of, wit.Primitive):
        return _primitives(of, items)
    return _all(zip(repeat(of), items), lambda index: f"index {index}")


def _tuple(of: wit.Tuple, plain: Any) -> tuple[Any, ...]:
    items = _items(of, plain, len(of.parts))
    return tuple(_all(zip(of.parts, items, strict=True), lambda index: f"index {index}"))


def _record(of: wit.Record, plain: Any) -> Record:
    items = _items(of, plain, len(of.fields))
    pairs = [(inner, item) for (_, inner), item in zip(of.fields, items, strict=True)]
    values = _all(pairs, lambda index: f"field {quoted(of.fields[index][0])}")
    return Record(dict(zip((name for name, _ in of.fields), values, strict=True)))


def _index(of: Type, plain: Any, count: int) -> int:
    if type(plain) is not int or not 0 <= plain < count:
        raise _expected(of)
    return plain


def _variant(of: wit.Variant, plain: Any) -> Case[str, Any]:
    index, payload = _items(of, plain, 2)
    name, inner = of.cases[_index(of, index, len(of.cases))]
    return Case(name, _payload(inner, payload, f"case {quoted(name)}"))


def _payload(inner: Type | None, plain: Any, step: str) -> Any:
    if inner is not None:
        return _one(inner, plain, step)
    if plain is not None:
        misfit = Misfit("expected nothing")
        misfit.within(step)
        raise misfit
    return None


def _enum(of: wit.Enum, plain: Any) -> str:
    return of.names[_index(of, plain, len(of.names))]


def _option(of: wit.Option, plain: Any) -> Any:
    if plain is None:
        return None
    (item,) = _items(of, plain, 1)
    value = _one(of.some, item, "some")
    return Some(value) if isinstance(of.some, wit.Option) else value


def _result(of: wit.Result, plain: Any) -> Ok[Any] | Err[Any]:
    side, payload = _items(of, plain, 2)
    if _index(of, side, 2) == 0:
        return Ok(_payload(of.ok, payload, "ok"))
    return Err(_payload(of.err, payload, "err"))


def _flags(of: wit.Flags, plain: Any) -> frozenset[str]:
    last = -1
    for index in _items(of, plain):
        if _index(of, index, len(of.names)) <= last:
            raise _expected(of)
        last = index
    return frozenset(of.names[index] for index in plain)


def _refuse(of: Type, _: Any) -> None:
    raise Misfit(f"got a value of type {type_text(of, most=80)}, which has none")


_U8: Final = wit.Primitive("u8")
_KINDS: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    wit.Primitive: _primitive,
    wit.List: _list,
    wit.FixedList: _fixed,
    wit.Record: _record,
    wit.Tuple: _tuple,
    wit.Variant: _variant,
    wit.Enum: _enum,
    wit.Option: _option,
    wit.Result: _result,
    wit.Flags: _flags,
    wit.Handle: _refuse,
    wit.Unsupported: _refuse,
}
