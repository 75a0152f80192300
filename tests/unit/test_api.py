"""What a guest returns is hostile, too: what is not JSON is its error, never ours."""

from __future__ import annotations

import dataclasses
import inspect
import json
import pydoc
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import branes
from branes import aio, api, asking
from branes.api import MAX_PARTS
from branes.errors import GuestError, UsageError
from branes.outcome import Completed, Usage
from branes.values import Err, Ok

DONE = Completed(exit_code=0, stdout=b"", stderr=b"", usage=Usage(wall=0.0), denials=(), run="r")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_value_that_json_can_say_comes_back_as_it_was(value: object) -> None:
    assert api.value_of(Ok(json.dumps(value)), DONE) == value


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "-Infinity", "1 2", "[" * 100_000, "1" * 5000])
def test_text_that_is_not_json_is_the_guests_error(text: str) -> None:
    with pytest.raises(GuestError, match="not JSON") as caught:
        api.value_of(Ok(text), DONE)
    assert caught.value.completed is DONE


def test_an_exception_of_the_guest_is_told_with_its_type_and_traceback() -> None:
    fields = json.dumps({"type": "ValueError", "message": "\x1b[2J", "traceback": "Traceback"})
    with pytest.raises(GuestError) as caught:
        api.value_of(Err(fields), DONE)
    assert (caught.value.type, caught.value.traceback) == ("ValueError", "Traceback")
    assert str(caught.value) == r"ValueError: \x1b[2J"


@pytest.mark.parametrize("text", ["[]", "1", "{}", '{"type": 1, "message": null}'])
def test_an_exception_that_is_not_told_as_agreed_is_still_the_guests_error(text: str) -> None:
    with pytest.raises(GuestError):
        api.value_of(Err(text), DONE)


def test_an_exception_of_any_length_is_cut() -> None:
    long = "\ue000" * 1_000_000
    with pytest.raises(GuestError) as caught:
        api.value_of(Err(json.dumps(dict.fromkeys(("type", "message", "traceback"), long))), DONE)
    assert (len(caught.value.type), len(caught.value.traceback)) == (4096, 65536)
    assert len(caught.value.message) < 100_000


@pytest.mark.parametrize("text", ["[" + "[]," * MAX_PARTS + "0]", '{"a":' * 2 + '"x"' + "}" * 2 + "," * MAX_PARTS])
def test_a_value_of_too_many_parts_is_the_guests_error_and_is_not_built(text: str) -> None:
    with pytest.raises(GuestError, match="more than 1,048,576 parts"):
        api.value_of(Ok(text), DONE)


def test_text_that_nothing_closes_is_gone_through_once() -> None:
    hostile = "," * (MAX_PARTS + 1) + '"' + '\\"' * 5_000_000
    started = time.process_time()
    with pytest.raises(GuestError, match="more than 1,048,576 parts"):
        api.value_of(Ok(hostile), DONE)
    assert time.process_time() - started < 10


def test_what_stands_in_text_is_no_part_of_a_value() -> None:
    long = ',:[{"\\' * (MAX_PARTS // 2)
    assert api.value_of(Ok(json.dumps([long])), DONE) == [long]


@pytest.mark.parametrize("value", [None, 1, "1", Ok(1)])
def test_a_value_of_another_type_is_the_guests_error(value: object) -> None:
    with pytest.raises(GuestError):
        api.value_of(value, DONE)


@pytest.mark.parametrize("words", [("\udc80", "f", []), ("c", "\udc80", []), ("c", "f", ["\udc80"])])
def test_code_that_is_not_unicode_is_the_callers_mistake(words: tuple[str, str, list[str]]) -> None:
    with pytest.raises(UsageError):
        asking.run_request(*words)


@pytest.mark.parametrize(
    ("ours", "twin"),
    [
        (aio.run, branes.run),
        (aio.python, branes.python),
        (aio.Python.run, branes.Python.run),
        (aio.Python.eval, branes.Python.eval),
        (aio.open, branes.open),
        (aio.App.call, branes.App.call),
    ],
)
def test_asyncio_twins_have_the_same_parameters_and_documentation(ours: object, twin: object) -> None:
    assert callable(ours)
    assert callable(twin)
    assert inspect.signature(ours).parameters == inspect.signature(twin).parameters
    assert ours.__doc__ == twin.__doc__
    assert ours.__doc__


@pytest.mark.parametrize("module", [api, aio])
def test_help_shows_names_parameters_and_results(module: Any) -> None:
    for function, name, result in [
        (module.run, "run(app: 'App', args: 'Sequence[str]' = (), *, stdin", "-> 'Completed'"),
        (module.python, "python(*, env", "-> 'Python'"),
        (module.Python.run, "run(self, code: 'str', *, stdin", "-> 'Completed'"),
        (module.Python.eval, "eval(self, expression: 'str', *, on_stdout", "-> 'Any'"),
    ]:
        shown = pydoc.plain(pydoc.render_doc(function))
        assert name in shown
        assert result in shown
        assert "Args:" in shown
        assert function.__module__ == module.__name__
        is_awaited = module is aio and function is not module.python
        assert inspect.iscoroutinefunction(function) == is_awaited


def test_what_is_wrong_with_an_argument_is_said_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="the arguments is a single str"):
        branes.run(b"", "a")
    with pytest.raises(UsageError, match="env is of type list"):
        branes.python(env=["A=1"])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unexpected keyword argument 'stdout'"):
        branes.run(b"", stdout=b"")  # type: ignore[call-arg]


def test_every_public_method_has_its_twin() -> None:
    def public(of: type) -> set[str]:
        return {name for name in dir(of) if not name.startswith("_")}

    assert public(aio.Python) == public(branes.Python)


def test_every_parameter_is_documented() -> None:
    for function in (api.run, api.python, api.Python.run, api.Python.eval):
        assert function.__doc__
        for name in inspect.signature(function).parameters.keys() - {"self"}:
            assert f"{name}:" in function.__doc__


def test_outcomes_are_values() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DONE.exit_code = 1  # type: ignore[misc]
