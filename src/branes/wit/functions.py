"""What a component exports: its functions, found by name, and its named types. Pure.

A function of an interface has up to four names: `ns:pkg/iface@1.2.3#func`, the same without version, `iface#func`,
and `func`. A function that the component exports itself has one. A name means the function whose first name it is;
where there is none, the only function that also has it. Names in errors are escaped and bounded.
"""

from __future__ import annotations

import difflib
from collections import ChainMap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from branes.errors import UsageError
from branes.wit.model import Enum, Flags, Reader, Record, Type, Variant, malformed, name, named, unsupported
from branes.wit.render import quoted, signature, type_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: Names that an error lists.
_SHOWN: Final = 20
#: Names, and characters of one, among which a similar one is looked for.
_COMPARED: Final = 1000
_COMPARED_LENGTH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """An exported function.

    Attributes:
        name: its own name.
        interface: name of the exported interface that it is in, as the component spells it; None outside of one.
        params: names and types.
        result: what it returns; None for nothing.
        names: names of the types of the description, by `id`, for `render`.
    """

    name: str
    interface: str | None
    params: tuple[tuple[str, Type], ...]
    result: Type | None
    names: Mapping[int, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def id(self) -> str:
        """The name that no other export has."""
        return self.name if self.interface is None else f"{self.interface}#{self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name that it has, the longest first."""
        if self.interface is None:
            return (self.name,)
        versionless = self.interface.partition("@")[0]
        interfaces = (self.interface, versionless, versionless.rpartition("/")[2])
        return tuple(dict.fromkeys([*(f"{interface}#{self.name}" for interface in interfaces), self.name]))

    @property
    def refusal(self) -> str:
        """Why it cannot be called from outside, or "" when it can."""
        for index, (param, of) in enumerate(self.params):
            if (found := unsupported(of)) is not None:
                return f"argument {index + 1} ({quoted(param)}) has a part of type {type_text(found, most=80)}"
        if self.result is not None and (found := unsupported(self.result)) is not None:
            return f"the result has a part of type {type_text(found, most=80)}"
        return ""

    def check(self) -> None:
        """Refuse a function that cannot be called from outside.

        Raises:
            UsageError: a resource, a stream or the like is among what it takes or returns.
        """
        if why := self.refusal:
            raise UsageError(
                f"function {quoted(self.id)} cannot be called: {why}, which cannot be passed",
                hint=f"its signature is {signature(self, 400)}",
            )

    def check_count(self, count: int) -> None:
        """Refuse another number of arguments than it takes.

        Raises:
            UsageError: `count` is not it.
        """
        if count != len(self.params):
            raise UsageError(
                f"function {quoted(self.id)} takes {plural(len(self.params))}, got {count}: {signature(self, 400)}"
            )


def plural(count: int) -> str:
    """A number of arguments, in words."""
    return f"{count} argument" if count == 1 else f"{count} arguments"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedType:
    """A type that an interface, or the component itself (None), names, on the side of its exports or its imports."""

    exported: bool
    interface: str | None
    name: str
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """What a component exports.

    Attributes:
        functions: in the order of the description.
        types: named types of the exports, then of the imports, which exports may use.
    """

    functions: tuple[Function, ...]
    types: tuple[NamedType, ...]
    _ids: Mapping[str, Function] = field(repr=False, compare=False)
    _index: Mapping[str, list[Function]] = field(repr=False, compare=False)

    def find(self, wanted: str) -> Function:
        """The function that `wanted` means.

        Raises:
            UsageError: none, or more than one.
        """
        found = self.meant(wanted)
        if len(found) == 1:
            return found[0]
        if found:
            raise UsageError(
                f"{quoted(wanted)} is the name of {len(found)} functions: {_listed(each.id for each in found)}",
                hint="give the longer name of one",
            )
        raise UsageError(
            f"no exported function is called {quoted(wanted)}; {self._offer()}", hint=self._similar(wanted)
        )

    def meant(self, wanted: str) -> tuple[Function, ...]:
        """All functions that `wanted` may mean."""
        own = self._ids.get(wanted)
        return tuple(self._index.get(wanted, ())) if own is None else (own,)

    def _offer(self) -> str:
        callable_ = [each.id for each in self.functions if not each.refusal]
        return f"there are {_listed(callable_)}" if callable_ else "there is none that can be called"

    def _similar(self, wanted: str) -> str:
        if len(wanted) > _COMPARED_LENGTH:
            return ""
        known = [spelling for spelling in list(self._index)[:_COMPARED] if len(spelling) <= _COMPARED_LENGTH]
        close = difflib.get_close_matches(wanted, known, n=1)
        return f"did you mean {quoted(close[0])}?" if close else ""


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(quoted(each) for each in every[:_SHOWN]) + more


def functions(description: Mapping[str, Any]) -> Exports:
    """What the description says is exported.

    Args:
        description: `Component.description`.

    Raises:
        HostFault: it is not of the documented form.
    """
    reader = Reader()
    exported, imported = (_objects(description, side) for side in ("exports", "imports"))
    types = [*_types(exported, reader, exported=True), *_types(imported, reader, exported=False)]
    names = _Names(types)
    found = tuple(_functions(exported, reader, names))
    ids: dict[str, Function] = {}
    index: dict[str, list[Function]] = {}
    for each in found:
        ids.setdefault(each.id, each)
        for spelling in each.spellings:
            index.setdefault(spelling, []).append(each)
    return Exports(functions=found, types=tuple(types), _ids=ids, _index=index)


class _Names:
    """Names of types that have a name and nothing else to go by; an interface's own names first."""

    def __init__(self, types: Iterable[NamedType]) -> None:
        # The types are kept: an id means something only as long as its object lives.
        self._types = [named for named in types if isinstance(named.type, Record | Variant | Enum | Flags)]
        self._all: dict[int, str] = {}
        self._own: dict[str | None, dict[int, str]] = {}
        for each in self._types:
            self._all.setdefault(id(each.type), each.name)
            self._own.setdefault(each.interface, {}).setdefault(id(each.type), each.name)

    def of(self, interface: str | None) -> Mapping[int, str]:
        return ChainMap(self._own.get(interface, {}), self._all)


def _objects(of: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    items = of.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise malformed(f"a list of {key}")
    return items


def _types(items: list[Mapping[str, Any]], reader: Reader, *, exported: bool) -> Iterator[NamedType]:
    for item in items:
        own = name(item.get("name"))
        if item.get("kind") == "type":
            yield NamedType(exported=exported, interface=None, name=own, type=reader.type(item.get("type")))
        elif item.get("kind") == "instance":
            types = item.get("types", [])
            if not isinstance(types, list):
                raise malformed("a list of types")
            for each, of in named(types, reader.type):
                yield NamedType(exported=exported, interface=own, name=each, type=of)


def _functions(items: list[Mapping[str, Any]], reader: Reader, names: _Names) -> Iterator[Function]:
    for item in items:
        if item.get("kind") == "function":
            yield _function(item, None, reader, names)
        elif item.get("kind") == "instance":
            interface = name(item.get("name"))
            for each in _objects(item, "functions"):
                yield _function(each, interface, reader, names)


def _function(item: Mapping[str, Any], interface: str | None, reader: Reader, names: _Names) -> Function:
    params, result = item.get("params"), item.get("result")
    if not isinstance(params, list):
        raise malformed("a list of parameters")
    return Function(
        name=name(item.get("name")),
        interface=interface,
        params=named(params, reader.type),
        result=None if result is None else reader.type(result),
        names=names.of(interface),
    )
