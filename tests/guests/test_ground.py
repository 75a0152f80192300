"""The ground that C programs stand on: each case prints the same in a brane as on the machine, which is the oracle."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import branes

GROUND = Path(__file__).parent / "ground"
SOURCES = sorted(GROUND.glob("*.c"))
CASES = [name for source in SOURCES for name in re.findall(r"^CASE\((\w+)\)", source.read_text(), re.MULTILINE)]


def build(out: Path, *flags: str) -> Path:
    compiler = [sys.executable, "-m", "ziglang", "cc", "-O1", "-D_GNU_SOURCE", *flags]
    env = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(out.parent.parent / "zig")}
    subprocess.run([*compiler, "-o", out, *SOURCES], env=env, check=True, timeout=600)
    return out


@pytest.fixture(scope="session")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("guest") / "ground.wasm", "--target=wasm32-wasi")


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("oracle") / "ground")


@pytest.mark.timeout(700)
@pytest.mark.parametrize("case", CASES)
def test_a_case_prints_what_it_prints_on_the_machine(case: str, guest: Path, oracle: Path, tmp_path: Path) -> None:
    expected = subprocess.run([oracle, case, tmp_path], capture_output=True, check=True, timeout=60)
    done = branes.run(guest, [case, "/scratch"], scratch="/scratch")
    assert done.stdout.decode() == expected.stdout.decode()
    assert done.exit_code == 0
    assert done.denials == ()


def test_there_are_as_many_cases_as_there_were() -> None:
    assert len(CASES) == len(set(CASES)) >= 48
