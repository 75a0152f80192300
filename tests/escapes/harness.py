"""The matrix: rows are data, one file each in `rows/`; here is what is done with every one of them.

For each attempt of a row: in the cage it is *blocked* (its fate is the expected one), *recorded* (the log has the
denial with layer, rule and what was tried, under the run's id and plan, and is sound), and the canary is *untouched*.
With the layer off, the same payload touches the canary: the control, without which the row would prove nothing.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyseccomp

from branes.errors import Refused
from branes.limits import Limits
from escapes.canaries import Nonce
from escapes.lab import Bare, Caged, Lab, bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROWS: Final = Path(__file__).parent / "rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What stops an attempt, and what the log says of it.

    Attributes:
        layer: the layer that must stop it.
        rule: the rule, as the caller's error names it; "" where the error names none.
        event: the record's event.
        kind: `kind` of the error that the caller gets.
        tried: what the record must hold in `tried`, at least.
        args: the first arguments of the system call, as the record has them.
        done: what it must hold in `done`, at least.
    """

    layer: str
    rule: str
    event: str
    kind: str
    tried: Mapping[str, object] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    done: Mapping[str, object] = field(default_factory=dict)


def number_of(syscall: str) -> int:
    """The number of a system call on this machine."""
    return int(pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, syscall))


def denied(syscall: str, *args: int) -> Expected:
    """The filter refuses a system call: recorded, and the brane killed."""
    return Expected(
        layer="process",
        rule="seccomp",
        event="seccomp.denied",
        kind="escape",
        tried={"syscall": syscall, "number": number_of(syscall)},
        args=tuple(f"{arg:#x}" for arg in args),
        done={"killed": True},
    )


def call(syscall: str, *args: int) -> Native:
    """A system call by its number, in the cage only: it is not to do anything, but to be tried."""
    unsigned = tuple(arg % (1 << 64) for arg in args)
    return Native(
        name="-".join(["call", syscall, *(f"{arg:x}" for arg in unsigned[:3])]),
        payload="call",
        words=tuple(str(word) for word in (number_of(syscall), *unsigned)),
        expected=denied(syscall, *unsigned),
        control=False,
    )


def limited(limit: str, kind: str = "limit") -> Expected:
    """A limit is reached: recorded, and the brane killed."""
    return Expected(layer="process", rule="", event=f"limit.{limit}", kind=kind, done={"killed": True})


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """One attempt of native code in the worker's place.

    Attributes:
        name: the payload's attempt.
        payload: the payload, where it is not the row's own.
        words: further words, filled in from the canary's values.
        expected: what stops it.
        control: whether it must touch the canary when nothing stops it. Where it is not, another attempt of the row is:
            this one has no effect of its own, or none that an ordinary user may have.
        stage: what the control is given first (`crates/brane-attacks/src/bare.rs`).
        limits: of the brane.
    """

    name: str
    expected: Expected
    payload: str = ""
    words: tuple[str, ...] = ()
    control: bool = True
    stage: str = "none"
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the matrix.

    Attributes:
        id: its id in the catalogue.
        title: what is tried.
        layers: the layers that each stop it alone, of those that exist.
        attempts: the ways in which it is tried.
        canary: what a success would touch.
    """

    id: str
    title: str
    layers: tuple[str, ...]
    attempts: tuple[Native, ...]
    canary: type[Nonce] = Nonce

    def words(self, attempt: Native, canary: Nonce) -> list[str]:
        """Words of the payload."""
        payload = attempt.payload or self.id.lower()
        return [payload, attempt.name, canary.nonce, *(word.format(**canary.values) for word in attempt.words)]


@cache
def rows() -> tuple[Row, ...]:
    """Every row there is, by file name."""
    return tuple(_load(path) for path in sorted(ROWS.glob("*.py")))


def _load(path: Path) -> Row:
    spec = importlib.util.spec_from_file_location(f"escapes.rows.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    row: Row = module.ROW
    assert path.stem.startswith(f"{row.id.lower()}_"), f"{path.name} holds row {row.id}"
    return row


def attempts() -> Iterator[tuple[Row, Native]]:
    """Every attempt of every row."""
    for row in rows():
        for attempt in row.attempts:
            yield row, attempt


def run_caged(lab: Lab, row: Row, attempt: Native, canary: Nonce) -> Caged:
    """The attempt in the cage."""
    return lab.caged(row.words(attempt, canary), limits=attempt.limits, path=canary.program)


def run_bare(row: Row, attempt: Native, canary: Nonce) -> Bare:
    """The attempt without a cage."""
    return bare(row.words(attempt, canary), stage=attempt.stage, path=canary.program, **canary.options)


def check_blocked(caged: Caged, expected: Expected) -> None:
    """It ended as it must, and whoever ran it is told why."""
    assert caged.fate is not None, f"it ended with exit code {caged.exit_code} and {caged.output!r}"
    assert caged.fate.kind == expected.kind, f"got {caged.fate.kind}: {caged.fate}"
    if isinstance(caged.fate, Refused) and expected.rule:
        assert [(r.layer, r.rule) for r in caged.fate.refusals] == [(expected.layer, expected.rule)]
    assert caged.died is not None


def check_recorded(caged: Caged, expected: Expected) -> None:
    """The log has it, once, with layer, rule and what was tried, and is sound."""
    assert caged.verdict.ok, caged.verdict.first_fault
    assert {record.plan for record in caged.records} == {caged.plan}
    found = [record for record in caged.records if record.event == expected.event]
    assert len(found) == 1, f"{expected.event} is not among {[record.event for record in caged.records]}"
    (record,) = found
    assert record.layer == expected.layer
    assert {name: record.tried.get(name) for name in expected.tried} == dict(expected.tried)
    assert {name: record.done.get(name) for name in expected.done} == dict(expected.done)
    assert tuple(record.tried.get("args", ()))[: len(expected.args)] == expected.args  # type: ignore[arg-type]
    assert [record.event for record in caged.records].count("run.ended") == 1
    assert caged.records[-1].event == "run.ended"
