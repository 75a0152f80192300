"""A description becomes types and functions, or a HostFault; names are found as documented; WIT text is bounded."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import wit
from branes.errors import HostFault, UsageError
from branes.wit import Reader, Type
from wit_types import to_json, types

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["u8", "list", "kind", "instance"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["list", "record", "variant", "result", "enum", "own"]) | st.text(), inner, max_size=2
        )
    ),
    max_leaves=10,
)


def item(name: str, params: list[Any] | None = None, result: object = None) -> dict[str, Any]:
    return {"name": name, "params": params or [], "result": result}


def instance(name: str, *functions: dict[str, Any], types: list[Any] | None = None) -> dict[str, Any]:
    return {"name": name, "kind": "instance", "functions": list(functions), "resources": [], "types": types or []}


def exports(*items: dict[str, Any]) -> wit.Exports:
    return wit.functions({"imports": [], "exports": list(items)})


@given(types())
def test_a_type_is_read_as_it_is_spelled_out(of: Type) -> None:
    assert Reader().type(json.loads(json.dumps(to_json(of)))) == of


@given(types())
def test_equal_types_of_one_reader_are_one_object(of: Type) -> None:
    reader = Reader()
    assert reader.type(to_json(of)) is reader.type(to_json(of))


@given(JSON)
def test_any_json_is_a_type_or_a_host_fault(plain: object) -> None:
    try:
        of = Reader().type(plain)
    except HostFault:
        return
    assert to_json(of) == plain


@given(st.dictionaries(st.sampled_from(["imports", "exports"]), st.lists(st.dictionaries(st.text(), JSON)) | JSON))
def test_any_json_is_a_description_or_a_host_fault(plain: dict[str, Any]) -> None:
    with contextlib.suppress(HostFault):
        assert isinstance(wit.functions(plain), wit.Exports)


def test_types_nest_as_deep_as_the_compiler_allows_and_no_deeper() -> None:
    of: object = "u8"
    for _ in range(wit.MAX_DEPTH):
        of = {"list": of}
    Reader().type(of)
    with pytest.raises(HostFault, match="nest at most 64 deep"):
        Reader().type({"list": of})


API = exports(
    {"kind": "function", **item("run")},
    instance(
        "my:app/shapes@1.2.0",
        item("draw"),
        item("area"),
        item("[method]canvas.clear", [["self", {"borrow": "canvas"}]]),
    ),
    instance("my:app/more@1.2.0", item("area"), item("run")),
    instance("other:app/shapes@2.0.0", item("turn")),
)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("run", "run"),
        ("draw", "my:app/shapes@1.2.0#draw"),
        ("shapes#draw", "my:app/shapes@1.2.0#draw"),
        ("my:app/shapes#draw", "my:app/shapes@1.2.0#draw"),
        ("my:app/shapes@1.2.0#draw", "my:app/shapes@1.2.0#draw"),
        ("more#run", "my:app/more@1.2.0#run"),
        ("shapes#turn", "other:app/shapes@2.0.0#turn"),
        ("more#area", "my:app/more@1.2.0#area"),
    ],
)
def test_a_function_is_found_by_each_of_its_names(name: str, found: str) -> None:
    assert API.find(name).id == found


def test_a_name_of_two_functions_is_refused_with_their_longer_names() -> None:
    with pytest.raises(UsageError) as raised:
        API.find("area")
    assert raised.value.message == (
        "`area` is the name of 2 functions: `my:app/shapes@1.2.0#area`, `my:app/more@1.2.0#area`"
    )


def test_an_unknown_name_is_refused_with_a_similar_one_and_all_that_can_be_called() -> None:
    with pytest.raises(UsageError) as raised:
        API.find("darw")
    assert raised.value.hint == "did you mean `draw`?"
    assert raised.value.message == (
        "no exported function is called `darw`; there are `run`, `my:app/shapes@1.2.0#draw`, "
        "`my:app/shapes@1.2.0#area`, `my:app/more@1.2.0#area`, `my:app/more@1.2.0#run`, `other:app/shapes@2.0.0#turn`"
    )


def test_a_component_without_functions_says_so() -> None:
    with pytest.raises(UsageError, match="there is none that can be called"):
        exports().find("x")


def test_many_functions_are_not_all_listed() -> None:
    with pytest.raises(UsageError, match="and 80 more"):
        exports(instance("a:b/c", *(item(f"f{n}") for n in range(100)))).find("?")


@pytest.mark.parametrize(
    ("params", "result", "why"),
    [
        ([["a", "u8"]], None, ""),
        ([["a", {"option": {"own": "file"}}]], None, "argument 1 (`a`) has a part of type own<file>"),
        ([], {"result": [{"unsupported": "stream"}, None]}, "the result has a part of type stream"),
        (
            [["a", {"variant": [["b", {"tuple": ["u8", {"unsupported": "map"}]}]]}]],
            None,
            "argument 1 (`a`) has a part of type map",
        ),
    ],
)
def test_what_cannot_be_passed_is_found_wherever_it_is(params: list[Any], result: object, why: str) -> None:
    assert exports({"kind": "function", **item("f", params, result)}).find("f").refusal == why


POINT = {"record": [["x", "f32"], ["type", {"option": "string"}]]}
SHAPE = {"variant": [["dot", POINT], ["nothing", None]]}


def test_a_signature_uses_the_names_of_its_interface() -> None:
    params = [["at", POINT], ["of", {"list": SHAPE}], ["use", {"enum": ["a", "b"]}]]
    draw = item("draw", params, {"result": [None, {"tuple": ["u8", {"fixed-list": ["char", 3]}]}]})
    found = exports(instance("a:b/c", draw, types=[["point", POINT], ["shape", SHAPE]])).find("draw")
    assert wit.signature(found) == (
        "draw: func(at: point, of: list<shape>, %use: enum { a, b }) -> result<_, tuple<u8, list<char, 3>>>"
    )


def test_the_name_of_an_imported_type_serves_where_there_is_no_other() -> None:
    function = {"kind": "function", **item("f", [["p", POINT]])}
    found = wit.functions({"imports": [instance("a:b/types", types=[["point", POINT]])], "exports": [function]})
    assert wit.signature(found.find("f")) == "f: func(p: point)"


@pytest.mark.parametrize(
    ("of", "text"),
    [
        (POINT, "record t {\n    x: f32,\n    %type: option<string>,\n}"),
        ({"variant": [["a", "u8"], ["b", None]]}, "variant t {\n    a(u8),\n    b,\n}"),
        ({"enum": ["a"]}, "enum t {\n    a,\n}"),
        ({"flags": ["a", "b"]}, "flags t {\n    a,\n    b,\n}"),
        ({"result": [None, None]}, "type t = result;"),
        ({"result": ["u8", None]}, "type t = result<u8>;"),
        ({"own": "r"}, "type t = own<r>;"),
    ],
)
def test_a_named_type_is_declared(of: object, text: str) -> None:
    assert wit.declaration("t", Reader().type(of)) == text


@given(st.text(), st.text(min_size=1), types())
def test_hostile_names_are_printable_and_text_is_bounded(name: str, field: str, of: Type) -> None:
    function = wit.Function(name=name, interface=None, params=((field, wit.Record(((field, of),))),), result=of)
    text = wit.signature(function, 200)
    assert text.isprintable()
    assert len(text) <= 200


def test_a_huge_type_is_cut() -> None:
    text = wit.type_text(wit.Enum(tuple(f"case{n}" for n in range(10**5))))
    assert len(text) == 4096
    assert text.endswith("...")
