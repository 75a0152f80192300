"""Builds what the wheel carries besides Python: the static executables and the Python guest."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

EXECUTABLES = ("brane-jail", "brane-worker", "brane-compile")


class CargoBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `src/branes/_bin` and `src/branes/_guests` before hatchling collects the files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 -- hatchling's signature
        """Build, prove static, copy; then tag the wheel for this machine."""
        root, arch = Path(self.root), platform.machine()
        build_executables(root, f"{arch}-unknown-linux-gnu")
        build_guest(root)
        build_data["artifacts"] += ["/src/branes/_bin/*", "/src/branes/_guests/*"]
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-linux_{arch}"


def build_executables(root: Path, target: str) -> None:
    """Compile every executable statically and copy it into the package."""
    bin_dir = root / "src" / "branes" / "_bin"
    bin_dir.mkdir(exist_ok=True)
    built = cargo_build(root, target, EXECUTABLES)
    for name in EXECUTABLES:
        require_static(built / name)
        replace(built / name, bin_dir / name)


def cargo_build(root: Path, target: str, packages: tuple[str, ...]) -> Path:
    """Run cargo for `packages`; the folder of the results.

    `--target` keeps build scripts and proc-macros off our flags, and CARGO_ENCODED_RUSTFLAGS outranks RUSTFLAGS
    and every configuration file: neither may quietly give a dynamic executable.
    """
    env = {**os.environ, "CARGO_ENCODED_RUSTFLAGS": "-Ctarget-feature=+crt-static"}
    command = ["cargo", "build", "--release", "--locked", "--target", target]
    for package in packages:
        # One at a time: together they would share features, and the worker is to have no compiler in it.
        subprocess.run([*command, "--package", package], cwd=root, env=env, check=True)
    return root / "target" / target / "release"


def require_static(path: Path) -> None:
    """Fail the build if `path` is no ELF file, or asks the kernel for a dynamic loader (elf(5), PT_INTERP)."""
    if not is_static(path.read_bytes()):
        raise RuntimeError(f"{path.name} is dynamically linked; branes ships only static executables")


def is_static(elf: bytes) -> bool:
    """As the package itself says of what it ships; loaded by path, since the package is not installed here."""
    path = Path(__file__).parent / "src" / "branes" / "_elf.py"
    spec = importlib.util.spec_from_file_location("branes_elf", path)
    if spec is None or spec.loader is None:
        raise RuntimeError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return bool(module.is_static(elf))


def build_guest(root: Path) -> None:
    """Build the Python guest where its sources are newer than what is there (18 s)."""
    out = root / "src" / "branes" / "_guests" / "python.wasm"
    out.parent.mkdir(exist_ok=True)
    build = root / "guests" / "python" / "build.py"
    subprocess.run([sys.executable, str(build), str(out)], cwd=root, check=True)
    out.with_suffix(".wasm.sha256").write_text(hashlib.sha256(out.read_bytes()).hexdigest() + "\n", encoding="ascii")


def replace(source: Path, destination: Path) -> None:
    """Copy beside and rename over: a running executable cannot be written into (ETXTBSY)."""
    beside = destination.with_suffix(".new")
    shutil.copy2(source, beside)
    beside.replace(destination)
