"""WebAssembly/wasi-testsuite in branes, and beside it in wasmtime.

`scripts/conformance DIR` runs the prebuilt preview-1 programs of a copy of that suite (branch `prod/testsuite-base`)
in a brane and as the same adapted component in PyPI's wasmtime. A program may say in a JSON file beside it what it gets
and what is expected: `args`, `env`, `root` (what its root directory holds at first), `stdout`, `exit_code`. Every run
has a root of its own. Prints a table, or JSON with `--json`; the exit code is 1 if branes pass fewer than wasmtime, 2
if there is no suite.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import branes
from branes.errors import BranesError
from branes.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 30
HERE = Path(__file__).parent
Found = tuple[int, bytes, bytes]  # exit code, standard output, standard error


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A program of the suite.

    Attributes:
        name: the language that it was written in, and its own.
        path: where it is.
        root: what is in its root directory at first, if it gets one.
    """

    name: str
    path: Path
    args: list[str]
    env: dict[str, str]
    root: Path | None
    stdout: str | None
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a program; a reason is empty where it passed."""

    test: str
    branes: str
    wasmtime: str


def cases(suite: Path) -> Iterator[Case]:
    """The programs, by name."""
    for path in sorted(suite.glob("tests/*/testsuite/wasm32-wasip1/*.wasm")):
        beside = path.with_suffix(".json")
        told: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {}
        unknown = told.keys() - {"root", "args", "env", "stdout", "exit_code"}
        if unknown:
            raise SystemExit(f"{beside}: does not say what {', '.join(unknown)} means")
        yield Case(
            name=f"{path.parts[-4]}/{path.stem}",
            path=path,
            args=told.get("args", []),
            env=told.get("env", {}),
            root=path.parent / told["root"] if "root" in told else None,
            stdout=told.get("stdout"),
            exit_code=told.get("exit_code", 0),
        )


def reason(case: Case, found: Found) -> str:
    """Why it did not pass; empty if it did."""
    code, stdout, stderr = found
    if code != case.exit_code:
        said = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
        told = next((line for line in said if "panicked" not in line and not line.startswith("note:")), "")
        return escape(f"exit code {code}, expected {case.exit_code}: {told}")[:160]
    if case.stdout is not None and stdout != case.stdout.encode():
        return f"printed {escape(stdout.decode(errors='replace'))[:60]!r}, expected {case.stdout[:60]!r}"
    return ""


def in_a_brane(case: Case) -> str:
    """What comes of it in a brane."""
    scratch = {"/": case.root} if case.root else {}
    try:
        done = branes.run(case.path, case.args, env=case.env, scratch=scratch, timeout=SECONDS)
    except BranesError as error:
        told = error.completed.stderr if error.completed else b""
        return reason(case, (-1, b"", str(error).encode() + b" " + told))
    return reason(case, (done.exit_code, done.stdout, done.stderr))


def in_wasmtime(case: Case, work: Path) -> str:
    """What comes of the same component in wasmtime, in a process that can be killed."""
    component, root = work / "component.wasm", work / "root"
    with case.path.open("rb") as module, component.open("wb") as out:
        subprocess.run([os.environ["BRANES_ADAPT"]], stdin=module, stdout=out, check=True)
    if case.root:
        shutil.copytree(case.root, root, symlinks=True)
    asked = {"component": str(component), "argv": [case.path.name, *case.args], "env": list(case.env.items())}
    asked |= {"root": str(root) if case.root else None}
    command = [sys.executable, HERE / "wasmtime_run.py", json.dumps(asked)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    return reason(case, (done.returncode, done.stdout, done.stderr))


def run(case: Case) -> Row:
    """One line of the table."""
    with tempfile.TemporaryDirectory() as work:
        return Row(test=case.name, branes=in_a_brane(case), wasmtime=in_wasmtime(case, Path(work)))


def print_table(rows: list[Row]) -> None:
    """The table, its sums, and the reasons."""
    width = max(len(row.test) for row in rows)
    print(f"{'test':{width}}  branes  wasmtime")
    for row in rows:
        print(f"{row.test:{width}}  {'fail' if row.branes else 'pass':6}  {'fail' if row.wasmtime else 'pass'}")
    print(f"{len(rows)} tests: branes pass {passed(rows, 'branes')}, wasmtime passes {passed(rows, 'wasmtime')}")
    for row in rows:
        for who, why in (("branes", row.branes), ("wasmtime", row.wasmtime)):
            if why:
                print(f"{row.test} in {who}: {why}")


def passed(rows: list[Row], who: str) -> int:
    """How many tests `who` passed."""
    return sum(not getattr(row, who) for row in rows)


def main() -> int:
    """Run the suite that the command line names."""
    parser = argparse.ArgumentParser(description="wasi-testsuite in branes, beside wasmtime")
    parser.add_argument("suite", type=Path, help="a copy of WebAssembly/wasi-testsuite, branch prod/testsuite-base")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--only", default="", help="run tests whose name has this in it")
    asked = parser.parse_args()
    rows = [run(case) for case in cases(asked.suite) if asked.only in case.name]
    if not rows:
        print(f"{asked.suite}: expected tests/*/testsuite/wasm32-wasip1/*.wasm there, found none", file=sys.stderr)
        return 2
    counts = {who: passed(rows, who) for who in ("branes", "wasmtime")}
    if asked.json:
        print(json.dumps({"tests": len(rows), "passed": counts, "rows": [asdict(row) for row in rows]}, indent=2))
    else:
        print_table(rows)
    return int(counts["branes"] < counts["wasmtime"])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="branes-") as state:
        os.environ["BRANES_STATE"] = state
        sys.exit(main())
