"""S01: every system call number, in a fresh brane each. What comes through is exactly what the policy file says.

The expectation is made from the policy's own text: a number that no rule names is notified, recorded with that number,
and its brane killed. A number that a rule names returns, or does what it is for. Where a rule compares arguments, each
argument is also tried with values beside the allowed ones, which must be notified.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from branes.layers import process
from escapes.harness import number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from escapes.lab import Ended, Lab

NUMBERS = range(1024)
BAD = (1 << 64) - 1
ABOVE = 1 << 32
RULES = {rule["syscall"]: rule.get("args", []) for rule in json.loads(process.policy_text("brane"))["rules"]}

#: Arguments with which a call that is allowed does nothing, or fails at once. Pointers are null, or 1.
HARMLESS = {
    "read": (3, 0, 0),
    "write": (4, 0, 0),
    "close": (0,),
    "ppoll": (0, 0, 1, 0, 0),
    "mmap": (0, 0, 3, 0x22, BAD, 0),
    "mprotect": (1, 4096, 3),
    "munmap": (1, 4096),
    "mremap": (1, 4096, 8192, 0),
    "madvise": (1, 4096, 4),
    "brk": (0,),
    "getrandom": (1, 8, 0),
    "clock_gettime": (BAD, 0),
    "clock_getres": (BAD, 0),
    "rt_sigreturn": (),
    "exit_group": (7,),
}
#: How these end, which return nothing: exit code and signal.
ENDS = {"exit_group": (7, 0), "rt_sigreturn": (0, 11)}
#: uretprobe(2) and uprobe(2) of x86_64 never reach a filter since Linux 6.14: they are for probes that the kernel
#: placed itself, and without one the first is SIGILL and the second ENXIO.
PASSED = {335: "silent, code 0 signal 4", 336: "returned, code 1 signal 0"}
#: Arguments beside the allowed ones: position, and values that must not come through.
BESIDE = {
    "read": {0: (0, 1, 2, 4, 5, ABOVE | 3, BAD)},
    "write": {0: (0, 1, 2, 3, 5, ABOVE | 4, BAD)},
    "close": {0: (1, 3, 4, 5, ABOVE, BAD)},
    "mmap": {2: (4, 5, 6, 7, ABOVE | 4), 3: (0x21, 0x23, 0x122, 0x01, 0x100)},
    "mprotect": {2: (0, 1, 2, 4, 5, 6, 7, 0x01000003, 0x02000003, ABOVE | 3)},
}


@dataclass(frozen=True, slots=True)
class Try:
    """One system call, and whether the policy lets it through."""

    number: int
    name: str
    args: tuple[int, ...]
    allowed: bool


def tries() -> Iterator[Try]:
    """Every number once, and those with compared arguments once for each value beside."""
    allowed = {number_of(name): name for name in RULES}
    for number in NUMBERS:
        name = allowed.get(number)
        if name is None:
            yield Try(number, process.syscall_name(0xC000003E, number), (BAD,) * 6, allowed=False)
            continue
        yield Try(number, name, HARMLESS[name], allowed=True)
        for position, values in BESIDE.get(name, {}).items():
            for value in values:
                args = list(HARMLESS[name])
                args[position] = value
                yield Try(number, name, tuple(args), allowed=False)


def observed(ended: Ended, tried: Try) -> str:
    """What came of it, in one line."""
    assert ended.died is not None
    end = f"code {ended.died.code} signal {ended.died.signal}"
    notified = [record for record in ended.records if record.event == "seccomp.denied"]
    if notified:
        (record,) = notified
        args = [f"{arg:#x}" for arg in tried.args]
        right = record.tried["number"] == tried.number and list(record.tried["args"])[: len(args)] == args  # type: ignore[call-overload]
        return f"denied, recorded {'right' if right else 'wrong'}, {record.tried['syscall']}, {end}"
    returned = b"returned" in ended.output
    return f"{'returned' if returned else 'silent'}, {end}"


def expected(tried: Try) -> set[str]:
    if not tried.allowed:
        return {f"denied, recorded right, {tried.name}, code 0 signal 9", PASSED.get(tried.number, "")}
    if tried.name in ENDS:
        code, signal = ENDS[tried.name]
        return {f"silent, code {code} signal {signal}"}
    # The payload ends with 0 or 1, as the harmless call succeeded or failed.
    return {"returned, code 0 signal 0", "returned, code 1 signal 0"}


@pytest.mark.timeout(300)
def test_what_comes_through_is_exactly_what_the_policy_says(lab: Lab) -> None:
    wrong = []
    for tried in tries():
        words = ["call", "sweep", "nonce", str(tried.number), *(str(arg) for arg in tried.args)]
        ended = lab.caged(words)
        seen = observed(ended, tried)
        if seen not in expected(tried):
            wrong.append(f"{tried}: {seen}")
    assert not wrong, "\n".join(wrong)
    assert lab.verify().ok


def test_every_rule_is_tried_on_both_of_its_sides() -> None:
    assert HARMLESS.keys() >= RULES.keys()
    compared = {name: {position for position, *_ in args} for name, args in RULES.items() if args}
    assert {name: set(positions) for name, positions in BESIDE.items()} == compared
