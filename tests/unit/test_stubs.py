"""A stub is Python that a type checker accepts, says what may be called with what, and holds nothing else of a name."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mypy import api as mypy

from branes import stubs, wit
from wit_types import to_json, types

if TYPE_CHECKING:
    from pathlib import Path

    from branes.wit import Type

POINT = {"record": [["x", "f32"], ["int", "string"], ["class", "u8"], ["far-off", {"list": "u8"}]]}
SHAPE = {"variant": [["circle", "f32"], ["at", POINT], ["nothing", None], ["none", {"option": "u8"}]]}
COLOR = {"enum": ["red", "dark-red"]}
RIGHTS = {"flags": ["read", "write"]}
EVERY = [
    *sorted(wit.PRIMITIVES),
    {"list": "u8"},
    {"list": POINT},
    {"fixed-list": ["u16", 3]},
    {"tuple": ["u8", SHAPE]},
    {"option": COLOR},
    {"option": {"option": "u8"}},
    {"result": [None, None]},
    {"result": ["u8", "string"]},
    {"list": {"result": [RIGHTS, {"enum": ["oops"]}]}},
    POINT,
    SHAPE,
    COLOR,
    RIGHTS,
]
STATEMENTS = {
    *(ast.Module, ast.Import, ast.ImportFrom, ast.alias, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef),
    *(
        ast.AnnAssign,
        ast.Assign,
        ast.Expr,
        ast.Constant,
        ast.arguments,
        ast.arg,
        ast.Name,
        ast.Attribute,
        ast.Subscript,
    ),
    *(ast.Tuple, ast.BinOp, ast.BitOr, ast.Call, ast.Dict, ast.Load, ast.Store),
}


def stub(functions: list[dict[str, Any]], named: list[Any], interface: str = "my:app/shapes@1.0.0") -> str:
    instance = {"name": interface, "kind": "instance", "functions": functions, "resources": [], "types": named}
    return stubs.stub(wit.functions({"imports": [], "exports": [instance]}))


def function(name: str, *params: object, result: object = None) -> dict[str, Any]:
    return {"name": name, "params": [[f"p{n}", of] for n, of in enumerate(params)], "result": result}


NAMED = [["point", POINT], ["shape", SHAPE], ["color", COLOR], ["rights", RIGHTS], ["count", "u32"]]
FUNCTIONS = [
    *(function(f"f{index}", of, result=of) for index, of in enumerate(EVERY)),
    function("nothing"),
    function("draw", SHAPE, POINT, COLOR, RIGHTS, {"list": "u8"}, result={"result": [{"list": SHAPE}, "string"]}),
    function("points", result={"list": POINT}),
    function("[method]canvas.clear", {"borrow": "canvas"}),
]
USE = """\
from __future__ import annotations
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from branes.values import Case
if TYPE_CHECKING:
    from app import App, AsyncApp, Shape

class Brane:
    def call(self, name: str, /, *args: object, timeout: float = 0) -> Any:
        return None

@dataclass(frozen=True)
class P:
    x: float
    int: str
    far_off: bytes

app: App = Brane()
shapes = app.call("draw", Case("circle", 1.5), {"x": 1, "int": "", "class": 1, "far-off": b""}, "red", {"read"}, b"x")
reveal_type(shapes)
app.call("shapes#draw", "nothing", P(1.0, "", b""), "dark-red", [], [1, 2])
app.call("draw", shapes[0], app.call("points")[0], "red", ["write"], b"")
reveal_type(app.call("points")[0].far_off)
reveal_type(app.call("points")[0]["class"])
reveal_type(app.call("nothing"))
app.call("drew")  # wrong
app.call("draw", Case("square", 1.5), P(1.0, "", b""), "red", [], b"")  # wrong
app.call("draw", "circle", P(1.0, "", b""), "red", [], b"")  # wrong
app.call("draw", "nothing", P(1.0, "", b""), "blue", [], b"")  # wrong
app.call("draw", "nothing", {"x": 1}, "red", [], b"")  # wrong
app.call("points")[0].other  # wrong
def area(shape: Shape) -> float:
    if shape.name == "circle":
        return shape.value
    return 0
async def later(app: AsyncApp) -> None:
    reveal_type(await app.call("points"))
"""


@pytest.mark.timeout(300)
def test_a_type_checker_accepts_the_stub_of_every_type_and_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "app.pyi").write_text(stub(FUNCTIONS, NAMED))
    (tmp_path / "use.py").write_text(USE)
    options = ["--strict", "--no-incremental", "--cache-dir=/dev/null", "--no-error-summary", "--config-file="]
    shown, failed, code = mypy.run([*options, str(tmp_path / "app.pyi"), str(tmp_path / "use.py")])
    assert (failed, code) == ("", 1)
    lines = [line for line in shown.splitlines() if "Possible overload" not in line and "note:     def" not in line]
    assert not [line for line in lines if "app.pyi" in line]
    revealed = re.findall(r'Revealed type is "(.*)"', shown)
    assert len(revealed) == 5
    assert "Case[Literal['circle'], float]" in revealed[0].replace("branes.values.shapes.", "").replace("builtins.", "")
    assert [each.replace("builtins.", "") for each in revealed[1:4]] == ["bytes", "int", "None"]
    wrong = {number for number, line in enumerate(USE.splitlines(), 1) if line.endswith("# wrong")}
    assert {int(number) for number in re.findall(r"use\.py:(\d+): error", shown)} == wrong


@given(st.lists(types(), max_size=4), st.lists(st.text(), min_size=8, max_size=8, unique=True))
def test_a_stub_holds_no_statements_but_its_own_whatever_the_names(drawn: list[Type], names: list[str]) -> None:
    functions = [function(name, to_json(of), result=to_json(of)) for of, name in zip(drawn, names, strict=False)]
    named = [[name, to_json(of)] for of, name in zip(drawn, names[4:], strict=False)]
    check(stub(functions, named, interface=names[-1]))


HOSTILE = [
    '"]: pass\nimport os#',
    "a\x00b",
    "\\",
    "'''",
    '"""',
    "x\r\ny",
    "\u2028",
    "\ud800",
    "",
    "1",
    "__init__",
    "App",
    "é-x",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_a_literal_or_an_identifier_anywhere(name: str) -> None:
    record = {"record": [[name, "u8"], ["x", {"enum": [name]}]]}
    variant = {"variant": [[name, record], ["y", {"flags": [name]}]]}
    item = {"name": name, "params": [[name, record], [name, variant]], "result": variant}
    named = [[name, record], [name, variant]]
    check(stub([item], named, interface=name))


def check(text: str) -> None:
    """Python of the expected kinds only, in ASCII, whose only call makes a TypedDict and whose imports are ours."""
    assert text.isascii()
    tree = ast.parse(text)
    assert {type(node) for node in ast.walk(tree)} <= STATEMENTS
    imported = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imported == [
        "import builtins as _py",
        "import typing as _t",
        "from collections import abc as _abc",
        "from branes import values as _b",
    ]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert {ast.unparse(node.func) for node in calls} <= {"_t.TypedDict"}
    names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert len(names) == len(set(names))
    assert {"App", "AsyncApp"} <= set(names)
    roots = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {root for root in roots if root.startswith("_")} <= {"_py", "_t", "_abc", "_b"}


def test_two_types_of_one_name_have_two_classes() -> None:
    one, two = {"enum": ["a"]}, {"enum": ["b"]}
    first = {"name": "a:b/one", "kind": "instance", "functions": [function("f", one)], "types": [["error", one]]}
    second = {"name": "a:b/two", "kind": "instance", "functions": [function("f", two)], "types": [["error", two]]}
    text = stubs.stub(wit.functions({"imports": [], "exports": [first, second]}))
    assert "Error: _t.TypeAlias = _t.Literal['a']" in text
    assert "TwoError: _t.TypeAlias = _t.Literal['b']" in text
    assert "_t.Literal['a:b/one#f', 'one#f']" in text


def test_a_type_as_deep_as_they_come_is_still_python() -> None:
    deep: object = "u8"
    for _ in range(wit.MAX_DEPTH // 2 - 1):
        deep = {"list": {"result": [deep, "u8"]}}
    check(stub([function("f", deep, result={"list": deep})], []))


def test_thousands_of_types_of_one_name_are_numbered() -> None:
    named = [["error", {"enum": [f"e{index}"]}] for index in range(20_000)]
    text = stub([], named)
    assert "Error19999: _t.TypeAlias = _t.Literal['e19999']" in text


def test_what_cannot_be_called_is_counted_not_named() -> None:
    text = stub([function("clear", {"own": "canvas"})], [])
    assert "# Left out: 1 that take or return what cannot be passed." in text
    assert "clear" not in text


def test_the_names_are_those_that_mean_one_function() -> None:
    assert "_t.Literal['my:app/shapes@1.0.0#f', 'my:app/shapes#f', 'shapes#f', 'f']" in stub([function("f")], [])
