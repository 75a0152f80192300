"""The matrix: rows are data, one file each in `rows/`; here is what is done with every one of them.

For each attempt of a row: in the cage it is *blocked* (its fate is the expected one), *recorded* (the log has the
denial with layer, rule and what was tried, under the run's id and plan, and is sound), and the canary is *untouched*.
With the layer off, the same payload touches the canary: the control, without which the row would prove nothing. Where
an attempt has no control, or one with another payload, it says why; `test_rows.py` asks for it.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyseccomp

import branes
from branes.errors import Refused
from branes.limits import Limits
from escapes.canaries import Nonce
from escapes.lab import Bare, Ended, Lab, bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from branes.audit import Record

ROWS: Final = Path(__file__).parent / "rows"
GUESTS: Final = Path(__file__).parent / "guests"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What stops an attempt, and what the log says of it.

    Attributes:
        layer: the layer that must stop it.
        rule: the rule, as the caller's error names it; "" where the error names none.
        event: the record's event.
        kind: `kind` of the error that the caller gets; "" where the guest goes on.
        tried: what the record must hold in `tried`, at least.
        args: the first arguments of the system call, as the record has them.
        done: what it must hold in `done`, at least.
        before_start: whether nothing may run at all.
    """

    layer: str
    rule: str
    event: str
    kind: str
    tried: Mapping[str, object] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    done: Mapping[str, object] = field(default_factory=dict)
    before_start: bool = False


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
        no_control="a number that is only tried: its arguments do nothing, and have no effect that could be seen",
    )


def language(event: str, kind: str = "", /, *, rule: str = "", before_start: bool = False, **tried: object) -> Expected:
    """Layer 1 refuses."""
    return Expected(layer="language", rule=rule, event=event, kind=kind, tried=tried, before_start=before_start)


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
        no_control: why it need not touch the canary when nothing stops it: it has no effect of its own, or none that
            an ordinary user may have. Another attempt of the row must. "" where it must itself.
        stage: what the control is given first (`crates/brane-attacks/src/bare.rs`).
        limits: of the brane.
    """

    name: str
    expected: Expected
    payload: str = ""
    words: tuple[str, ...] = ()
    no_control: str = ""
    stage: str = "none"
    limits: Limits = field(default_factory=Limits)

    def attack(self, lab: Lab, row: Row, canary: Nonce) -> Ended:
        """The attempt in the cage."""
        return lab.caged(self._words(row, canary), limits=self.limits, path=canary.program)

    def control(self, lab: Lab, row: Row, canary: Nonce) -> Bare:  # noqa: ARG002 -- a guest's needs the lab
        """The same without a cage."""
        return bare(self._words(row, canary), stage=self.stage, path=canary.program, **canary.options)

    def _words(self, row: Row, canary: Nonce) -> list[str]:
        payload = self.payload or row.id.lower()
        return [payload, self.name, canary.nonce, *(word.format(**canary.values) for word in self.words)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """One attempt of a guest, by the public interface.

    Attributes:
        name: to tell it from the row's others.
        expected: what stops it; None where there is nothing to stop, and nothing to find.
        run: the attempt.
        without: the same guest with the interface granted, or the limit above what it asks for.
        differs: why the control has another payload, where the layer cannot be taken away from this one; otherwise "".
    """

    name: str
    expected: Expected | None
    run: Run
    without: Run
    differs: str = ""
    no_control: str = ""

    def attack(self, lab: Lab, row: Row, canary: Nonce) -> Ended:  # noqa: ARG002 -- a native one is the row's
        """The attempt."""
        return self.run(lab, canary)

    def control(self, lab: Lab, row: Row, canary: Nonce) -> Ended | Bare:  # noqa: ARG002
        """The same with the layer off."""
        return self.without(lab, canary)


@dataclass(frozen=True, slots=True)
class Run:
    """What an attempt of a guest, or its control, does.

    Attributes:
        payload: what runs, and what it is fed: what an attempt and its control have in common.
        do: runs it.
    """

    payload: object
    do: Callable[[Lab, Nonce], Ended | Bare]

    def __call__(self, lab: Lab, canary: Nonce) -> Any:
        """What came of it: `Ended`, or `Bare` for a control that needs no cage."""
        return self.do(lab, canary)


def guest(file: str, *, stdin: bytes = b"", **asks: Any) -> Run:
    """A run of `guests/FILE`."""
    return Run((file, stdin), lambda lab, _canary: lab.guest(lambda: branes.run(GUESTS / file, stdin=stdin, **asks)))


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
    attempts: tuple[Attempt, ...]
    canary: type[Nonce] = Nonce


Attempt = Native | Guest


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


def attempts() -> Iterator[tuple[Row, Attempt]]:
    """Every attempt of every row."""
    for row in rows():
        for attempt in row.attempts:
            yield row, attempt


def check_blocked(ended: Ended, expected: Expected) -> None:
    """It ended as it must, and whoever ran it is told why."""
    kind = "" if ended.fate is None else ended.fate.kind
    assert kind == expected.kind, f"{ended.fate!r}, exit code {ended.exit_code}, output {ended.output!r}"
    told = list(ended.fate.refusals) if isinstance(ended.fate, Refused) else list(ended.denials)
    if expected.rule:
        assert {(each.layer, each.rule) for each in told} == {(expected.layer, expected.rule)}


def check_recorded(ended: Ended, expected: Expected) -> None:
    """The log has it, once, with layer, rule and what was tried, under the run's id and plan, and is sound."""
    assert ended.verify().first_fault is None
    found = [record for record in ended.records if record.event == expected.event]
    assert len(found) == 1, f"{expected.event} is not once among {[record.event for record in ended.records]}"
    (record,) = found
    assert record.layer == expected.layer
    assert {name: record.tried.get(name) for name in expected.tried} == dict(expected.tried)
    assert {name: record.done.get(name) for name in expected.done} == dict(expected.done)
    assert tuple(record.tried.get("args", ()))[: len(expected.args)] == expected.args  # type: ignore[arg-type]
    if expected.before_start:
        assert len(ended.records) == 1, "nothing ran"
    else:
        check_run(ended, record)


def check_run(ended: Ended, record: Record) -> None:
    """All records are of one run and one plan, and its end is the last."""
    assert {(each.run, each.plan) for each in ended.records} == {(record.run, record.plan)}
    assert record.run
    assert record.plan.startswith("sha256:")
    assert [each.event for each in ended.records].count("run.ended") == 1
    assert ended.records[-1].event == "run.ended"
