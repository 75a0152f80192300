"""WAVE text becomes values and values become text, by type; errors name the column."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import wave, wit
from branes.errors import UsageError
from branes.values import Case, Err, Ok, Record, Some
from wit_types import typed_values, types

if TYPE_CHECKING:
    from branes.wit import Type

READ = wit.Reader().type
SHAPE = {"variant": [["circle", "f32"], ["nothing", None], ["err", "string"]]}
POINT = {"record": [["a", "u8"], ["b-c", {"option": "u8"}]]}
WORDS = {"enum": ["ok", "not-found"]}


@given(typed_values())
def test_a_value_is_itself_after_being_written_and_read(drawn: tuple[Type, Any]) -> None:
    of, value = drawn
    text = wave.text(of, value)
    assert text.isprintable()
    assert wave.parse(of, text) == value


@given(types(), st.text() | st.text("{}[]()\"'\\,:%abnosemkr10-.e u", max_size=30))
def test_any_text_is_a_value_or_a_usage_error(of: Type, text: str) -> None:
    try:
        value = wave.parse(of, text)
    except UsageError as error:
        told = error.message
    else:
        told = "column 0: none"
        assert repr(wave.parse(of, wave.text(of, value))) == repr(value)
    assert re.match(r"(line \d+, )?column \d+: ", told)
    assert told.isprintable()


@pytest.mark.parametrize(
    ("of", "text", "value"),
    [
        ("bool", " true ", True),
        ("s8", "-128", -128),
        ("f64", "6.022e+23", 6.022e23),
        ("f64", "-inf", -math.inf),
        ("f32", "1", 1.0),
        ("char", "'x'", "x"),
        ("char", r"'\''", "'"),
        ("char", "'\"'", '"'),
        ("char", r"'\u{1F980}'", "\U0001f980"),
        ("string", r'"a\"\\\t\n\r\u{0}' + "'" + '"', "a\"\\\t\n\r\0'"),
        ("string", '""', ""),
        ("string", '"""\nA single line\n"""', "A single line"),
        ("string", '"""\n    deep\n\n      er\n  """'.replace("\n\n", "\n  \n"), "  deep\n\n    er"),
        ("string", '"""\r\n  a\\u{41}""\\"\r\n  b\r\n  """', 'aA"""\nb'),
        ({"list": "u8"}, "[1, 2,]", b"\1\2"),
        ({"list": "char"}, "[]", []),
        ({"fixed-list": ["u8", 2]}, "[1, 2]", [1, 2]),
        ({"tuple": ["u8", "string"]}, '(123, "abc",)', (123, "abc")),
        (POINT, "{a: 1, b-c: 2}", Record(a=1, b_c=2)),
        (POINT, "{%b-c: some(2), a: 1,}", Record(a=1, b_c=2)),
        (POINT, "{a: 1}", Record(a=1, b_c=None)),
        ({"record": [["a", {"option": "u8"}]]}, "{:}", Record(a=None)),
        (SHAPE, "circle(1.5)", Case("circle", 1.5)),
        (SHAPE, "nothing", Case("nothing")),
        (SHAPE, '%err("oops")', Case("err", "oops")),
        (WORDS, "%ok", "ok"),
        (WORDS, "%not-found", "not-found"),
        ({"option": "u8"}, "none", None),
        ({"option": "u8"}, "some(1)", 1),
        ({"option": "u8"}, "1", 1),
        ({"option": {"option": "u8"}}, "some(none)", Some(None)),
        ({"option": {"option": "u8"}}, "some(1)", Some(1)),
        ({"option": WORDS}, "%ok", "ok"),
        ({"result": ["u8", "string"]}, "ok(1)", Ok(1)),
        ({"result": ["u8", "string"]}, "1", Ok(1)),
        ({"result": ["u8", "string"]}, 'err("x")', Err("x")),
        ({"result": [None, None]}, "ok", Ok()),
        ({"result": [None, None]}, "err", Err()),
        ({"flags": ["read", "write"]}, "{write, read,}", frozenset({"read", "write"})),
        ({"flags": ["read", "write"]}, "{}", frozenset()),
        ({"list": "u16"}, "[ // one\n1, // two\n2 ]", [1, 2]),
    ],
)
def test_the_notation(of: object, text: str, value: object) -> None:
    assert wave.parse(READ(of), text) == value


@pytest.mark.parametrize(
    ("of", "text", "message"),
    [
        ("bool", "1", "column 1: got `1`, expected bool: true or false"),
        ("u8", "256", "column 1: got `256`, expected u8: 0 to 255"),
        ("u8", "-1", "column 1: got `-1`, expected u8: 0 to 255"),
        ("u8", "1.5", "column 1: got `1.5`, expected u8: 0 to 255"),
        ("u8", "1" * 9999, f"column 1: got `{'1' * 20}`, expected u8: 0 to 255"),
        ("u8", "", "column 1: got the end, expected u8: 0 to 255"),
        ("u8", "1 2", "column 3: got `2`, expected the end"),
        ("f64", "1e999", "column 1: got `1e999`, expected f64: a number in its range"),
        ("f32", "1e300", "column 1: got `1e300`, expected f32: a number in its range"),
        ("f64", "x", "column 1: got `x`, expected f64: a number, nan, inf or -inf"),
        ("char", "''", "column 2: got `'`, expected a character, escaped if it is a quote or a line break"),
        ("char", "'ab'", "column 3: got `b`, expected `'` after one character"),
        ("char", r"'\q'", "column 2: got `\\`, expected an escape: \\' \\\" \\\\ \\t \\n \\r or \\u{...}"),
        ("char", r"'\u{d800}'", "column 2: got `u{d800}`, expected a Unicode scalar value"),
        ("string", "x", "column 1: got `x`, expected string, between double quotes"),
        (
            "string",
            '"ab',
            'column 4: got the end, expected `"` at the end of the string, and line breaks in it as `\\n`',
        ),
        ("string", '"\ud800"', "column 1: got a lone surrogate, expected string"),
        ("string", '"""\nx', 'line 1, column 4: got no end of the string, expected `"""` on a line of its own'),
        ({"list": "u8"}, "(1)", "column 1: got `(`, expected `[` of list<u8>"),
        ({"list": "u8"}, "[1 2]", "column 4: got `2`, expected `]` or `,`"),
        ({"list": "u8"}, "[1,\n x]", "line 2, column 2: got `x`, expected u8: 0 to 255"),
        ({"fixed-list": ["u8", 2]}, "[1]", "column 1: got 1 items, expected 2"),
        ({"tuple": ["u8"]}, "(1, 2)", "column 5: got `2`, expected `)` after 1 items"),
        ({"tuple": ["u8", "u8"]}, "(1)", "column 4: got 1 items, expected 2"),
        (POINT, "{b-c: 1}", "column 1: field `a` is missing"),
        (POINT, "{c: 1}", "column 2: got `c`, expected field: one of `a`, `b-c`"),
        (POINT, "{a: 1, a: 1}", "column 8: field `a` is given twice"),
        (POINT, "{a 1}", "column 4: got `1`, expected `:`"),
        (SHAPE, "square", "column 1: got `square`, expected case: one of `circle`, `nothing`, `err`"),
        (SHAPE, "circle", "column 7: got the end, expected `(` and the value of `circle`"),
        (SHAPE, "err", "column 1: got `err`, expected `%err`, since the word alone is a keyword"),
        (WORDS, "ok", "column 1: got `ok`, expected `%ok`, since the word alone is a keyword"),
        ({"option": {"option": "u8"}}, "1", "column 1: got `1`, expected `none` or `some(...)`"),
        ({"result": [None, "u8"]}, "1", "column 1: got `1`, expected `ok` or `err`"),
        ({"flags": ["a"]}, "{b}", "column 2: got `b`, expected flag: one of `a`"),
        ({"flags": ["a"]}, "{a, a}", "column 5: flag `a` is given twice"),
        ({"own": "file"}, "1", "column 1: a value of type own<file> cannot be written"),
    ],
)
def test_an_error_names_column_and_expectation(of: object, text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        wave.parse(READ(of), text)
    assert raised.value.message == message


@pytest.mark.parametrize(
    ("of", "value", "text"),
    [
        ("f32", 0.1, "0.1"),
        ("f64", 1e16, "1e+16"),
        ("f64", math.nan, "nan"),
        ("f64", -math.inf, "-inf"),
        ("string", "it's\n\x1b\u202e\"", '"it\'s\\n\\u{1b}\\u{202e}\\""'),
        ("char", "'", "'\\''"),
        ({"list": "u8"}, b"ab", "[97, 98]"),
        (POINT, {"a": 1, "b-c": None}, "{a: 1}"),
        ({"record": [["a", {"option": "u8"}]]}, {"a": None}, "{:}"),
        ({"option": {"option": "u8"}}, Some(None), "some(none)"),
        (SHAPE, Case("err", "x"), '%err("x")'),
        (WORDS, "ok", "%ok"),
        ({"flags": ["a", "b"]}, {"b", "a"}, "{a, b}"),
    ],
)
def test_what_is_written(of: object, value: object, text: str) -> None:
    assert wave.text(READ(of), value) == text


def exports(*params: list[Any]) -> wit.Exports:
    functions = [{"name": "f", "params": list(params), "result": None}]
    return wit.functions(
        {"imports": [], "exports": [{"name": "a:b/c@1.0.0", "kind": "instance", "functions": functions}]}
    )


def test_a_call_names_a_function_and_its_arguments() -> None:
    known = exports(["n", "u8"], ["s", "string"], ["p", POINT], ["g", {"flags": ["flag-a"]}], ["v", SHAPE])
    for name in ("f", "c#f", "a:b/c#f", "a:b/c@1.0.0#f"):
        found, args = wave.parse_call(f'{name}(1, "x(", {{a: 1}}, {{flag-a}}, circle(1.5))', known)
        assert found.id == "a:b/c@1.0.0#f"
        assert args == [1, "x(", Record(a=1, b_c=None), frozenset({"flag-a"}), Case("circle", 1.5)]


def test_options_at_the_end_of_a_call_may_be_left_out() -> None:
    known = exports(["n", "u8"], ["a", {"option": "u8"}], ["b", {"option": "u8"}])
    assert wave.parse_call("f(1)", known)[1] == [1, None, None]
    assert wave.parse_call("f(1, 2,)", known)[1] == [1, 2, None]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f", "column 2: got the end, expected `(` after the name of the function"),
        ("f()", "column 4: got 0 arguments, expected 1: f: func(n: u8)"),
        ("f(1, 2)", "column 6: got more than 1 arguments, expected 1: f: func(n: u8)"),
        ("f(x)", "column 3: got `x`, expected u8: 0 to 255"),
        ("f(1", "column 4: got the end, expected `)` or `,`"),
        ("f(1) x", "column 6: got `x`, expected the end"),
        ("g(1)", "no exported function is called `g`; there are `a:b/c@1.0.0#f`"),
    ],
)
def test_a_call_that_is_none_is_told_where(text: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        wave.parse_call(text, exports(["n", "u8"]))
    assert raised.value.message == message


def test_text_is_bounded_and_so_is_what_is_made_of_it() -> None:
    with pytest.raises(UsageError, match="expected at most 16777216"):
        wave.parse(READ("string"), "x" * (wave.MAX_TEXT + 1))
    wide = {"record": [[f"f{n}", {"option": "u8"}] for n in range(10_000)]}
    with pytest.raises(UsageError, match="got more than 16777216 values"):
        wave.parse(READ({"list": wide}), f"[{'{:},' * 2000}]")
