"""W22, widened: whatever is done to a program's bytes, the answer is one of the documented ones, and never a crash."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import branes
from branes.errors import GuestFault, InputError, LimitExceeded, Refused
from escapes import binary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from escapes.lab import Lab

ROUNDS = 60
COMPONENT = binary.component(binary.MODULE)


def broken() -> Iterator[bytes]:
    chance = random.Random(22)
    for _ in range(ROUNDS):
        program = bytearray(chance.choice((binary.MODULE, COMPONENT)))
        for _ in range(chance.randrange(1, 4)):
            program[chance.randrange(8, len(program))] = chance.randrange(256)
        yield bytes(program[: chance.randrange(9, len(program))] if chance.random() < 0.3 else program)


def test_every_broken_program_has_an_answer(lab: Lab) -> None:
    answers = set()
    for program in broken():
        ended = lab.guest(lambda program=program: branes.run(program, timeout=2))  # type: ignore[misc]
        assert ended.fate is None or isinstance(ended.fate, InputError | Refused | GuestFault | LimitExceeded), ended
        assert "seccomp.denied" not in {record.event for record in ended.records}
        answers.add(type(ended.fate))
    assert InputError in answers
    assert lab.verify().ok
