"""Values to WAVE. Pure.

A value becomes plain first, through the one encoder that there is; so whatever can be sent can be written. Text is
printable: every other character of a string stands as an escape.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Final

from branes import wit
from branes.text import escape
from branes.values import encode
from branes.values.misfit import nearest_f32
from branes.wave.scan import ESCAPES, KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from branes.wit import Type

_DOUBLE: Final = '"'
_SINGLE: Final = "'"
_ESCAPED: Final = {value: f"\\{char}" for char, value in ESCAPES.items()}


def text(of: Type, value: object) -> str:
    """A value of a type, as WAVE.

    Raises:
        UsageError: it does not fit the type.
    """
    return _text(of, encode(of, value))


def _text(of: Type, plain: Any) -> str:
    return _KINDS[type(of)](of, plain)


def _separated(items: Iterable[str]) -> str:
    return ", ".join(items)


def _primitive(of: wit.Primitive, plain: Any) -> str:
    match of.name:
        case "bool":
            return "true" if plain else "false"
        case "f32":
            return _f32(plain)
        case "f64":
            return _float(plain)
        case "char":
            return f"'{_escaped(plain, but=_DOUBLE)}'"
        case "string":
            return f'"{_escaped(plain, but=_SINGLE)}"'
    return str(plain)


def _float(value: float) -> str:
    # JSON's numbers are WAVE's, but it has names of its own for what is none.
    return json.dumps(value) if math.isfinite(value) else str(value)


def _f32(value: float) -> str:
    """The shortest number whose nearest f32 is `value`."""
    for digits in range(6, 9):
        short = float(f"{value:.{digits}g}")
        try:
            if nearest_f32(short) == value:
                return _float(short)
        except OverflowError:
            continue
    return _float(value)


def _escaped(value: str, *, but: str) -> str:
    """`value` with all escaped that has to be, and the quotes that need not left alone."""
    return "".join(char if char == but else _escaped_char(char) for char in value)


def _escaped_char(char: str) -> str:
    if char in _ESCAPED:
        return _ESCAPED[char]
    return char if char.isprintable() else f"\\u{{{ord(char):x}}}"


def _list(of: wit.List | wit.FixedList, plain: Any) -> str:
    return f"[{_separated(_text(of.element, item) for item in plain)}]"


def _tuple(of: wit.Tuple, plain: Any) -> str:
    return f"({_separated(_text(part, item) for part, item in zip(of.parts, plain, strict=True))})"


def _record(of: wit.Record, plain: Any) -> str:
    """Fields in their order, without those that are none."""
    fields = [
        f"{escape(name)}: {_text(inner, item)}"
        for (name, inner), item in zip(of.fields, plain, strict=True)
        if item is not None
    ]
    return f"{{{_separated(fields)}}}" if fields else "{:}"


def _case(name: str, inner: Type | None, plain: Any) -> str:
    label = f"%{name}" if name in KEYWORDS else escape(name)
    return label if inner is None else f"{label}({_text(inner, plain)})"


def _variant(of: wit.Variant, plain: Any) -> str:
    index, payload = plain
    name, inner = of.cases[index]
    return _case(name, inner, payload)


def _enum(of: wit.Enum, plain: Any) -> str:
    return _case(of.names[plain], None, None)


def _option(of: wit.Option, plain: Any) -> str:
    return "none" if plain is None else f"some({_text(of.some, plain[0])})"


def _result(of: wit.Result, plain: Any) -> str:
    side, payload = plain
    inner = (of.ok, of.err)[side]
    return ("ok", "err")[side] if inner is None else f"{('ok', 'err')[side]}({_text(inner, payload)})"


def _flags(of: wit.Flags, plain: Any) -> str:
    return f"{{{_separated(escape(of.names[index]) for index in plain)}}}"


_KINDS: Final[Mapping[type, Callable[[Any, Any], str]]] = {
    wit.Primitive: _primitive,
    wit.List: _list,
    wit.FixedList: _list,
    wit.Record: _record,
    wit.Tuple: _tuple,
    wit.Variant: _variant,
    wit.Enum: _enum,
    wit.Option: _option,
    wit.Result: _result,
    wit.Flags: _flags,
}
