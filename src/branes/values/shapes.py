"""Python shapes of the types that Python has none for: records, cases, results, and options of options.

All are immutable, compare by value, and can be pickled and matched in a `match` statement.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Name_co = TypeVar("_Name_co", bound=str, covariant=True)
_Value_co = TypeVar("_Value_co", covariant=True)


class Record:
    """Named fields: `r.field_name`, `r["field-name"]`, `dict(r)`.

    A field's attribute is its name with `_` for `-`; a name that Python reserves is reached by `r["class"]`. There are
    no methods, so that no field is hidden behind one; only `r["keys"]` has no attribute, since `dict` would call it.
    """

    __slots__ = ("_fields",)
    _fields: dict[str, Any]

    def __init__(self, fields: Mapping[str, object] | None = None, /, **more: object) -> None:
        """From a mapping of names as WIT spells them, and keywords with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in more.items()}
        object.__setattr__(self, "_fields", {**(fields or {}), **named})

    def __getattr__(self, attribute: str) -> Any:
        # Also asked by pickle and copy, of an object without fields yet.
        if not attribute.startswith("_") and attribute != "keys":
            for name in (attribute, attribute.replace("_", "-")):
                if name in self._fields:
                    return self._fields[name]
        raise AttributeError(f"no field `{attribute}`", name=attribute, obj=self)

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self._fields.items())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Record) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._fields.items()))

    def __repr__(self) -> str:
        attributes = {name.replace("-", "_"): value for name, value in self._fields.items()}
        if all(name.isidentifier() and not keyword.iskeyword(name) for name in attributes):
            return f"Record({', '.join(f'{name}={value!r}' for name, value in attributes.items())})"
        return f"Record({self._fields!r})"

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *(name.replace("-", "_") for name in self._fields)})

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"a record cannot be changed: field `{name}`", name=name, obj=self)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a record cannot be changed: field `{name}`", name=name, obj=self)

    def __reduce__(self) -> tuple[type[Record], tuple[dict[str, Any]]]:
        return Record, (self._fields,)


@dataclass(frozen=True, slots=True, init=False)
class Case(Generic[_Name_co, _Value_co]):
    """One case of a variant: `Case("circle", 1.5)`, or `Case("nothing")`."""

    name: _Name_co
    value: _Value_co

    @overload
    def __init__(self: Case[_Name_co, None], name: _Name_co) -> None: ...
    @overload
    def __init__(self, name: _Name_co, value: _Value_co) -> None: ...
    def __init__(self, name: _Name_co, value: object = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "value", value)


@dataclass(frozen=True, slots=True)
class Some(Generic[_Value_co]):
    """A value of an option that is there, told apart from None where that is a value, too."""

    value: _Value_co


@dataclass(frozen=True, slots=True, init=False)
class Ok(Generic[_Value_co]):
    """A result that is well: `Ok(value)`, or `Ok()` where it carries nothing."""

    value: _Value_co

    @overload
    def __init__(self: Ok[None]) -> None: ...
    @overload
    def __init__(self, value: _Value_co) -> None: ...
    def __init__(self, value: object = None) -> None:
        object.__setattr__(self, "value", value)


@dataclass(frozen=True, slots=True, init=False)
class Err(Generic[_Value_co]):
    """A result that is an error: `Err(value)`, or `Err()` where it carries nothing."""

    value: _Value_co

    @overload
    def __init__(self: Err[None]) -> None: ...
    @overload
    def __init__(self, value: _Value_co) -> None: ...
    def __init__(self, value: object = None) -> None:
        object.__setattr__(self, "value", value)
