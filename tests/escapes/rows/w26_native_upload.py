"""W26: hand in native code as a program: an ELF executable, or what this very compiler makes."""

import os
from collections.abc import Callable

import branes
from escapes import binary
from escapes.canaries import Nonce
from escapes.harness import Guest, Row, Run, language
from escapes.lab import Bare, Ended, Lab, bare, program


def executable(_lab: Lab) -> bytes:
    return program().read_bytes()


def precompiled(lab: Lab) -> bytes:
    artifact = lab.runtime.artifact(lambda: binary.MODULE, lambda _done, _total: None)
    return os.pread(artifact.memfd, os.fstat(artifact.memfd).st_size, 0)


def upload(code: Callable[[Lab], bytes]) -> Run:
    return Run(code, lambda lab, _canary: lab.guest(lambda: branes.run(code(lab))))


def run_executable(_lab: Lab, canary: Nonce) -> Bare:
    return bare(["won", "exec", canary.nonce])


def run_precompiled(lab: Lab, _canary: Nonce) -> Ended:
    """From its source, by way of the same native code."""
    return lab.guest(lambda: branes.run(binary.MODULE))


class Either(Nonce):
    """The executable writes its nonce, the module its word."""

    def touched(self, outcome: Ended | Bare, *, wait: bool) -> bool:
        return super().touched(outcome, wait=wait) or b"canary" in outcome.output


REJECTED = language("component.rejected", "bad-input", before_start=True, kind="precompiled")

ROW = Row(
    id="W26",
    title="native code as a program",
    layers=("language",),
    canary=Either,
    attempts=(
        Guest(name="elf", expected=REJECTED, run=upload(executable), without=Run(executable, run_executable)),
        Guest(
            name="precompiled",
            expected=REJECTED,
            run=upload(precompiled),
            without=Run(binary.MODULE, run_precompiled),
            differs="native code comes from the compiler alone; the same code, by way of its source",
        ),
    ),
)
