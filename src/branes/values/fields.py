"""The fields of a record out of what a caller gives for one. Pure.

A record is given as a mapping, or as an object with attributes: a dataclass, a named tuple, anything. It has exactly
the fields of its type, as far as they can be listed: an object that is neither dataclass nor named tuple is asked for
the fields of the type, and may have others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from branes.values.misfit import Misfit, got
from branes.values.shapes import Case, Err, Ok, Record, Some
from branes.wit import quoted

if TYPE_CHECKING:
    from branes import wit

#: Names that an error lists.
_SHOWN: Final = 10
_NO_RECORDS: Final = (str, bytes, bytearray, memoryview, int, float, list, set, frozenset, Case, Some, Ok, Err)


def fields_of(of: wit.Record, value: Any) -> Mapping[str, Any] | Record:
    """Values by the names of the type's fields.

    Raises:
        Misfit: it is no record, lacks a field, or has another.
    """
    if (
        isinstance(value, Record | dict)
        and len(value) == len(of.fields)
        and all(name in value for name, _ in of.fields)
    ):
        return value
    names = {name for name, _ in of.fields}
    listed = _listed(value)
    if listed is None:
        return _attributes(of, value)
    given: dict[str, Any] = {}
    for key, content in listed:
        name = key if key in names else key.replace("_", "-")
        if name not in names:
            raise one_of("field", key, [name for name, _ in of.fields])
        if name in given:
            raise Misfit(f"field {quoted(name)} is given twice")
        given[name] = content
    for name, _ in of.fields:
        if name not in given:
            raise Misfit(f"field {quoted(name)} is missing")
    return given


def _listed(value: Any) -> Iterable[tuple[str, Any]] | None:
    """Names and values, where all of them can be listed."""
    if isinstance(value, Record):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise got(key, "the name of a field")
        return value.items()
    if dataclasses.is_dataclass(value) and not isinstance(value, _NO_RECORDS) and not isinstance(value, type):
        return [(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(name, getattr(value, name)) for name in value._fields]
    return None


def _attributes(of: wit.Record, value: Any) -> Mapping[str, Any]:
    if value is None or isinstance(value, (*_NO_RECORDS, tuple)):
        raise got(value, of)
    given: dict[str, Any] = {}
    missing: list[str] = []
    for name, _ in of.fields:
        try:
            given[name] = getattr(value, name.replace("-", "_"))
        except AttributeError:
            missing.append(name)
    if missing and not given:
        raise got(value, of)
    if missing:
        raise Misfit(f"field {quoted(missing[0])} is missing")
    return given


def one_of(what: str, name: object, names: Collection[str]) -> Misfit:
    """The error for a name that is not among those there are."""
    told = quoted(name) if isinstance(name, str) else type(name).__name__
    known = ", ".join(quoted(each) for each in list(names)[:_SHOWN])
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Misfit(f"got {what} {told}, expected one of {known}{more}")
