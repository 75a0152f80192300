from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes.text import escape, escape_lines


@given(st.text(st.characters(exclude_categories=())))
def test_escaped_text_is_one_line_that_a_terminal_shows_as_it_is(text: str) -> None:
    assert escape(text).isprintable()


@given(st.text(st.characters(exclude_categories=())))
def test_escaped_lines_keep_line_ends_and_tabs_and_nothing_else(text: str) -> None:
    shown = escape_lines(text)
    assert shown.replace("\n", "").replace("\t", "").isprintable()
    assert shown.count("\n") == text.count("\n")


@given(st.text().filter(str.isprintable))
def test_printable_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == escape_lines(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\rb\n", r"a\rb\n"),
        ("\x9b1m", r"\x9b1m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\u2066\u200b", r"\u2066\u200b"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("naïve ✓", "naïve ✓"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text: str, shown: str) -> None:
    assert escape(text) == shown
