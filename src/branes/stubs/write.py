"""The text of a stub. Pure.

Built-in names are reached through modules with a leading underscore, which no name of a component gets: a field that is
called `int` hides nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from branes import wit
from branes.stubs.names import Classes, attribute, literal, parameters
from branes.wit import INTEGERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from branes.wit import Exports, Function, Type

_HEAD: Final = '''\
"""What a component exports, for type checkers. Made by branes from the component; made again, it loses changes."""

import builtins as _py
import typing as _t
from collections import abc as _abc

from branes import values as _b
'''
_PRIMITIVES: Final = {
    **dict.fromkeys(INTEGERS, "_py.int"),
    "bool": "_py.bool",
    "f32": "_py.float",
    "f64": "_py.float",
    "char": "_py.str",
    "string": "_py.str",
}
_NAMED: Final = (wit.Record, wit.Variant, wit.Enum, wit.Flags)


def stub(exports: Exports) -> str:
    """The text of a `.pyi` with the classes `App` and `AsyncApp`, and those that they need."""
    called = [function for function in exports.functions if not function.refusal]
    left_out = len(exports.functions) - len(called)
    types = _Types(exports, called)
    parts = [_HEAD, *types.definitions()]
    if left_out:
        parts.append(f"# Left out: {left_out} that take or return what cannot be passed.\n")
    for name, word in (("App", "def"), ("AsyncApp", "async def")):
        parts.append(_app(name, word, [(each, _spellings(exports, each)) for each in called], types))
    return "\n".join(parts)


def _spellings(exports: Exports, function: Function) -> tuple[str, ...]:
    """Names that mean this function and no other."""
    return tuple(name for name in function.spellings if exports.meant(name) == (function,))


def _app(name: str, word: str, called: list[tuple[Function, tuple[str, ...]]], types: _Types) -> str:
    lines = [f"class {name}(_t.Protocol):"]
    for function, spellings in called:
        if len(called) > 1:
            lines.append("    @_t.overload")
        names = parameters([param for param, _ in function.params])
        params = [f"{each}: {types.given(of)}" for each, (_, of) in zip(names, function.params, strict=True)]
        listed = ", ".join([f"name: {literal(spellings)}", *params])
        lines.append(f"    {word} call(self, {listed}, /) -> {types.returned(function.result)}: ...")
    return "\n".join([*lines, *([] if called else ["    ..."]), ""])


class _Types:
    """Types as annotations, and the classes and aliases that these need."""

    def __init__(self, exports: Exports, called: Iterable[Function]) -> None:
        self._exports = exports  # Ids mean something only as long as its types live.
        self._classes = Classes()
        self._names: dict[int, str] = {}
        self._order: list[tuple[str, Type]] = []
        known = {id(each.type): each for each in reversed(exports.types) if isinstance(each.type, _NAMED)}
        for each in exports.types:
            if each.exported and isinstance(each.type, _NAMED) and wit.unsupported(each.type) is None:
                self._name(each.type, known)
        for function in called:
            for of in (*(of for _, of in function.params), function.result):
                if of is not None:
                    self._name(of, known)

    def _name(self, of: Type, known: dict[int, wit.NamedType]) -> None:
        """Give a name to `of` and all it is made of, where they need one."""
        if id(of) in self._names:
            return
        if isinstance(of, _NAMED):
            named = known.get(id(of))
            name, interface = (type(of).__name__, "") if named is None else (named.name, named.interface or "")
            self._names[id(of)] = self._classes.take(name, interface)
            self._order.append((self._names[id(of)], of))
        for inner in wit.children(of):
            self._name(inner, known)

    def given(self, of: Type | None) -> str:
        """What may be given for a value of the type."""
        match of:
            case wit.List(wit.Primitive("u8")):
                return "_py.bytes | _abc.Sequence[_py.int]"
            case wit.List(inner) | wit.FixedList(inner, _):
                return f"_abc.Sequence[{self.given(inner)}]"
            case wit.Flags():
                return f"_abc.Iterable[{self._names[id(of)]}]"
            case wit.Record() | wit.Variant():
                return f"{self._names[id(of)]}In"
        return self._either(of, given=True)

    def taken(self, of: Type | None) -> str:
        """What comes back for a value of the type."""
        match of:
            case wit.List(wit.Primitive("u8")):
                return "_py.bytes"
            case wit.List(inner) | wit.FixedList(inner, _):
                return f"_py.list[{self.taken(inner)}]"
            case wit.Flags():
                return f"_py.frozenset[{self._names[id(of)]}]"
            case wit.Record() | wit.Variant():
                return self._names[id(of)]
        return self._either(of, given=False)

    def _either(self, of: Type | None, *, given: bool) -> str:
        """What is the same both ways, but for what is inside."""
        inside = self.given if given else self.taken
        match of:
            case None:
                made = "None"
            case wit.Primitive(name):
                made = _PRIMITIVES[name]
            case wit.Enum():
                made = self._names[id(of)]
            case wit.Tuple(parts):
                made = f"_py.tuple[{', '.join(map(inside, parts)) or '()'}]"
            case wit.Option(wit.Option() as inner):
                made = f"_b.Some[{inside(inner)}] | None"
            case wit.Option(inner):
                made = f"{inside(inner)} | None"
            case wit.Result(ok, err):
                made = f"_b.Ok[{inside(ok)}] | _b.Err[{inside(err)}]"
            case _:
                made = "_t.Never"
        return made

    def returned(self, of: Type | None) -> str:
        """What a function returns: an error is raised."""
        return self.taken(of.ok if isinstance(of, wit.Result) else of)

    def definitions(self) -> Iterator[str]:
        """Classes and aliases."""
        for name, of in self._order:
            match of:
                case wit.Record():
                    yield self._record(name, of)
                case wit.Variant():
                    yield self._variant(name, of)
                case wit.Enum(names) | wit.Flags(names):
                    yield f"{name}: _t.TypeAlias = {literal(names)}\n"

    def _record(self, name: str, of: wit.Record) -> str:
        given = [(field, self.given(inner)) for field, inner in of.fields]
        taken = [(field, self.taken(inner)) for field, inner in of.fields]
        keys = ", ".join(f"{field!a}: {inner}" for field, inner in given)
        lines = [
            f"class {name}Like(_t.Protocol):",
            *(_properties(given) or ["    ..."]),
            "",
            f'{name}Dict = _t.TypedDict("{name}Dict", {{{keys}}})',
            f"{name}In: _t.TypeAlias = {name}Like | {name}Dict",
            "",
            f"class {name}(_t.Protocol):",
            *_properties(taken),
            *_items(taken),
            "    def __iter__(self) -> _abc.Iterator[_py.tuple[_py.str, _t.Any]]: ...",
            "    def __len__(self) -> _py.int: ...",
            "    def __contains__(self, name: _py.object, /) -> _py.bool: ...",
        ]
        return "\n".join([*lines, ""])

    def _variant(self, name: str, of: wit.Variant) -> str:
        cases = [f"_b.Case[{literal((case,))}, {self.taken(inner)}]" for case, inner in of.cases]
        values = dict.fromkeys(self.given(inner) for _, inner in of.cases)
        given = f"_b.Case[{literal(tuple(case for case, _ in of.cases))}, {' | '.join(values) or '_t.Never'}]"
        bare = tuple(case for case, inner in of.cases if inner is None)
        return (
            f"{name}: _t.TypeAlias = {' | '.join(cases) or '_t.Never'}\n"
            f"{name}In: _t.TypeAlias = {given}{f' | {literal(bare)}' if bare else ''}\n"
        )


def _properties(fields: list[tuple[str, str]]) -> list[str]:
    lines = []
    for field, inner in fields:
        if (name := attribute(field)) is not None:
            lines += ["    @_py.property", f"    def {name}(self) -> {inner}: ..."]
    return lines


def _items(fields: list[tuple[str, str]]) -> list[str]:
    lines = []
    for field, inner in fields:
        if len(fields) > 1:
            lines.append("    @_t.overload")
        lines.append(f"    def __getitem__(self, name: {literal((field,))}, /) -> {inner}: ...")
    return lines
