"""Values of typed calls as JSON can say them. Pure.

A record is an object, a tuple, list or flags an array, a case without value or an enum its name and one with value
`{name: value}`, a result `{"ok": value}` or `{"err": value}`, an option null or the value, an option of an option null
or `{"some": value}`, and a float that is no number its name in WAVE.
"""

from __future__ import annotations

import math
from typing import Any

from branes import wit
from branes.values import Ok, Some


def jsonable(of: wit.Type | None, value: Any) -> Any:  # noqa: C901, PLR0911 -- one arm for each kind
    """`value` of type `of`, for JSON."""
    match of:
        case None:
            return None
        case wit.Primitive("f32" | "f64") if not math.isfinite(value):
            return str(value)
        case wit.List(wit.Primitive("u8")):
            return list(value)
        case wit.List(inner) | wit.FixedList(inner, _):
            return [jsonable(inner, item) for item in value]
        case wit.Tuple(parts):
            return [jsonable(inner, item) for inner, item in zip(parts, value, strict=True)]
        case wit.Record(fields):
            return {name: jsonable(inner, value[name]) for name, inner in fields}
        case wit.Variant(cases):
            carried = dict(cases)[value.name]
            return value.name if carried is None else {value.name: jsonable(carried, value.value)}
        case wit.Option(inner):
            if isinstance(value, Some):
                return {"some": jsonable(inner, value.value)}
            return None if value is None else jsonable(inner, value)
        case wit.Result(ok, err):
            return {"ok": jsonable(ok, value.value)} if isinstance(value, Ok) else {"err": jsonable(err, value.value)}
        case wit.Flags(names):
            return [name for name in names if name in value]
    return value
