"""Programs from PyPI, unchanged, and two built here from Go and C."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """The folder of an installed package, which is not imported."""

    def find(package: str) -> Path:
        spec = importlib.util.find_spec(package)
        assert spec is not None, f"{package} is not installed; run scripts/bootstrap"
        assert spec.origin is not None
        return Path(spec.origin).parent

    return find


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("c") / "archive.wasm"
    env = os.environ | {"ZIG_GLOBAL_CACHE_DIR": str(tmp_path_factory.getbasetemp() / "zig")}
    compiler = [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi", "-O2"]
    subprocess.run([*compiler, "-o", out, HERE / "archive.c"], env=env, check=True, timeout=300)
    return out


@pytest.fixture(scope="session")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("go") / "journal.wasm"
    base = tmp_path_factory.getbasetemp()
    own = {
        "GOOS": "wasip1",
        "GOARCH": "wasm",
        "GOCACHE": str(base / "go-cache"),
        "GOPATH": str(base / "go-path"),
        "GOTOOLCHAIN": "local",
        "GO111MODULE": "off",
    }
    go = Path(sys.executable).with_name("go")
    env = {name: value for name, value in os.environ.items() if not name.startswith("GO")} | own
    subprocess.run([go, "build", "-o", out, HERE / "journal.go"], env=env, check=True, timeout=600)
    return out
