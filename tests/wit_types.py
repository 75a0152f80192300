"""Strategies for the types of the component model and their values; used wherever typed calls are tested.

`types()` draws a type that has values, `values(of)` a Python value in the shape that decoding gives, so that a round
trip compares equal: NaN is left out, and every f32 is one.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from branes import wit
from branes.values import Case, Err, Ok, Record, Some
from branes.wit import INTEGERS, Type

WORDS = ["ok", "err", "none", "some", "true", "nan", "inf", "class", "self", "record", "list", "int", "x", "HTTP3"]
LABELS = st.sampled_from(WORDS) | st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z][a-z0-9]{0,3})?", fullmatch=True)
TEXT = st.text(max_size=10)
#: Plain data of any shape, as a hostile brane may send it.
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=20,
)


def labels(most: int = 4) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(LABELS, min_size=1, max_size=most, unique_by=str.lower).map(tuple)


def _pairs(content: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return labels().flatmap(lambda names: st.tuples(*(st.tuples(st.just(name), content) for name in names)))


def _compound(inner: st.SearchStrategy[Type]) -> st.SearchStrategy[Type]:
    maybe = st.none() | inner
    return st.one_of(
        st.builds(wit.List, inner),
        st.builds(wit.FixedList, inner, st.integers(1, 4)),
        st.builds(wit.Option, inner),
        st.builds(wit.Result, maybe, maybe),
        st.builds(wit.Tuple, st.lists(inner, min_size=1, max_size=4).map(tuple)),
        st.builds(wit.Record, _pairs(inner)),
        st.builds(wit.Variant, _pairs(maybe)),
    )


def types(most: int = 8) -> st.SearchStrategy[Type]:
    """Any type without handles and the like."""
    leaf = st.one_of(
        st.sampled_from(sorted(wit.PRIMITIVES)).map(wit.Primitive),
        st.builds(wit.Enum, labels()),
        st.builds(wit.Flags, labels()),
    )
    return st.recursive(leaf, _compound, max_leaves=most)


def values(of: Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911 -- one case a kind
    """Values of a type, as decoding shapes them."""
    match of:
        case wit.Primitive(name):
            return _primitive(name)
        case wit.List(wit.Primitive("u8")):
            return st.binary(max_size=8)
        case wit.List(inner):
            return st.lists(values(inner), max_size=4)
        case wit.FixedList(inner, length):
            return st.lists(values(inner), min_size=length, max_size=length)
        case wit.Tuple(parts):
            return st.tuples(*map(values, parts))
        case wit.Record(fields):
            return st.fixed_dictionaries({name: values(inner) for name, inner in fields}).map(Record)
        case wit.Variant(cases):
            return st.one_of(*(st.builds(Case, st.just(name), _maybe(inner)) for name, inner in cases))
        case wit.Enum(names):
            return st.sampled_from(names)
        case wit.Flags(names):
            return st.frozensets(st.sampled_from(names))
        case wit.Option(inner):
            some = values(inner)
            return st.none() | (some.map(Some) if isinstance(inner, wit.Option) else some)
        case wit.Result(ok, err):
            return st.builds(Ok, _maybe(ok)) | st.builds(Err, _maybe(err))
    raise AssertionError(of)


def _maybe(of: Type | None) -> st.SearchStrategy[Any]:
    return st.none() if of is None else values(of)


def _primitive(name: str) -> st.SearchStrategy[Any]:
    if name in INTEGERS:
        return st.integers(*INTEGERS[name])
    other: dict[str, st.SearchStrategy[Any]] = {
        "bool": st.booleans(),
        "f32": st.floats(width=32, allow_nan=False),
        "f64": st.floats(allow_nan=False),
        "char": st.characters(exclude_categories=["Cs"]),
        "string": TEXT,
    }
    return other[name]


def typed_values() -> st.SearchStrategy[tuple[Type, Any]]:
    """A type, and a value of it."""
    return types().flatmap(lambda of: st.tuples(st.just(of), values(of)))


def to_json(of: Type | None) -> Any:  # noqa: C901, PLR0911 -- one case a kind
    """The type as `brane-compile` spells it out."""
    match of:
        case None:
            return None
        case wit.Primitive(name):
            return name
        case wit.List(inner):
            return {"list": to_json(inner)}
        case wit.FixedList(inner, length):
            return {"fixed-list": [to_json(inner), length]}
        case wit.Record(pairs) | wit.Variant(pairs):
            return {type(of).__name__.lower(): [[name, to_json(inner)] for name, inner in pairs]}
        case wit.Tuple(parts):
            return {"tuple": [to_json(part) for part in parts]}
        case wit.Enum(names) | wit.Flags(names):
            return {type(of).__name__.lower(): list(names)}
        case wit.Option(inner):
            return {"option": to_json(inner)}
        case wit.Result(ok, err):
            return {"result": [to_json(ok), to_json(err)]}
        case wit.Handle(kind, name):
            return {kind: name}
        case wit.Unsupported(what):
            return {"unsupported": what}
    raise AssertionError(of)
