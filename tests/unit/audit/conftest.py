"""A log in memory, made by the code itself with a clock that stands still between ticks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from branes.audit import GENESIS, Event, Stamp, extend

if TYPE_CHECKING:
    from collections.abc import Callable


def _event(number: int = 1) -> Event:
    return Event(
        run=f"run-{number}",
        plan="sha256:" + "ab" * 32,
        layer="process",
        event="seccomp.denied",
        tried={"syscall": "connect", "args": [number, 2**63, "x\ny"]},
        done={"action": "killed"},
    )


def _lines(count: int) -> list[bytes]:
    ticks = itertools.count(1)
    data, _head, _records = extend(
        GENESIS,
        [_event(number) for number in range(1, count + 1)],
        lambda: Stamp(wall="2026-01-02T03:04:05.000006Z", boot=next(ticks)),
    )
    return data.splitlines(keepends=True)


@pytest.fixture(scope="session")
def event() -> Callable[..., Event]:
    return _event


@pytest.fixture(scope="session")
def lines() -> Callable[[int], list[bytes]]:
    return _lines
