"""Which files start processes, whatever the way: found in the syntax tree, under any name that an import gives.

A number given to syscall(2) is not seen here; that `ctypes` has one place is in `test_structure.py`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "branes"
#: The one place, and the probes of `brane doctor`.
ALLOWED = {"birth.py", "host/check.py", "host/syscalls.py"}

#: Modules that are for this alone.
MODULES = {"subprocess", "multiprocessing", "pty", "_posixsubprocess", "concurrent.futures.process"}
#: Modules with functions for it among others, and how these begin.
OS = ("fork", "exec", "spawn", "posix_spawn", "system", "popen", "startfile")
PARTLY = {
    "os": OS,
    "posix": OS,
    "asyncio": ("create_subprocess", "subprocess"),
    "concurrent.futures": ("ProcessPoolExecutor", "process"),
}
#: Methods that nothing else has: of an event loop, and of the C library by way of ctypes.
METHODS = {"subprocess_exec", "subprocess_shell", "vfork", "posix_spawn", "posix_spawnp", "execve", "execveat", "popen"}
#: Functions that take a name as a string.
BY_NAME = {"getattr", "__import__", "import_module"}


def starts(source: str) -> set[str]:
    """What in `source` starts a process, or brings what does."""
    tree = ast.parse(source)
    names = aliases(tree)
    found = {name for name in names.values() if is_start(name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = dotted(node, names)
            found |= {name} if is_start(name) or node.attr in METHODS else set()
        elif isinstance(node, ast.Call):
            found |= by_name(node, names)
    return found


def aliases(tree: ast.Module) -> dict[str, str]:
    """Local names of what is imported, to what they mean; `os.*` is all that starts a process."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import a.b` binds `a`, but brings `a.b`.
            names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def is_start(name: str) -> bool:
    if any(name == module or name.startswith(f"{module}.") for module in MODULES):
        return True
    module, _, last = name.rpartition(".")
    return module in PARTLY and (last == "*" or last.startswith(PARTLY[module]))


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """`os.fork` for that attribute of whatever `os` is called here."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def by_name(call: ast.Call, names: dict[str, str]) -> set[str]:
    """Strings by which a call asks for what starts a process."""
    if dotted(call.func, names).rpartition(".")[2] not in BY_NAME:
        return set()
    words = [arg.value for arg in call.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    bases = [dotted(arg, names) for arg in call.args if isinstance(arg, ast.Name | ast.Attribute)]
    asked = [*words, *(f"{base}.{word}" for base in bases for word in words)]
    return {name for name in asked if is_start(name)}


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "import subprocess as quiet",
        "from subprocess import run",
        "def late():\n    import subprocess",
        "import os\nos.fork()",
        "import os as o\no.forkpty()",
        "from os import fork as f",
        "from os import *",
        "import os\nstart = os.posix_spawn",
        "import os\nos.posix_spawnp('true', ['true'], {})",
        *(f"import os\nos.exec{kind}('true')" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
        *(f"import os\nos.spawn{kind}(0, 'true')" for kind in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")),
        "import os\nos.system('true')",
        "import os\nos.popen('true')",
        "import posix\nposix.fork()",
        "import multiprocessing",
        "from multiprocessing import Process",
        "import multiprocessing.pool",
        "import pty\npty.fork()",
        "from pty import spawn",
        "import _posixsubprocess",
        "from concurrent.futures import ProcessPoolExecutor",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor()",
        "import asyncio\nasyncio.create_subprocess_exec('true')",
        "from asyncio import create_subprocess_shell",
        "async def f(loop):\n    await loop.subprocess_exec(None)",
        "import os\ngetattr(os, 'fork')()",
        "__import__('subprocess')",
        "import importlib\nimportlib.import_module('multiprocessing')",
        "import ctypes\nctypes.CDLL(None).vfork()",
    ],
)
def test_every_way_to_start_a_process_is_seen(source: str) -> None:
    assert starts(source)


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos.getpid()",
        "import os\nos.register_at_fork(before=print)",
        "template.fork(streams)",
        "import asyncio\nasyncio.run(main())",
        "from concurrent.futures import ThreadPoolExecutor",
        "getattr(template, 'fork')()",
        "from os import path\nfork = 1",
        "'os.fork()'  # os.system",
    ],
)
def test_what_starts_none_is_left_alone(source: str) -> None:
    assert starts(source) == set()


def test_processes_are_started_in_one_place_and_by_the_probes() -> None:
    users = {str(path.relative_to(PACKAGE)) for path in sorted(PACKAGE.rglob("*.py")) if starts(path.read_text())}
    assert users == ALLOWED
