"""Whatever is done to a log, but to its end, is found, and the line is named."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from branes.audit import GENESIS, Event, Head, MalformedError, Stamp, check, decode, encode, extend, resume

COUNT = 7
STAMP = Stamp(wall="2026-01-02T03:04:05.000006Z", boot=1)


if TYPE_CHECKING:
    from collections.abc import Callable

    from branes.audit import Line


@dataclass(frozen=True)
class Deed:
    """A log after something was done to it, and where and how that is to be named."""

    lines: list[bytes]
    at: int
    reasons: frozenset[str]


def place(lines: list[bytes], size: int = 3) -> list[Line]:
    """Spread lines over files of `size`, as rotation does."""
    return [(f"{index // size + 1:06d}.jsonl", index % size + 1, line) for index, line in enumerate(lines)]


def named(deed: Deed) -> None:
    placed = place(deed.lines)
    checked = check(placed)
    fault = checked.fault
    assert fault is not None
    assert (fault.file, fault.line) == placed[deed.at][:2]
    assert fault.reason in deed.reasons
    # What is called sound ends before the line that is not.
    assert checked.head == check(placed[: deed.at]).head


def forge(true: list[bytes], index: int, seq: int) -> bytes:
    """Make a line that fits behind the first `index` lines."""
    prev = hashlib.sha256(true[index - 1]).hexdigest() if index else GENESIS.digest
    event = Event(run="forged", plan="", layer="host", event="run.exited")
    return encode(event, seq, STAMP.wall, STAMP.boot, prev)


def split(content: bytes) -> list[bytes]:
    """Take a file apart as a reader does; a newline more or less moves the end of a line."""
    pieces = content.split(b"\n")
    return [piece + b"\n" for piece in pieces[:-1]] + ([pieces[-1]] if pieces[-1] else [])


def test_a_chain_starts_at_one_with_zeros_before_it(lines: Callable[[int], list[bytes]]) -> None:
    first, second = (decode(line) for line in lines(2))
    assert (first.seq, first.prev) == (1, "0" * 64)
    assert (second.seq, second.prev) == (2, hashlib.sha256(lines(2)[0]).hexdigest())


def test_extend_returns_what_the_lines_say(event: Callable[..., Event]) -> None:
    data, head, records = extend(Head(seq=41, digest="ab" * 32), [event(1), event(2)], lambda: STAMP)
    assert [decode(line) for line in data.splitlines(keepends=True)] == list(records)
    assert head == Head(seq=43, digest=records[-1].digest)


def test_extend_by_nothing_changes_nothing() -> None:
    assert extend(GENESIS, [], lambda: STAMP) == (b"", GENESIS, ())


@pytest.mark.parametrize("count", range(4))
def test_a_chain_goes_on_where_it_ended(lines: Callable[[int], list[bytes]], count: int) -> None:
    assert resume(lines(count)[-2:]) == check(place(lines(count))).head


def test_a_chain_does_not_go_on_after_a_line_out_of_place(lines: Callable[[int], list[bytes]]) -> None:
    first, second, third = lines(3)
    for ends in ([second], [first, third], [third, second], [first, first]):
        with pytest.raises(MalformedError):
            resume(ends)


@pytest.mark.parametrize("count", [0, 1, 2, COUNT])
def test_a_sound_log_has_no_fault(lines: Callable[[int], list[bytes]], count: int) -> None:
    checked = check(place(lines(count)))
    assert checked.fault is None
    assert checked.head.seq == count


@given(data=st.data())
@settings(deadline=None, max_examples=600)
def test_a_changed_byte_is_found_in_its_line(lines: Callable[[int], list[bytes]], data: st.DataObject) -> None:
    true = lines(COUNT)
    index = data.draw(st.integers(0, COUNT - 2))
    line = true[index]
    at = data.draw(st.integers(0, len(line) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != line[at]))
    changed = line[:at] + bytes([byte]) + line[at + 1 :]
    spoiled = [*true[:index], changed, *true[index + 1 :]]
    placed = [
        (f"{number + 1:06d}.jsonl", row, piece)
        for number in range(3)
        for row, piece in enumerate(split(b"".join(spoiled[3 * number : 3 * number + 3])), 1)
    ]
    fault = check(placed).fault
    assert fault is not None
    assert (fault.file, fault.line) == (f"{index // 3 + 1:06d}.jsonl", index % 3 + 1)
    assert fault.reason in {"changed", "malformed", "torn"}


@given(field=st.sampled_from(["run", "wall", "boot", "tried", "seq", "prev"]), index=st.integers(0, COUNT - 2))
@settings(deadline=None)
def test_a_well_made_change_is_found_in_its_line(lines: Callable[[int], list[bytes]], field: str, index: int) -> None:
    true = lines(COUNT)
    old, new = {
        "run": (b'"run":"run-', b'"run":"ruin-'),
        "wall": (b"2026", b"2025"),
        "boot": (b'"boot":', b'"boot":1'),
        "tried": (b"connect", b"accept"),
        "seq": (b'"seq":', b'"seq":1'),
        "prev": (decode(true[index]).prev.encode(), b"ef" * 32),
    }[field]
    changed = true[index].replace(old, new)
    decode(changed)
    named(Deed([*true[:index], changed, *true[index + 1 :]], index, frozenset({"changed"})))


@given(index=st.integers(0, COUNT - 2), count=st.integers(1, COUNT))
@settings(deadline=None)
def test_missing_lines_are_found_at_the_line_after_them(
    lines: Callable[[int], list[bytes]], index: int, count: int
) -> None:
    true = lines(COUNT)
    left = [*true[:index], *true[index + min(count, COUNT - 1 - index) :]]
    named(Deed(left, index, frozenset({"missing"})))


@given(pair=st.lists(st.integers(0, COUNT - 1), min_size=2, max_size=2, unique=True))
@settings(deadline=None)
def test_two_swapped_lines_are_found_at_the_first(lines: Callable[[int], list[bytes]], pair: list[int]) -> None:
    swapped = lines(COUNT)
    one, two = pair
    swapped[one], swapped[two] = swapped[two], swapped[one]
    named(Deed(swapped, min(pair), frozenset({"swapped"})))


def test_two_swapped_files_are_found(lines: Callable[[int], list[bytes]]) -> None:
    true = lines(9)
    named(Deed([*true[3:6], *true[:3], *true[6:]], 0, frozenset({"swapped"})))


@given(source=st.integers(0, COUNT - 1), at=st.integers(0, COUNT))
@settings(deadline=None)
def test_a_copied_line_is_found(lines: Callable[[int], list[bytes]], source: int, at: int) -> None:
    true = lines(COUNT)
    # Before or behind the original is the same file; the second of the two is the copy.
    where = at + 1 if at == source else at
    named(Deed([*true[:at], true[source], *true[at:]], where, frozenset({"inserted"})))


@given(at=st.integers(0, COUNT - 2))
@settings(deadline=None)
def test_a_forged_line_that_fits_before_a_true_one_is_found(lines: Callable[[int], list[bytes]], at: int) -> None:
    true = lines(COUNT)
    named(Deed([*true[:at], forge(true, at, at + 1), *true[at:]], at, frozenset({"inserted"})))


@given(at=st.integers(0, COUNT - 1))
@settings(deadline=None)
def test_a_forged_line_that_fits_behind_a_true_one_is_found(lines: Callable[[int], list[bytes]], at: int) -> None:
    true = lines(COUNT)
    rival = [*true[: at + 1], forge(true, at, at + 1), *true[at + 1 :]]
    named(Deed(rival, at + 1, frozenset({"inserted"})))


@given(at=st.integers(0, COUNT - 1), seq=st.integers(1, 20))
@settings(deadline=None)
def test_a_forged_line_with_any_seq_is_found(lines: Callable[[int], list[bytes]], at: int, seq: int) -> None:
    true = lines(COUNT)
    forged = forge(true, at, seq)
    # Fitting before the last line, it is told from that line by nothing; either is named.
    where = at if seq != at + 1 or at < COUNT - 1 else at + 1
    named(Deed([*true[:at], forged, *true[at:]], where, frozenset({"inserted"})))


@given(at=st.integers(0, COUNT - 2), source=st.integers(0, COUNT - 1))
@settings(deadline=None)
def test_a_line_put_over_another_is_found(lines: Callable[[int], list[bytes]], at: int, source: int) -> None:
    assume(at != source)
    true = lines(COUNT)
    over = [*true[:at], true[source], *true[at + 1 :]]
    named(Deed(over, at, frozenset({"changed", "inserted", "swapped"})))


@given(junk=st.binary(min_size=1, max_size=50).filter(lambda data: b"\n" not in data), at=st.integers(0, COUNT))
@settings(deadline=None)
def test_a_line_that_is_no_record_is_found(lines: Callable[[int], list[bytes]], junk: bytes, at: int) -> None:
    true = lines(COUNT)
    named(Deed([*true[:at], junk + b"\n", *true[at:]], at, frozenset({"malformed"})))


def test_an_end_without_a_newline_is_torn(lines: Callable[[int], list[bytes]]) -> None:
    true = lines(COUNT)
    named(Deed([*true[:-1], true[-1][:-1]], COUNT - 1, frozenset({"torn"})))


def test_the_records_before_the_fault_are_counted_and_their_head_is_given(
    lines: Callable[[int], list[bytes]],
) -> None:
    true = lines(COUNT)
    checked = check(place([*true[:3], *true[4:]]))
    assert checked.head == check(place(true[:3])).head


def test_only_a_head_kept_elsewhere_tells_that_the_end_was_cut(lines: Callable[[int], list[bytes]]) -> None:
    true, cut = check(place(lines(COUNT))), check(place(lines(COUNT)[:-1]))
    assert cut.fault is None
    assert cut.head != true.head


def test_what_is_said_of_a_fault_quotes_no_record(lines: Callable[[int], list[bytes]]) -> None:
    true = lines(COUNT)
    for spoiled in ([true[1], true[0], *true[2:]], true[1:], [true[0], *true], [b"evil\n", *true]):
        fault = check(place(spoiled)).fault
        assert fault is not None
        assert not any(word in fault.detail for word in ("evil", "run-", "connect"))
