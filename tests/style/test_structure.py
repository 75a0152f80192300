"""The invariants of ARCHITECTURE.md, as absences that a machine can see."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "branes"
CRATES = ROOT / "crates"
PURE = [
    "app",
    "calling",
    "component",
    "conduct",
    "filing",
    "limits",
    "manifest",
    "mounts",
    "outcome",
    "plan",
    "session",
    "strict",
    "surface",
    "text",
    "wire",
    "audit.canonical",
    "audit.chain",
    "audit.clean",
    "audit.fault",
    "audit.record",
    "cli.shapes",
    "stubs.names",
    "stubs.write",
    "trees.bounds",
    "trees.image",
    "trees.links",
    "values.decode",
    "values.encode",
    "values.fields",
    "values.misfit",
    "values.packed",
    "values.scalars",
    "values.shapes",
    "wave.read",
    "wave.scan",
    "wave.write",
    "wit.functions",
    "wit.model",
    "wit.render",
]
EFFECTS = {
    "asyncio",
    "ctypes",
    "fcntl",
    "mmap",
    "os",
    "pathlib",
    "select",
    "signal",
    "socket",
    "subprocess",
    "threading",
}
MAX_FILE = 500
MAX_FUNCTION = 60


def module_path(name: str) -> Path:
    return PACKAGE / (name.replace(".", "/") + ".py")


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("name", PURE)
def test_pure_modules_import_nothing_that_has_effects(name: str) -> None:
    found = {module.partition(".")[0] for module in imported(module_path(name))}
    assert not found & EFFECTS


def test_no_layer_imports_another() -> None:
    layers = sorted(path.stem for path in (PACKAGE / "layers").glob("*.py") if path.stem != "__init__")
    assert layers
    for layer in layers:
        others = {f"branes.layers.{other}" for other in layers if other != layer}
        assert not imported(PACKAGE / "layers" / f"{layer}.py") & others


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("ctypes", {"_kernel.py"}),
        ("subprocess", {"birth.py"}),
        ("pyseccomp", {"layers/process.py"}),
        ("asyncio", {"aio.py"}),
    ],
)
def test_one_place_each_for_what_reaches_out(module: str, allowed: set[str]) -> None:
    users = {str(path.relative_to(PACKAGE)) for path in python_files() if module in imported(path)}
    assert {user for user in users if not user.startswith("host/")} <= allowed


def test_importing_the_package_loads_no_event_loop_and_no_command_line() -> None:
    code = "import branes, sys; print([m for m in ('asyncio', 'typer', 'rich', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_unsafe_code_is_in_two_places_of_what_ships() -> None:
    users = {
        str(path.relative_to(CRATES))
        for path in CRATES.glob("*/src/**/*.rs")
        if re.search(r"\bunsafe\s*(\{|fn|impl)", path.read_text()) and "brane-attacks" not in path.parts
    }
    assert users == {"cage/src/sys.rs", "brane-worker/src/load.rs"}


def test_every_rule_of_every_policy_says_why() -> None:
    for path in (PACKAGE / "policy" / "seccomp").glob("*.json"):
        policy = json.loads(path.read_text())
        assert policy["about"]
        assert all(len(rule["reason"].split()) > 1 for rule in policy["rules"])


def test_the_exception_tree_is_drawn_whole() -> None:
    tree = ast.parse((PACKAGE / "errors.py").read_text())
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)} - {"Refusal"}
    drawing = ast.get_docstring(tree) or ""
    assert set(re.findall(r"\b[A-Z]\w+", drawing)) >= classes


def test_exported_names_are_sorted_and_are_all_there_are() -> None:
    code = (
        "import branes, types; print(sorted(n for n in dir(branes) if not n.startswith('_')"
        " and not isinstance(getattr(branes, n), types.ModuleType)) + ['errors'], branes.__all__, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    visible, exported = (ast.literal_eval(line) for line in done.stdout.splitlines())
    assert sorted(visible) == exported == sorted(exported)


def test_files_and_functions_keep_to_their_sizes() -> None:
    long_files = [path for path in [*python_files(), *CRATES.rglob("*.rs")] if path.read_text().count("\n") > MAX_FILE]
    long_functions = [
        f"{path.name}:{node.name}"
        for path in python_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno > MAX_FUNCTION
    ]
    assert not long_files
    assert not long_functions


def test_every_step_of_the_cage_is_in_its_document() -> None:
    document = (ROOT / "docs" / "layers" / "2-process.md").read_text()
    steps = {
        step
        for path in (CRATES / "cage" / "src").glob("*.rs")
        for step in re.findall(r'\.named\("([^"]+)"\)', path.read_text())
    }
    assert len(steps) > 20
    assert {step for step in steps if f"`{step}`" not in document} == set()


def test_every_event_that_is_recorded_is_in_its_document() -> None:
    document = (ROOT / "docs" / "audit-log.md").read_text()
    name = r'"((?:audit|call|compile|component|limit|protocol|run|seccomp|sensor|tool|wasi|wasm)\.[a-z_]+)"'
    events = {event for path in python_files() for event in re.findall(name, path.read_text())} - {"wasi.json"}
    assert len(events) > 14
    assert {event for event in events if f"`{event}`" not in document} == set()


def test_every_wasi_interface_of_the_policy_is_in_its_document() -> None:
    policy = json.loads((PACKAGE / "policy" / "wasi.json").read_text())
    document = (ROOT / "docs" / "layers" / "1-wasi.md").read_text()
    assert {name for name in [*policy["interfaces"], *policy["denied_only"]] if f"`{name}`" not in document} == set()
