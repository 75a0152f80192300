"""Builds the CPython guest: `python build.py OUT.wasm`.

Nothing is done when OUT.wasm.digest says that OUT.wasm was made from the same inputs. Two builds of the same inputs
do not give the same bytes: each has its own secret for string hashes, and whoever knows one knows nothing of another.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCES = (HERE / "guest.wit", *sorted((HERE / "_brane").glob("*.py")))


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
    print(f"{out.name}: built in {time.monotonic() - started:.0f} s, {out.stat().st_size / 1e6:.1f} MB")
    return 0


def input_digest() -> str:
    """SHA-256 over everything that decides what comes out."""
    digest = hashlib.sha256(importlib.metadata.version("componentize-py").encode())
    for source in (Path(__file__), *SOURCES):
        digest.update(b"\0" + source.name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def build(out: Path) -> None:
    """Componentize a copy of the sources, since the guest can write where it is loaded from."""
    import componentize_py

    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        path, beside = Path(scratch) / "path", Path(scratch) / out.name
        shutil.copytree(HERE / "_brane", path / "_brane", ignore=shutil.ignore_patterns("__pycache__"))
        # The function and not the command, which adds the site-packages of an active environment.
        componentize_py.componentize(
            wit_path=[str(HERE / "guest.wit")],
            worlds=["guest"],
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
