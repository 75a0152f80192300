"""No sleep in place of a condition: each one in a test is listed in `sleeps.toml`, with its reason."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
#: Of Python or of a shell, in a test or in the text of a guest.
SLEEP = re.compile(r"\b(?:sleep|usleep|nanosleep)\s?\(|\[\s*[\"']sleep[\"']|\bsleep [\d.]+")


def sleeps(source: str) -> set[str]:
    """Where in `source` something sleeps: the function, with those around it, or the name of a module's value."""
    spans = list(named(ast.parse(source), ""))
    found = set()
    for number, line in enumerate(source.splitlines(), 1):
        if SLEEP.search(line):
            around = [(last - first, name) for name, first, last in spans if first <= number <= last]
            found.add(min(around)[1] if around else "")
    return found


def named(node: ast.AST, prefix: str) -> list[tuple[str, int, int]]:
    """Names of functions, classes and a module's values, with first and last line."""
    found = []
    for child in ast.iter_child_nodes(node):
        name = ""
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = prefix + child.name
        elif isinstance(child, ast.Assign) and not prefix and isinstance(child.targets[0], ast.Name):
            name = child.targets[0].id
        if name:
            found.append((name, child.lineno, child.end_lineno or child.lineno))
        found += named(child, f"{name}." if name else prefix)
    return found


@pytest.mark.parametrize(
    ("source", "where"),
    [
        ("import time\ndef test_it():\n    time.sleep(1)", "test_it"),
        ("from time import sleep\nsleep(1)", ""),
        ("class A:\n    async def f(self):\n        await asyncio.sleep(0)", "A.f"),
        ("CODE = '''\nimport time\ntime.sleep(1)\n'''", "CODE"),
        ("def test_it():\n    subprocess.run(['sleep', '1'])", "test_it"),
        ("def test_it():\n    sh('sleep 0.1; true')", "test_it"),
    ],
)
def test_a_sleep_is_seen_with_its_place(source: str, where: str) -> None:
    assert sleeps(source) == {where}


def test_every_sleep_of_the_tests_is_listed_and_every_listed_one_is_there() -> None:
    listed = tomllib.loads((TESTS / "style" / "sleeps.toml").read_text())
    assert all(len(reason.split()) > 3 for reason in listed.values())
    found = {
        f"{path.relative_to(TESTS)}::{name}"
        for path in TESTS.rglob("*.py")
        if path != Path(__file__)
        for name in sleeps(path.read_text())
    }
    assert found == listed.keys()
