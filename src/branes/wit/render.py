"""Types and signatures in WIT, for people. Pure.

Names are hostile: what is not a WIT label stands escaped. Types can be huge: text is cut at a bound, and ends in "...".
A record, variant, enum or flags type stands by its name where it has one, and is spelled out where not, which WIT has
no syntax for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from branes.text import escape
from branes.wit.model import (
    PRIMITIVES,
    Enum,
    FixedList,
    Flags,
    Handle,
    List,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Unsupported,
    Variant,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from branes.wit.functions import Function

#: Characters of a type or a signature.
MAX_TEXT: Final = 4096
#: Characters of a name.
MAX_NAME: Final = 128
LABEL: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
_KEYWORDS: Final = PRIMITIVES | {
    *("as", "async", "borrow", "constructor", "enum", "export", "flags", "from", "func", "future", "import", "include"),
    *("interface", "list", "map", "option", "own", "package", "record", "resource", "result", "static", "stream"),
    *("tuple", "type", "use", "variant", "with", "world"),
}
_NO_NAMES: Final[Mapping[int, str]] = {}


def quoted(name: str) -> str:
    """A hostile name between backticks, on one line, cut where it is too long to read."""
    return f"`{_cut(escape(name[: MAX_NAME + 1]), MAX_NAME)}`"


def label(name: str) -> str:
    """A name as WIT writes it: with `%` in front where it would be a keyword, escaped where it is no label."""
    if name in _KEYWORDS:
        return f"%{name}"
    return name if LABEL.fullmatch(name) else _cut(escape(name[: MAX_NAME + 1]), MAX_NAME)


def type_text(of: Type, names: Mapping[int, str] = _NO_NAMES, most: int = MAX_TEXT) -> str:
    """A type.

    Args:
        of: the type.
        names: names of types, by `id`; `Function.names` has those of a description.
        most: characters, at most.
    """
    return _bounded(_named(of, names), most)


def signature(of: Function, most: int = MAX_TEXT) -> str:
    """A function: `name: func(parameter: type) -> type`."""
    return _bounded(_signature(of), most)


def declaration(name: str, of: Type, names: Mapping[int, str] = _NO_NAMES, most: int = MAX_TEXT) -> str:
    """The declaration of a named type: `record name { ... }`, or `type name = ...;`."""
    return _bounded(_declaration(label(name), of, names), most)


def _declaration(name: str, of: Type, names: Mapping[int, str]) -> Iterator[str]:
    match of:
        case Record(fields):
            yield f"record {name} "
            yield from _block((_field(field, inner, names) for field, inner in fields))
        case Variant(cases):
            yield f"variant {name} "
            yield from _block((_case(case, inner, names) for case, inner in cases))
        case Enum(labels):
            yield f"enum {name} "
            yield from _block([label(item)] for item in labels)
        case Flags(labels):
            yield f"flags {name} "
            yield from _block([label(item)] for item in labels)
        case _:
            yield f"type {name} = "
            yield from _named(of, names)
            yield ";"


def _block(lines: Iterable[Iterable[str]]) -> Iterator[str]:
    yield "{\n"
    for line in lines:
        yield "    "
        yield from line
        yield ",\n"
    yield "}"


def _signature(of: Function) -> Iterator[str]:
    yield f"{label(of.name)}: func("
    yield from _separated(_field(name, inner, of.names) for name, inner in of.params)
    yield ")"
    if of.result is not None:
        yield " -> "
        yield from _named(of.result, of.names)


def _named(of: Type | None, names: Mapping[int, str]) -> Iterator[str]:
    """By name, or spelled out."""
    if of is None:
        yield "_"
    elif id(of) in names:
        yield label(names[id(of)])
    else:
        yield from _spelled(of, names)


def _spelled(of: Type, names: Mapping[int, str]) -> Iterator[str]:
    match of:
        case Primitive(name):
            yield name
        case List(inner):
            yield from _generic("list", [inner], names)
        case FixedList(inner, length):
            yield "list<"
            yield from _named(inner, names)
            yield f", {length}>"
        case Option(inner):
            yield from _generic("option", [inner], names)
        case Tuple(parts):
            yield from _generic("tuple", parts, names)
        case Result(ok, err):
            yield from _result(ok, err, names)
        case Handle(kind, resource):
            yield f"{kind}<{label(resource)}>"
        case Unsupported(what):
            yield escape(what[:MAX_NAME])
        case _:
            yield from _braced(of, names)


def _result(ok: Type | None, err: Type | None, names: Mapping[int, str]) -> Iterator[str]:
    if ok is None and err is None:
        yield "result"
    else:
        yield from _generic("result", [ok] if err is None else [ok, err], names)


def _generic(word: str, parts: Iterable[Type | None], names: Mapping[int, str]) -> Iterator[str]:
    yield f"{word}<"
    yield from _separated(_named(part, names) for part in parts)
    yield ">"


def _braced(of: Type, names: Mapping[int, str]) -> Iterator[str]:
    match of:
        case Record(fields):
            yield "record { "
            yield from _separated(_field(name, inner, names) for name, inner in fields)
        case Variant(cases):
            yield "variant { "
            yield from _separated(_case(name, inner, names) for name, inner in cases)
        case Enum(labels) | Flags(labels):
            yield f"{type(of).__name__.lower()} {{ "
            yield from _separated([label(name)] for name in labels)
    yield " }"


def _field(name: str, inner: Type, names: Mapping[int, str]) -> Iterator[str]:
    yield f"{label(name)}: "
    yield from _named(inner, names)


def _case(name: str, inner: Type | None, names: Mapping[int, str]) -> Iterator[str]:
    yield label(name)
    if inner is not None:
        yield "("
        yield from _named(inner, names)
        yield ")"


def _separated(items: Iterable[Iterable[str]]) -> Iterator[str]:
    for index, item in enumerate(items):
        if index:
            yield ", "
        yield from item


def _bounded(pieces: Iterator[str], most: int) -> str:
    taken: list[str] = []
    size = 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > most:
            break
    return _cut("".join(taken), most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
