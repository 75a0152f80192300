"""What a caller gives is checked and told where it does not fit; what a brane gives fits, or is a WireError."""

from __future__ import annotations

import array
import copy
import doctest
import math
import pickle
import re
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import values, wit
from branes.errors import UsageError
from branes.values import Case, Err, Ok, Record, Some, decode, decode_result, encode, encode_arguments
from branes.values.packed import pack, unpack
from branes.wire import MAX_PAYLOAD, WireError
from wit_types import PLAIN, typed_values, types

if TYPE_CHECKING:
    from random import Random

    from branes.wit import Type

READ = wit.Reader().type
SHAPE = {"variant": [["circle", "f32"], ["nothing", None]]}
POINT = {"record": [["x", "f32"], ["y-z", "u8"]]}


@dataclass(frozen=True)
class Point:
    x: float
    y_z: int


@dataclass(frozen=True)
class Wide(Point):
    more: int = 0


Pair = namedtuple("Pair", ["x", "y_z"])  # noqa: PYI024 -- the plain kind has to fit, too


@given(typed_values())
def test_a_value_is_itself_after_the_way_there_and_back(drawn: tuple[Type, Any]) -> None:
    of, value = drawn
    assert decode(of, encode(of, value)) == value


@given(typed_values())
def test_what_travels_is_plain_and_survives_messagepack(drawn: tuple[Type, Any]) -> None:
    of, value = drawn
    plain = encode(of, value)
    assert msgpack.unpackb(msgpack.packb(plain, use_bin_type=True, strict_types=True), raw=False) == plain


@given(types(), PLAIN)
def test_any_plain_data_is_a_value_or_a_wire_error(of: Type, plain: object) -> None:
    try:
        value = decode(of, plain)
    except WireError:
        return
    assert repr(decode(of, encode(of, value))) == repr(value)


def spoiled(plain: object, by: object, random: Random) -> object:
    """`plain` with one part of it, at any depth, replaced."""
    if not isinstance(plain, list) or not plain or random.random() < 0.2:
        return by
    index = random.randrange(len(plain))
    return [*plain[:index], spoiled(plain[index], by, random), *plain[index + 1 :]]


@given(typed_values(), PLAIN, st.randoms(use_true_random=False))
def test_a_sound_value_with_one_part_replaced_is_a_value_or_a_wire_error(
    drawn: tuple[Type, Any], by: object, random: Random
) -> None:
    of, value = drawn
    plain = spoiled(encode(of, value), by, random)
    try:
        again = decode(of, plain)
    except WireError:
        return
    assert repr(encode(of, again)) == repr(plain)


@given(typed_values(), types())
def test_a_value_of_one_type_is_one_of_another_or_a_usage_error(drawn: tuple[Type, Any], other: Type) -> None:
    try:
        plain = encode(other, drawn[1])
    except UsageError:
        return
    decode(other, plain)


@given(typed_values())
def test_values_can_be_copied_and_pickled(drawn: tuple[Type, Any]) -> None:
    value = drawn[1]
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value


@pytest.mark.parametrize(
    ("of", "value", "plain", "out"),
    [
        ("bool", True, True, True),
        ("u8", 255, 255, 255),
        ("s64", -(2**63), -(2**63), -(2**63)),
        ("f64", 1, 1.0, 1.0),
        ("f32", 0.1, 0.10000000149011612, 0.10000000149011612),
        ("char", "\U0001f980", "\U0001f980", "\U0001f980"),
        ("string", "a\0b", "a\0b", "a\0b"),
        ({"list": "u8"}, b"ab", b"ab", b"ab"),
        ({"list": "u8"}, [97, 98], b"ab", b"ab"),
        ({"list": "u8"}, array.array("B", [97]), b"a", b"a"),
        ({"list": "u8"}, memoryview(b"ab"), b"ab", b"ab"),
        ({"list": "u16"}, (1, 2), [1, 2], [1, 2]),
        ({"list": "u16"}, range(3), [0, 1, 2], [0, 1, 2]),
        ({"list": "f64"}, array.array("d", [1.5]), [1.5], [1.5]),
        ({"list": "f64"}, [1, 2.5], [1.0, 2.5], [1.0, 2.5]),
        ({"list": {"list": "u16"}}, [[1], []], [[1], []], [[1], []]),
        ({"fixed-list": ["u8", 2]}, [1, 2], [1, 2], [1, 2]),
        ({"tuple": ["u8", "string"]}, [1, "x"], [1, "x"], (1, "x")),
        (POINT, {"x": 1, "y-z": 2}, [1.0, 2], Record(x=1.0, y_z=2)),
        (POINT, {"x": 1, "y_z": 2}, [1.0, 2], Record(x=1.0, y_z=2)),
        (POINT, Point(1, 2), [1.0, 2], Record(x=1.0, y_z=2)),
        (POINT, Pair(1, 2), [1.0, 2], Record(x=1.0, y_z=2)),
        (POINT, SimpleNamespace(x=1, y_z=2, more=3), [1.0, 2], Record(x=1.0, y_z=2)),
        (SHAPE, Case("circle", 1), [0, 1.0], Case("circle", 1.0)),
        (SHAPE, Case("nothing"), [1, None], Case("nothing")),
        (SHAPE, "nothing", [1, None], Case("nothing")),
        ({"enum": ["red", "dark-red"]}, "dark-red", 1, "dark-red"),
        ({"option": "u8"}, None, None, None),
        ({"option": "u8"}, 1, [1], 1),
        ({"option": "u8"}, Some(1), [1], 1),
        ({"option": {"option": "u8"}}, None, None, None),
        ({"option": {"option": "u8"}}, Some(None), [None], Some(None)),
        ({"option": {"option": "u8"}}, Some(1), [[1]], Some(1)),
        ({"result": ["u8", "string"]}, Ok(1), [0, 1], Ok(1)),
        ({"result": ["u8", "string"]}, Err("x"), [1, "x"], Err("x")),
        ({"result": [None, None]}, Ok(), [0, None], Ok()),
        ({"flags": ["a", "b", "c"]}, ["c", "a", "c"], [0, 2], frozenset({"a", "c"})),
        ({"flags": ["a", "b"]}, (), [], frozenset()),
    ],
)
def test_every_shape_has_its_plain_form(of: object, value: object, plain: object, out: object) -> None:
    encoded = encode(READ(of), value)
    assert encoded == plain
    assert type(encoded) is type(plain)
    decoded = decode(READ(of), encoded)
    assert decoded == out
    assert type(decoded) is type(out)


@pytest.mark.parametrize(
    ("of", "value", "message"),
    [
        ("bool", 1, "got int, expected bool"),
        ("u8", True, "got bool, expected u8"),
        ("u8", 256, "got 256, expected u8: 0 to 255"),
        ("s8", -129, "got -129, expected s8: -128 to 127"),
        ("u64", 1 << 5000, "got an integer of 5001 bits, expected u64: 0 to 18446744073709551615"),
        ("u8", 1.0, "got float, expected u8"),
        ("f64", True, "got bool, expected f64"),
        ("f64", "1", "got str, expected f64"),
        ("f64", 10**400, "got an integer of 1329 bits, which is out of range of f64"),
        ("f32", 1e300, "got 1e+300, which is out of range of f32"),
        ("char", "ab", "got a str of 2 characters, expected char: one Unicode scalar value"),
        ("char", "\ud800", "got a str of 1 characters, expected char: one Unicode scalar value"),
        ("string", b"x", "got bytes, expected string"),
        ("string", "a\ud800", "got a lone surrogate at index 1, expected string: Unicode text"),
        ({"list": "u8"}, "ab", "got str, expected list<u8>"),
        ({"list": "u8"}, [1, 256], "index 1: got 256, expected u8: 0 to 255"),
        ({"list": "u16"}, b"ab", "got bytes, expected list<u16>"),
        ({"list": "u16"}, {1: 2}, "got dict, expected list<u16>"),
        ({"list": "u16"}, {1}, "got set, expected list<u16>"),
        ({"list": "u16"}, 5, "got int, expected list<u16>"),
        ({"list": "bool"}, [True, 1], "index 1: got int, expected bool"),
        ({"list": "string"}, ["a", None], "index 1: got None, expected string"),
        ({"fixed-list": ["u8", 2]}, [1], "got 1 items, expected 2"),
        ({"tuple": ["u8", "u8"]}, (1,), "got 1 items, expected 2"),
        ({"tuple": ["u8", "u8"]}, range(2), "got range, expected tuple<u8, u8>"),
        ({"tuple": ["u8", "u8"]}, (1, "x"), "index 1: got str, expected u8"),
        (POINT, {"x": 1}, "field `y-z` is missing"),
        (POINT, {"x": 1, "y-z": 1, "z": 1}, "got field `z`, expected one of `x`, `y-z`"),
        (POINT, {"x": 1, "y-z": 1, "y_z": 1}, "field `y-z` is given twice"),
        (POINT, {1: 1}, "got int, expected the name of a field"),
        (POINT, Wide(1, 2), "got field `more`, expected one of `x`, `y-z`"),
        (POINT, SimpleNamespace(x=1), "field `y-z` is missing"),
        (POINT, object(), "got object, expected record { x: f32, y-z: u8 }"),
        (POINT, (1, 2), "got tuple, expected record { x: f32, y-z: u8 }"),
        (POINT, {"x": "1", "y-z": 1}, "field `x`: got str, expected f32"),
        (SHAPE, 1, "got int, expected a Case, or a str for a case without value"),
        (SHAPE, "square", "got case `square`, expected one of `circle`, `nothing`"),
        (SHAPE, "circle", "case `circle` takes a value: got str, expected Case('circle', ...)"),
        (SHAPE, Case("circle"), "case `circle`: got None, expected f32"),
        (SHAPE, Case("nothing", 1), "case `nothing` takes no value, got int"),
        ({"enum": ["red"]}, 0, "got int, expected enum { red }"),
        ({"enum": ["red"]}, "Red", "got case `Red`, expected one of `red`"),
        ({"option": "u8"}, "x", "got str, expected u8"),
        ({"option": {"option": "u8"}}, 1, "got int, expected None or Some(...)"),
        ({"result": ["u8", None]}, 1, "got int, expected Ok(...) or Err(...)"),
        ({"result": ["u8", None]}, Ok("x"), "ok: got str, expected u8"),
        ({"result": ["u8", None]}, Err("x"), "Err takes no value, got str"),
        ({"flags": ["a"]}, "a", "got str, expected an iterable of names of flags"),
        ({"flags": ["a"]}, {"a": True}, "got dict, expected an iterable of names of flags"),
        ({"flags": ["a"]}, ["b"], "got flag `b`, expected one of `a`"),
        ({"flags": ["a"]}, [0], "got int, expected the name of a flag"),
        ({"own": "file"}, 1, "a value of type own<file> cannot be passed"),
        ({"unsupported": "stream"}, 1, "a value of type stream cannot be passed"),
    ],
)
def test_what_does_not_fit_is_a_usage_error_that_says_so(of: object, value: object, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        encode(READ(of), value)
    assert raised.value.message == message


def function(params: list[Any], result: object = None) -> wit.Function:
    item = {"name": "draw", "kind": "function", "params": params, "result": result}
    return wit.functions({"imports": [], "exports": [item]}).find("draw")


def test_an_error_names_the_argument_and_the_way_to_what_does_not_fit() -> None:
    draw = function([["n", "u8"], ["shape", {"record": [["radius", "f32"]]}]])
    assert encode_arguments(draw, (1, {"radius": 2})) == [1, [2.0]]
    with pytest.raises(UsageError) as raised:
        encode_arguments(draw, (1, {"radius": "x"}))
    assert raised.value.message == "argument 2 (`shape`), field `radius`: got str, expected f32"


def test_another_number_of_arguments_is_told_with_the_signature() -> None:
    with pytest.raises(UsageError) as raised:
        encode_arguments(function([["n", "u8"]], "u8"), ())
    assert raised.value.message == "function `draw` takes 1 argument, got 0: draw: func(n: u8) -> u8"


def test_a_function_with_a_handle_is_refused_by_name_and_type() -> None:
    draw = function([["n", "u8"], ["to", {"list": {"borrow": "canvas"}}]])
    with pytest.raises(UsageError) as raised:
        encode_arguments(draw, (1, []))
    assert raised.value.message == (
        "function `draw` cannot be called: argument 2 (`to`) has a part of type borrow<canvas>, which cannot be passed"
    )


def test_a_hostile_name_reaches_an_error_escaped_and_bounded() -> None:
    draw = function([["\x1b[2J" + "x" * 9999, "u8"]])
    with pytest.raises(UsageError) as raised:
        encode_arguments(draw, ("",))
    assert raised.value.message.startswith("argument 1 (`\\x1b[2Jx")
    assert len(raised.value.message) < 300


@pytest.mark.parametrize(
    ("of", "plain"),
    [
        ("bool", 1),
        ("u8", 256),
        ("u8", True),
        ("u8", 1.0),
        ("s8", -129),
        ("f64", 1),
        ("f64", None),
        ("f32", 0.1),
        ("f32", 1e300),
        ("char", ""),
        ("char", "ab"),
        ("char", "\ud800"),
        ("string", b""),
        ("string", "\ud800"),
        ({"list": "u8"}, [1]),
        ({"list": "u16"}, b"1"),
        ({"list": "u16"}, [1, "x"]),
        ({"list": {"list": "u16"}}, [[65536]]),
        ({"fixed-list": ["u8", 2]}, [1]),
        ({"tuple": ["u8", "u8"]}, [1]),
        ({"tuple": ["u8", "u8"]}, [1, 2, 3]),
        (POINT, [1.0]),
        (POINT, {"x": 1.0, "y-z": 1}),
        (SHAPE, [2, None]),
        (SHAPE, [-1, None]),
        (SHAPE, [True, None]),
        (SHAPE, [1, 1]),
        (SHAPE, [0, None]),
        (SHAPE, [1]),
        ({"enum": ["red"]}, 1),
        ({"enum": ["red"]}, -1),
        ({"enum": ["red"]}, "red"),
        ({"option": "u8"}, 1),
        ({"option": "u8"}, []),
        ({"option": "u8"}, [1, 2]),
        ({"result": ["u8", None]}, [2, None]),
        ({"result": ["u8", None]}, [1, 1]),
        ({"flags": ["a", "b"]}, [1, 0]),
        ({"flags": ["a", "b"]}, [0, 0]),
        ({"flags": ["a", "b"]}, [2]),
        ({"own": "file"}, 1),
        ({"unsupported": "stream"}, 1),
    ],
)
def test_plain_data_that_does_not_fit_is_a_wire_error(of: object, plain: object) -> None:
    with pytest.raises(WireError):
        decode(READ(of), plain)


def test_not_a_number_travels() -> None:
    for of in ("f32", "f64"):
        assert math.isnan(decode(READ(of), encode(READ(of), math.nan)))
        assert math.isnan(decode(READ({"list": of}), encode(READ({"list": of}), [math.nan]))[0])


def test_what_a_function_returns_is_its_value_or_nothing() -> None:
    assert decode_result(function([], "u8"), 5) == 5
    assert decode_result(function([], {"result": [None, "string"]}), [1, "x"]) == Err("x")
    assert decode_result(function([]), None) is None
    with pytest.raises(WireError):
        decode_result(function([]), 5)


def test_a_list_that_contains_itself_is_refused_in_the_end() -> None:
    endless: list[object] = []
    endless += [endless] * 1000
    of: object = "u8"
    for _ in range(60):
        of = {"list": of}
    with pytest.raises(UsageError):
        encode(READ({"list": {"list": of}}), endless)


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ({"list": "u32"}, range(1 << 40)),
        ({"list": "u8"}, bytes(values.MAX_BYTES + 1)),
        ("string", "x" * (values.MAX_BYTES + 1)),
        ({"list": "string"}, ["x" * (1 << 20)] * 17),
    ],
)
def test_more_than_a_message_holds_is_refused_before_it_is_made(of: object, value: object) -> None:
    with pytest.raises(UsageError, match="takes more than 16777216 bytes"):
        encode(READ(of), value)


def test_a_record_is_read_by_attribute_by_name_and_as_a_dict() -> None:
    record = Record({"field-name": 1, "class": 2, "keys": 3})
    assert (record.field_name, record["field-name"], record["class"], record["keys"]) == (1, 1, 2, 3)
    assert dict(record) == {"field-name": 1, "class": 2, "keys": 3}
    assert (len(record), "class" in record, "other" in record) == (3, True, False)
    assert repr(Record(a_b=1)) == "Record(a_b=1)"
    assert repr(record) == "Record({'field-name': 1, 'class': 2, 'keys': 3})"
    assert hash(Record(x=1)) == hash(Record({"x": 1}))
    match Record(x=1):
        case Record(x=x):
            assert x == 1


def test_a_record_cannot_be_changed() -> None:
    record = Record(x=1)
    with pytest.raises(AttributeError):
        record.x = 2
    with pytest.raises(AttributeError):
        del record.x
    with pytest.raises(AttributeError, match="no field `y`"):
        _ = record.y


def test_the_examples_of_the_document_are_true() -> None:
    text = (Path(__file__).parents[2] / "docs" / "values.md").read_text()
    blocks = re.findall(r"```pycon\n(.*?)```", text, re.DOTALL)
    examples = "\n".join(blocks)
    assert examples.count(">>>") > 20
    failures: list[str] = []
    doctest.DocTestRunner().run(
        doctest.DocTestParser().get_doctest(examples, {}, "values.md", None, 0), out=failures.append
    )
    assert not failures


def test_cases_can_be_matched() -> None:
    match decode(READ(SHAPE), [0, 1.5]):
        case Case("circle", radius):
            assert radius == 1.5


@given(st.lists(st.integers(-(2**70), 2**70)), st.sampled_from(sorted(wit.INTEGERS)))
def test_a_list_of_integers_fits_exactly_when_each_does(items: list[int], name: str) -> None:
    low, high = wit.INTEGERS[name]
    fits = all(low <= item <= high for item in items)
    try:
        assert list(encode(READ({"list": name}), items)) == items  # type: ignore[arg-type]
    except UsageError:
        assert not fits
    else:
        assert fits


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x01\x01",
        b"\x81\x01\x02",
        b"\xc7\x01\x05\x00",
        b"\xdd\xff\xff\xff\xff",
        b"\x90" * 100_000,
        b"\xdc\x40\x00" + (b"\xdc\x00\x50" + b"\x90" * 80) * (1 << 14),
        pack(bytes(MAX_PAYLOAD)),
    ],
    ids=["nothing", "no type", "two values", "a map", "an extension", "too long", "too deep", "too many", "too large"],
)
def test_what_is_not_a_bounded_plain_value_is_a_wire_error(data: bytes) -> None:
    with pytest.raises(WireError):
        unpack(data)
