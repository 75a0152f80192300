"""Every attempt of the matrix is blocked, recorded and without effect, and has its effect without the layer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from escapes import harness

if TYPE_CHECKING:
    from pathlib import Path

    from escapes.harness import Attempt, Row
    from escapes.lab import Lab

ALL = [pytest.param(row, attempt, id=f"{row.id}-{attempt.name}") for row, attempt in harness.attempts()]
CONTROLS = [parameter for parameter in ALL if not parameter.values[1].no_control]
# fmt: off
DUE = [
    "W01", "W02", "W05", "W08", "W09", "W10", "W11", "W12", "W14", "W16", "W17", "W20", "W22", "W24", "W25", "W26",
    "N01", "N02", "N05", "N06", "N08", "N09", "N10", "N11", "N13", "N14",
    "S01", "S03", "S04", "S05", "S06", "S11", "S12", "S13", "S14", "S16",
    "R02", "R05", "R06", "R08",
]
# fmt: on


@pytest.mark.parametrize(("row", "attempt"), ALL)
def test_the_attempt_is_blocked_and_recorded_and_the_canary_untouched(
    lab: Lab, tmp_path: Path, row: Row, attempt: Attempt
) -> None:
    with row.canary(tmp_path) as canary:
        ended = attempt.attack(lab, row, canary)
        if attempt.expected is None:
            assert ended.fate is None
            assert ended.verify().ok
        else:
            harness.check_blocked(ended, attempt.expected)
            harness.check_recorded(ended, attempt.expected)
        assert not canary.touched(ended, wait=False)
        assert canary.nonce.encode() not in ended.output


@pytest.mark.parametrize(("row", "attempt"), CONTROLS)
def test_with_the_layer_off_the_same_payload_touches_the_canary(
    lab: Lab, tmp_path: Path, row: Row, attempt: Attempt
) -> None:
    with row.canary(tmp_path) as canary:
        outcome = attempt.control(lab, row, canary)
        assert canary.touched(outcome, wait=True), f"{outcome}"


def test_every_row_that_is_due_is_there_once() -> None:
    assert sorted(row.id for row in harness.rows()) == sorted(DUE)


def test_every_row_has_a_control() -> None:
    assert [row.id for row in harness.rows() if all(attempt.no_control for attempt in row.attempts)] == []


def test_an_attempt_without_a_control_says_why() -> None:
    reasons = {attempt.no_control for _, attempt in harness.attempts()} - {""}
    assert reasons
    assert [reason for reason in reasons if len(reason.split()) < 5] == []


def test_a_control_has_the_payload_of_its_attempt_or_says_why_not() -> None:
    for row, attempt in harness.attempts():
        # Of native code one payload makes both (`Native._words`); a guest has two runs, which must be of the same.
        if isinstance(attempt, harness.Guest):
            assert (attempt.run.payload != attempt.without.payload) == bool(attempt.differs), f"{row.id} {attempt.name}"
            assert attempt.run is not attempt.without


def test_native_code_is_attacked_and_controlled_with_the_same_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[list[str]] = []
    monkeypatch.setattr(harness, "bare", lambda words, **_: said.append(words))
    lab: Any = SimpleNamespace(caged=lambda words, **_: said.append(words))
    native = [(row, attempt) for row, attempt in harness.attempts() if isinstance(attempt, harness.Native)]
    for number, (row, attempt) in enumerate(native):
        (tmp_path / str(number)).mkdir()
        with row.canary(tmp_path / str(number)) as canary:
            attempt.attack(lab, row, canary)
            attempt.control(lab, row, canary)
            attack, control = said[-2:]
            assert attack == control
            assert attack[2] == canary.nonce
    assert len(said) == 2 * len(native)


def test_every_layer_of_a_row_is_tried() -> None:
    for row in harness.rows():
        tried = {attempt.expected.layer for attempt in row.attempts if attempt.expected}
        # Where nothing is recorded, because nothing was tried, there is no layer to see.
        assert not tried - {"host"} or tried - {"host"} == set(row.layers), row.id
