"""Builds the CPython guest: `python build.py OUT.wasm`.

Nothing is done when OUT.wasm.digest says that OUT.wasm was made from the same inputs. Two builds of the same
inputs do not give the same bytes: each has its own secret for string hashes, and whoever knows one knows
nothing of another.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
WIT = (HERE.parent / "wit" / "tools.wit", HERE / "guest.wit")
SOURCES = (*WIT, *sorted((HERE / "_brane").glob("*.py")))
# Python packages of the build environment that become part of the guest. It works without them, with less.
PACKAGES = ("tzdata",)


def main(arguments: list[str]) -> int:
    """Build what the command line names; the exit code."""
    if len(arguments) != 1:
        print("usage: build.py OUT.wasm", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    record, wanted = out.with_name(out.name + ".digest"), input_digest()
    if out.exists() and record.exists() and record.read_text().strip() == wanted:
        print(f"{out.name}: up to date")
        return 0
    started = time.monotonic()
    build(out)
    record.write_text(wanted + "\n")
    absent = [f"without {name}, which is not installed here" for name in PACKAGES if name not in packages()]
    size, seconds = out.stat().st_size / 1e6, time.monotonic() - started
    print(", ".join([f"{out.name}: built in {seconds:.0f} s", f"{size:.1f} MB", *absent]))
    return 0


def input_digest() -> str:
    """SHA-256 over everything that decides what comes out."""
    versions = [importlib.metadata.version(name) for name in ("componentize-py", *packages())]
    digest = hashlib.sha256(" ".join([*versions, *packages()]).encode())
    for source in (Path(__file__), *SOURCES):
        digest.update(b"\0" + source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def packages() -> dict[str, Path]:
    """Those of PACKAGES that are installed here, and where."""
    found = {name: importlib.util.find_spec(name) for name in PACKAGES}
    return {name: Path(spec.origin).parent for name, spec in found.items() if spec and spec.origin}


def build(out: Path) -> None:
    """Componentize a copy of the sources, since the guest can write where it is loaded from."""
    import componentize_py

    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        path, beside = Path(scratch) / "path", Path(scratch) / out.name
        for name, folder in {"_brane": HERE / "_brane", **packages()}.items():
            shutil.copytree(folder, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        # The function and not the command, which adds the site-packages of an active environment.
        componentize_py.componentize(
            wit_path=[str(file) for file in WIT],
            worlds=["branes:python/guest"],
            features=[],
            all_features=False,
            world_module=None,
            python_path=[str(path)],
            module_worlds=[],
            app_name="_brane.app",
            output_path=str(beside),
            stub_wasi=False,
            import_interface_names=[],
            export_interface_names=[],
            full_names=False,
            intersect_world=None,
        )
        beside.replace(out)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
