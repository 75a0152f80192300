"""The types of the component model as frozen values, and how they are read. Pure.

Types are trees: a description spells each one out where it stands. Equal types that one `Reader` has read are the same
object, so that they can be told by identity, whatever their size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from branes.errors import HostFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Deepest nesting of types, as in `brane-compile`.
MAX_DEPTH: Final = 64
#: The integer types, each with its least and its greatest value.
INTEGERS: Final = {
    **{f"s{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"u{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
}
PRIMITIVES: Final = frozenset({"bool", *INTEGERS, "f32", "f64", "char", "string"})
_MAX_LENGTH: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Primitive:
    """One of `PRIMITIVES`, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class List:
    """`list<element>`."""

    element: Type


@dataclass(frozen=True, slots=True)
class FixedList:
    """`list<element, length>`."""

    element: Type
    length: int


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields in order."""

    fields: tuple[tuple[str, Type], ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    """Parts in order."""

    parts: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """Named cases, each with the type of what it carries, or None."""

    cases: tuple[tuple[str, Type | None], ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """Named cases that carry nothing."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """`option<some>`."""

    some: Type


@dataclass(frozen=True, slots=True)
class Result:
    """`result<ok, err>`, where None carries nothing."""

    ok: Type | None
    err: Type | None


@dataclass(frozen=True, slots=True)
class Flags:
    """Named bits."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Handle:
    """A resource, `own` or `borrow`: it means something inside the component only."""

    kind: str
    resource: str


@dataclass(frozen=True, slots=True)
class Unsupported:
    """What has no values here, such as a stream."""

    what: str


Type: TypeAlias = (
    Primitive
    | List
    | FixedList
    | Record
    | Tuple
    | Variant
    | Enum
    | Option
    | Result
    | Flags
    | Handle
    | Unsupported
)  # fmt: skip

_Anything = TypeVar("_Anything")


def children(of: Type) -> Iterator[Type]:
    """The types that `of` is directly made of."""
    match of:
        case List(inner) | FixedList(inner, _) | Option(inner):
            yield inner
        case Record(fields):
            yield from (inner for _, inner in fields)
        case Tuple(parts):
            yield from parts
        case Variant(cases):
            yield from (inner for _, inner in cases if inner is not None)
        case Result(ok, err):
            yield from (inner for inner in (ok, err) if inner is not None)
        case _:
            return


def unsupported(of: Type) -> Handle | Unsupported | None:
    """The first part of `of` that has no value outside of a component; None if it has values."""
    if isinstance(of, Handle | Unsupported):
        return of
    return next((found for inner in children(of) if (found := unsupported(inner)) is not None), None)


def malformed(what: str) -> HostFault:
    """The error for a description that is not of the documented form."""
    return HostFault(f"the description of the program is malformed: expected {what}")


class Reader:
    """Types out of the JSON of one description."""

    def __init__(self) -> None:
        self._made: dict[object, Type] = {}

    def type(self, plain: object, depth: int = 0) -> Type:
        """The type that `plain` spells out.

        Raises:
            HostFault: it spells out none, or nests too deep.
        """
        if depth > MAX_DEPTH:
            raise malformed(f"types that nest at most {MAX_DEPTH} deep")
        if isinstance(plain, dict) and len(plain) == 1:
            ((kind, content),) = plain.items()
            made = self._compound(kind, content, depth + 1)
        elif isinstance(plain, str) and plain in PRIMITIVES:
            made = Primitive(plain)
        else:
            raise malformed("a type")
        return self._made.setdefault(_shallow(made), made)

    def _compound(self, kind: object, content: Any, depth: int) -> Type:
        match kind, content:
            case "list", _:
                made: Type = List(self.type(content, depth))
            case "option", _:
                made = Option(self.type(content, depth))
            case "fixed-list", [element, int(length)] if 0 <= length <= _MAX_LENGTH:
                made = FixedList(self.type(element, depth), length)
            case "result", [ok, err]:
                made = Result(self._maybe(ok, depth), self._maybe(err, depth))
            case "tuple", list():
                made = Tuple(tuple(self.type(part, depth) for part in content))
            case "record", list():
                made = Record(named(content, lambda inner: self.type(inner, depth)))
            case "variant", list():
                made = Variant(named(content, lambda inner: self._maybe(inner, depth)))
            case _:
                made = _leaf(kind, content)
        return made

    def _maybe(self, plain: object, depth: int) -> Type | None:
        return None if plain is None else self.type(plain, depth)


def _leaf(kind: object, content: Any) -> Type:
    match kind, content:
        case "enum", list():
            return Enum(tuple(name(item) for item in content))
        case "flags", list():
            return Flags(tuple(name(item) for item in content))
        case (("own" | "borrow"), str()):
            return Handle(str(kind), content)
        case "unsupported", str():
            return Unsupported(content)
    raise malformed("a type")


def name(plain: object) -> str:
    """A name; HostFault if `plain` is no text."""
    if not isinstance(plain, str):
        raise malformed("a name")
    return plain


def named(plain: Iterable[object], read: Callable[[object], _Anything]) -> tuple[tuple[str, _Anything], ...]:
    """Pairs of a name and what `read` makes of what follows it; HostFault if they are no pairs."""
    pairs = []
    for item in plain:
        if not isinstance(item, list) or len(item) != 2:
            raise malformed("a name and a type")
        pairs.append((name(item[0]), read(item[1])))
    return tuple(pairs)


def _shallow(made: object) -> object:
    """A key that is the same for equal types whose parts are the same objects."""
    match made:
        case List(inner) | Option(inner):
            return type(made), id(inner)
        case FixedList(inner, length):
            return FixedList, id(inner), length
        case Record(pairs) | Variant(pairs):
            return type(made), tuple((name, id(inner)) for name, inner in pairs)
        case Tuple(parts):
            return Tuple, tuple(id(part) for part in parts)
        case Result(ok, err):
            return Result, id(ok), id(err)
        case _:
            return made
