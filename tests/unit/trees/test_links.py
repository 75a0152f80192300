"""A symlink stays inside as it is written and as it is followed, or it leads out."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes.trees.links import leading_out


@pytest.mark.parametrize(
    "links",
    [
        {"l": "a"},
        {"l": "."},
        {"l": "a/../b"},
        {"d/l": ".."},
        {"d/l": "../x"},
        {"d/l": "./../e/./f//"},
        {"l": "missing/x/../../y"},
        {"a": "b", "b": "a"},
        {"l": "l"},
        {"deep": "x/y/z", "l": "deep/.."},
    ],
)
def test_these_stay_inside(links: dict[str, str]) -> None:
    assert list(leading_out(links)) == []


@pytest.mark.parametrize(
    ("links", "out"),
    [
        ({"l": "/"}, ["l"]),
        ({"l": "/etc/passwd"}, ["l"]),
        ({"l": ".."}, ["l"]),
        ({"l": "../tree/a"}, ["l"]),
        ({"d/l": "../../x"}, ["d/l"]),
        ({"l": "a/../../x"}, ["l"]),
        # As it is written it stays inside, as it is followed it does not.
        ({"d/e/up": "../..", "l": "d/e/up/../x"}, ["l"]),
        ({"d/here": "..", "d/l": "here/../x"}, ["d/l"]),
        # As it is followed it stays inside, as it is written it does not.
        ({"deep": "x/y/z", "l": "deep/../../x"}, ["l"]),
        # Through another that leads out.
        ({"a": "/etc", "l": "a/passwd"}, ["a", "l"]),
        ({"missing": "x", "l": "missing/../.."}, ["l"]),
    ],
)
def test_these_lead_out(links: dict[str, str], out: list[str]) -> None:
    assert sorted(leading_out(links)) == out


def test_a_chain_is_followed_as_far_as_the_kernel_would() -> None:
    chain = {f"d/{number}": str(number + 1) for number in range(39)} | {"d/39": "../d/.."}
    assert list(leading_out(chain)) == []
    assert list(leading_out(chain | {"l": "d/1/../../x"})) == ["l"]


def test_work_without_end_leads_out_in_bounded_time() -> None:
    links = {f"l{number}": "x/../" * 800 + f"l{number + 1}" for number in range(20_000)}
    start = time.monotonic()
    assert sum(1 for _ in leading_out(links)) > 1000
    assert time.monotonic() - start < 60


STEPS = st.sampled_from(["a", "b", "c", "..", "."])
TARGETS = st.lists(STEPS, min_size=1, max_size=6).map("/".join)
PLACES = st.sampled_from([f"{folder}{name}" for folder in ("", "a/", "a/b/") for name in ("x", "y", "z", "c")])


@given(st.dictionaries(PLACES, TARGETS, max_size=6))
def test_what_is_called_inside_the_kernel_finds_inside(links: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve() / "out" / "root"
        (root / "a/b").mkdir(parents=True)
        for path, target in links.items():
            (root / path).symlink_to(target)
        out = set(leading_out(links))
        for path in links.keys() - out:
            try:
                found = os.path.realpath(root / path, strict=True)
            except OSError:
                continue
            assert Path(found).is_relative_to(root)
