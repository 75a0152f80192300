"""JSON that either side takes from the other."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import strict

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def same(one: object, other: object) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(VALUES)
def test_what_is_written_is_read_back_the_same(value: Any) -> None:
    assert same(strict.loads(strict.dumps(value)), value)


@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\1e.ux-ntf ', max_size=200).map(str.encode))
def test_what_is_read_is_what_the_library_reads_and_the_rest_is_a_value_error(data: bytes) -> None:
    try:
        found = strict.loads(data)
    except ValueError:
        return
    assert same(found, json.loads(data))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b'{"a":1,"a":1}',
        b'[{"a":{"b":1,"b":2}}]',
        b'"\\ud800"',
        b'{"\\udfff":1}',
        b'"\xff"',
        b'"a\nb"',
        b"[1,]",
        b"1 2",
        b"9" * 5000,
        b"[" * 65 + b"]" * 65,
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" + b"0," * 250_000 + b"0]",
    ],
    ids=lambda data: data[:20].decode(errors="replace"),
)
def test_what_is_not_strict_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the library's words
        strict.loads(data)


def test_bounds_are_reached_and_brackets_in_strings_do_not_count() -> None:
    assert strict.loads(b"[" * 64 + b"]" * 64)
    assert len(strict.loads(strict.dumps([0] * (strict.MAX_VALUES - 1)))) == strict.MAX_VALUES - 1
    text = '[{",\\"' * 100_000
    assert strict.loads(strict.dumps(text)) == text
    assert strict.loads(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (object(), TypeError),
        (b"", TypeError),
        ({1: 2}, TypeError),
        ({None: 2}, TypeError),
        (float("nan"), ValueError),
        ([[float("inf")]], ValueError),
        ("\ud800", ValueError),
        ({"\ud800": 1}, ValueError),
        ([0] * strict.MAX_VALUES, ValueError),
        ([[[None] * 600] * 600] * 600, ValueError),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_not_written(value: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        strict.dumps(value)


@pytest.mark.parametrize(
    "data",
    [
        b'"' + b'\\"' * 4_000_000,
        b"[" * 8_000_000,
        b"}" * 8_000_000,
        b'"' * 8_000_001,
        b'"\\' * 4_000_000,
        b"\\" * 8_000_000,
    ],
    ids=["open", "levels", "closed", "quotes", "escapes", "backslashes"],
)
def test_a_large_hostile_text_is_refused_in_time(data: bytes) -> None:
    begun = time.process_time()
    with pytest.raises(ValueError):  # noqa: PT011 -- the library's words
        strict.loads(data)
    assert time.process_time() - begun < 10
