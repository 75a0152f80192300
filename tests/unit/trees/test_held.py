"""A descriptor is held from its first moment until it is closed."""

from __future__ import annotations

import os

import pytest

from branes.trees.held import Held


@pytest.mark.usefixtures("no_leak")
def test_what_is_held_is_closed_last_in_first_out() -> None:
    held = Held()
    assert held.last() is None
    first, second = held.add(os.open, "/", os.O_RDONLY), held.add(os.open, "/", os.O_RDONLY)
    assert held.last() == second
    held.drop()
    assert held.last() == first
    os.fstat(first)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(second)
    held.close()
    held.close()
    assert held.last() is None


@pytest.mark.usefixtures("no_leak")
def test_the_end_of_its_block_and_the_end_of_its_life_close_it() -> None:
    with Held() as held:
        held.add(os.open, "/", os.O_RDONLY)
        held.add(os.open, "etc", os.O_RDONLY, dir_fd=held.last())
    Held().add(os.open, "/", os.O_RDONLY)


@pytest.mark.usefixtures("no_leak")
def test_what_cannot_be_opened_is_not_held() -> None:
    with Held() as held:
        with pytest.raises(FileNotFoundError):
            held.add(os.open, "/nowhere/at/all", os.O_RDONLY)
        assert held.last() is None
