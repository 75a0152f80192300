from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from branes import ids
from branes.errors import HostFault

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(ids, "_LOCKS", tmp_path / "ids")
    return tmp_path / "ids"


def privileged(count: int) -> ids.Ids:
    return ids.Ids(uid_map="", gid_map="", privileged=True, _free=list(range(count, 0, -1)))


def test_an_ordinary_owner_has_one_id_for_all_of_its_branes() -> None:
    ours = ids.Ids(uid_map="0 1000 1\n", gid_map="0 1000 1\n", privileged=False)
    assert [ours.take(), ours.take()] == [0, 0]
    ours.give_back(0)
    ours.close()


def test_each_brane_of_a_privileged_owner_has_an_id_of_its_own() -> None:
    block = privileged(3)
    assert {block.take(), block.take(), block.take()} == {1, 2, 3}
    with pytest.raises(HostFault, match="brane ids of this template are in use"):
        block.take()


def test_an_id_that_was_given_back_is_used_again_as_late_as_possible() -> None:
    block = privileged(3)
    first = block.take()
    block.give_back(first)
    assert [block.take(), block.take(), block.take()] == [2, 3, first]


WHOLE = "         0          0 4294967295\n"
ABLE = "Name:\tbrane\nCapEff:\t00000000000000c0\n"


def test_root_with_the_private_range_and_the_right_to_use_it_is_privileged() -> None:
    assert ids.why_ordinary(0, WHOLE, WHOLE, status=ABLE) == ""
    exactly = f"0 1000 1\n{ids.FIRST} 5 {ids.LAST - ids.FIRST + 1}\n"
    assert ids.why_ordinary(0, exactly, exactly, status=ABLE) == ""


@pytest.mark.parametrize(
    ("user", "uid_map", "gid_map", "status", "why"),
    [
        (1000, WHOLE, WHOLE, ABLE, "no root"),
        (0, "0 1000 1\n", WHOLE, ABLE, "has no ids from"),
        (0, WHOLE, "0 1000 1\n1 100000 65536\n", ABLE, "has no ids from"),
        (0, f"0 0 {ids.LAST}\n", WHOLE, ABLE, "has no ids from"),
        (0, f"{ids.FIRST + 1} 0 {2**31}\n", WHOLE, ABLE, "has no ids from"),
        (0, "", "", ABLE, "has no ids from"),
        (0, WHOLE, WHOLE, "Name:\tbrane\nCapEff:\t0000000000000080\n", "lacks CAP_SETUID or CAP_SETGID"),
        (0, WHOLE, WHOLE, "Name:\tbrane\nCapEff:\t0000000000000040\n", "lacks CAP_SETUID or CAP_SETGID"),
        (0, WHOLE, WHOLE, "", "lacks CAP_SETUID or CAP_SETGID"),
    ],
)
def test_who_cannot_give_ids_away_is_an_ordinary_owner(
    user: int, uid_map: str, gid_map: str, status: str, why: str
) -> None:
    assert why in ids.why_ordinary(user, uid_map, gid_map, status=status)


def test_a_map_covers_this_user_alone_or_a_block_far_from_others(locks: Path) -> None:
    ours = ids.allocate()
    try:
        inside, outside, size = (int(word) for word in ours.uid_map.split())
        if ours.privileged:
            assert os.geteuid() == 0
            assert locks.is_dir()
            assert (inside, size) == (0, ids.BLOCK)
            assert outside >= ids.FIRST
            assert outside + size < 2**32 - 1
            assert 0 not in ours._free
        else:
            assert (inside, outside, size) == (0, os.geteuid(), 1)
    finally:
        ours.close()


def test_blocks_in_use_are_passed_over_and_free_ones_come_again(locks: Path) -> None:
    first, number = ids._lock_block()
    second, other = ids._lock_block()
    assert (number, other) == (0, 1)
    os.close(first)
    third, again = ids._lock_block()
    assert again == 0
    os.close(second)
    os.close(third)
    assert sorted(path.name for path in locks.iterdir()) == ["0", "1"]


def test_a_lock_is_private_and_not_inherited(locks: Path) -> None:
    lock, _ = ids._lock_block()
    try:
        assert os.fstat(lock).st_mode & 0o777 == 0o600
        assert fcntl.fcntl(lock, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        assert locks.stat().st_mode & 0o777 == 0o700
    finally:
        os.close(lock)


def test_a_lock_that_is_a_link_is_refused(locks: Path) -> None:
    locks.mkdir()
    (locks / "0").symlink_to(locks / "elsewhere")
    with pytest.raises(HostFault, match="no block of ids can be taken"):
        ids._lock_block()
    assert not (locks / "elsewhere").exists()


def test_when_all_blocks_are_in_use_there_is_no_template(locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_BLOCKS", 1)
    lock, _ = ids._lock_block()
    try:
        with pytest.raises(HostFault, match="all 1 blocks of ids are in use"):
            ids._lock_block()
    finally:
        os.close(lock)
    assert locks.is_dir()
