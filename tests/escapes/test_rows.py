"""Every attempt of the matrix is blocked, recorded and without effect, and has its effect without the layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from escapes import harness

if TYPE_CHECKING:
    from pathlib import Path

    from escapes.harness import Native, Row
    from escapes.lab import Lab

ALL = [pytest.param(row, attempt, id=f"{row.id}-{attempt.name}") for row, attempt in harness.attempts()]
CONTROLS = [parameter for parameter in ALL if parameter.values[1].control]


@pytest.mark.parametrize(("row", "attempt"), ALL)
def test_the_attempt_is_blocked_and_recorded_and_the_canary_untouched(
    lab: Lab, tmp_path: Path, row: Row, attempt: Native
) -> None:
    with row.canary(tmp_path) as canary:
        caged = harness.run_caged(lab, row, attempt, canary)
        harness.check_blocked(caged, attempt.expected)
        harness.check_recorded(caged, attempt.expected)
        assert not canary.touched(caged, wait=False)
        assert canary.nonce.encode() not in caged.output


@pytest.mark.parametrize(("row", "attempt"), CONTROLS)
def test_with_the_layer_off_the_same_payload_touches_the_canary(tmp_path: Path, row: Row, attempt: Native) -> None:
    with row.canary(tmp_path) as canary:
        bare = harness.run_bare(row, attempt, canary)
        assert canary.touched(bare, wait=True), f"exit code {bare.code}: {bare.errors.decode()}"


def test_every_row_has_a_control() -> None:
    assert [row.id for row in harness.rows() if not any(attempt.control for attempt in row.attempts)] == []
