"""Attempts on files, as Python code that runs twice: in a brane with /data and /scratch, and with no brane at all.

The control is the same code on this machine, in folders that stand where the brane's directories do. Code is given
`data` (may be read, with `a.txt` in it) and `scratch` (may be written); beside both is `secret`, which is outside. It
prints the nonce if it gets there.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import branes
from escapes.harness import Guest, Run, language
from escapes.lab import Bare

if TYPE_CHECKING:
    from pathlib import Path

    from escapes.canaries import Nonce
    from escapes.lab import Ended, Lab


def attempt(name: str, code: str, function: str) -> Guest:
    """One attempt.

    Args:
        name: to tell it from the row's others.
        code: what is tried; raises OSError where it is refused.
        function: of `wasi:filesystem/types`, as its record has it.
    """

    def attack(lab: Lab, canary: Nonce) -> Ended:
        def run() -> branes.Completed:
            with branes.python(files={"a.txt": b"content"}) as python:
                return python.run(written(code, "/data", "/scratch", canary))

        return lab.guest(run)

    def control(_lab: Lab, canary: Nonce) -> Bare:
        data, scratch = folders(canary.folder)
        command = [sys.executable, "-c", written(code, str(data), str(scratch), canary)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        return Bare(code=done.returncode, dumped=False, output=done.stdout, errors=done.stderr)

    expected = language("wasi.denied", rule="file-denied", function=f"[method]descriptor.{function}")
    return Guest(name=name, expected=expected, run=Run(code, attack), without=Run(code, control))


def written(code: str, data: str, scratch: str, canary: Nonce) -> str:
    """`code` with its names, and what it prints once it has done what it tried."""
    lines = [
        f"import os; data, scratch = {data!r}, {scratch!r}",
        "try:",
        *(f"    {line}" for line in code.strip().splitlines()),
        f"    print({canary.nonce!r})",
        "except OSError as error:",
        "    print(error)",
    ]
    return "\n".join(lines)


def folders(folder: Path) -> tuple[Path, Path]:
    """What stands for the brane's directories, and something outside of them."""
    data, scratch = folder / "data", folder / "scratch"
    for made in (data, scratch):
        made.mkdir()
    (data / "a.txt").write_bytes(b"content")
    (folder / "secret").write_bytes(b"outside")
    return data, scratch
