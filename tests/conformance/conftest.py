"""The programs, built twice: all in one executable for this machine, and all in one WASI module."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
OPTIONS = ["-D_GNU_SOURCE", "-O1", "-w", "-I", PROGRAMS]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One C file with all programs in it; the first argument says which one runs."""
    names = sorted(program.stem for program in PROGRAMS.glob("*.c"))
    lines = ['#include "say.h"']
    for name in names:
        lines += [f"#define main {name}_main", f'#include "{name}.c"', "#undef main"]
    calls = [
        f'if (!strcmp(argv[1], "{name}")) return ((int (*)(int, char **)){name}_main)(argc - 1, argv + 1);'
        for name in names
    ]
    lines += ["int main(int argc, char **argv) {", *calls, "return 99; }"]
    path = tmp_path_factory.mktemp("conformance") / "all.c"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="session")
def native(source: Path) -> Path:
    out = source.with_name("native")
    subprocess.run(["cc", *OPTIONS, "-o", out, source], check=True, timeout=300)
    return out


@pytest.fixture(scope="session")
def module(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = source.with_name("all.wasm")
    env = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(tmp_path_factory.getbasetemp() / "zig")}
    compiler = [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi"]
    subprocess.run([*compiler, *OPTIONS, "-o", out, source], env=env, check=True, timeout=300)
    return out
