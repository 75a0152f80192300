"""The owner's side of a compiler in its jail: watched until it is dead, whatever it closes. The process is real."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from branes import compiling, errors, headroom, wire
from branes.audit import AuditLog, tail
from branes.jailed import Jailed
from branes.layers import process
from branes.spawn import Filters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SEEN = process.Enforced(status={}, namespaces={}, descriptors={}, root=(), uid=0)
DIED = {"code": 0, "signal": 0, "user_us": 0, "system_us": 0, "max_rss_kib": 0}


@pytest.fixture
def collect(tmp_path: Path) -> Iterator[Callable[..., bytes]]:
    """Collects the answer of a process that lives, says `answer`, closes its streams, and may be said to have died."""
    with contextlib.ExitStack() as closing:
        child = closing.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE))
        pairs = [os.pipe() for _ in range(6)]
        for descriptor in {number for pair in pairs for number in pair} - {pairs[0][1], pairs[1][1]}:
            closing.callback(os.close, descriptor)
        (answer, answers), (messages, says), (status, statuses), *others = pairs
        pidfd = os.pidfd_open(child.pid)
        closing.callback(os.close, pidfd)
        known = {"pid": child.pid, "pidfd": pidfd, "enforced": SEEN, "status": status, "listener": others[0][0]}
        jailed = Jailed(**dict.fromkeys((field.name for field in fields(Jailed)), 1 << 40) | known)  # type: ignore[arg-type]
        filters, log = Filters(first=b"", second=b""), AuditLog(tmp_path / "audit")

        def run(said: bytes, died: dict[str, int] | None, memory: int = headroom.MOST) -> bytes:
            os.write(answers, said)
            os.close(answers)
            os.close(says)
            if died is not None:
                os.write(statuses, wire.frame(wire.pack(died)))
            jail = compiling.Jail(filters=filters, log=log, digest="0" * 64, memory=memory)
            return jail._collect(jailed, answer, messages, lambda _done, _total: None)

        yield run


def test_an_answer_is_whole_once_its_stream_is_closed_and_its_process_is_dead(collect: Callable[..., bytes]) -> None:
    assert collect(b"an answer", DIED) == b"an answer"


def test_a_compiler_that_closes_its_output_and_lives_on_meets_its_time_limit(
    collect: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiling, "SECONDS", 0.2)
    with pytest.raises(errors.LimitExceeded, match="took more than"):
        collect(b"an answer", None)
    assert [record.event for record in tail(tmp_path / "audit", 10)] == ["limit.time"]


@pytest.mark.parametrize(
    ("memory", "hint"), [(headroom.LEAST, "memory limit of the cgroup"), (headroom.MOST, "build it smaller")]
)
def test_a_compiler_out_of_memory_meets_its_limit_which_is_named_with_the_way_out(
    collect: Callable[..., bytes], tmp_path: Path, memory: int, hint: str
) -> None:
    with pytest.raises(errors.LimitExceeded, match=str(memory)) as caught:
        collect(b"", DIED | {"code": 71}, memory)
    assert caught.value.limit == "memory"
    assert hint in caught.value.hint
    assert [record.event for record in tail(tmp_path / "audit", 10)] == ["limit.memory"]
