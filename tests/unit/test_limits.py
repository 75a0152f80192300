from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import limits
from branes.errors import UsageError

UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
MOST = 1 << 46


@given(st.integers(1, MOST))
def test_a_size_survives_being_written_as_a_number_and_as_text(size: int) -> None:
    assert limits.size(size) == limits.size(f"{size}") == limits.size(f"{size}B") == limits.size(f" {size} B ") == size


@given(st.integers(1, 1 << 16), st.sampled_from(list(UNITS)))
def test_a_size_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert limits.size(f"{number}{unit}") == number * UNITS[unit]


@given(st.integers(1, 365 * 86400))
def test_a_duration_survives_being_written_as_a_number_and_as_text(milliseconds: int) -> None:
    seconds = limits.duration(milliseconds / 1000)
    assert seconds == milliseconds / 1000
    assert limits.duration(f"{milliseconds}ms") == pytest.approx(seconds)
    assert limits.duration(f"{milliseconds}s") == milliseconds


def test_units_have_the_value_that_their_names_say() -> None:
    assert limits.size("1.5KiB") == 1536
    assert limits.size("256MiB") == 268_435_456
    assert limits.duration("500ms") == 0.5
    assert limits.duration("5m") == 300.0


@pytest.mark.parametrize(
    "text", ["", "MiB", "-1", "1e3", "1kb", "1KB", "1 MB", "0x10", "1_000", "٣", "1KiB1", "1,5MiB", "nan", "inf", "\0"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not understood"):
        limits.size(text)


@pytest.mark.parametrize("text", ["", "s", "1", "-1s", "1h", "1S", "1e3s", "٣s", "nan", "1 s s", "1s\n2s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not understood"):
        limits.duration(text)


@pytest.mark.parametrize("value", [0, -1, MOST + 1, "0", "0MiB", "0.0001B", "999999GiB"])
def test_a_size_of_nothing_or_too_much_is_refused(value: str | int) -> None:
    with pytest.raises(UsageError, match="out of range"):
        limits.size(value)


@pytest.mark.parametrize("value", [0, -0.5, math.nan, math.inf, 1e12, "0s", "9999999m"])
def test_a_duration_of_nothing_or_too_much_is_refused(value: str | float) -> None:
    with pytest.raises(UsageError, match="out of range"):
        limits.duration(value)


@given(st.text())
def test_any_text_is_a_size_and_a_duration_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert 0 < limits.size(text) <= MOST
    with contextlib.suppress(UsageError):
        assert limits.duration(text) > 0


def test_what_is_quoted_of_bad_text_is_safe_to_show() -> None:
    for read in (limits.size, limits.duration):
        with pytest.raises(UsageError, match=r"'\\x1b\[2J\\u202e' is not understood"):
            read("\x1b[2J\u202e")


@pytest.mark.parametrize(
    ("text", "instead"),
    [("64M", "64MiB"), ("64MB", "64MiB"), ("1G", "1GiB"), ("1GB", "1GiB"), ("512k", "512KiB"), ("1.5 mib", "1.5MiB")],
)
def test_a_unit_that_means_two_things_is_refused_with_the_one_to_write(text: str, instead: str) -> None:
    with pytest.raises(UsageError, match="is not understood") as caught:
        limits.size(text)
    assert caught.value.hint == f"write {instead}"
    assert limits.size(instead) > 0


@pytest.mark.parametrize("text", ["64T", "64 pies", "MiB"])
def test_no_unit_is_made_up_for_what_has_none(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        limits.size(text)
    assert caught.value.hint == "write it like 512KiB, 256MiB or 1GiB"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (1, "1 bytes"),
        (1000, "1000 bytes"),
        (1024, "1 KiB"),
        (64 << 20, "64 MiB"),
        (1 << 30, "1 GiB"),
        (3 << 29, "1.5 GiB"),
        (10_000_000, "9.537 MiB"),
    ],
)
def test_a_size_is_told_in_the_units_that_people_write(size: int, words: str) -> None:
    assert limits.size_in_words(size) == words


@given(st.integers(1, 1 << 16), st.sampled_from(["KiB", "MiB", "GiB"]))
def test_a_size_that_was_written_is_told_so_that_it_means_the_same(number: int, unit: str) -> None:
    size = limits.size(f"{number}{unit}")
    assert limits.size(limits.size_in_words(size)) == pytest.approx(size, rel=1e-3)
