"""How much of a machine one compilation may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import headroom

if TYPE_CHECKING:
    from pathlib import Path

GIB = 1 << 30
MEMINFO = "MemTotal:       24684084 kB\nMemFree:         1167468 kB\nMemAvailable:    6291456 kB\n"


@given(st.integers(min_value=0, max_value=1 << 50))
def test_a_compilation_gets_half_of_what_there_is_within_two_bounds(room: int) -> None:
    got = headroom.cap(room)
    assert headroom.LEAST <= got <= headroom.MOST
    assert got == room // 2 or got in {headroom.LEAST, headroom.MOST}
    assert got <= room // 2 or got == headroom.LEAST


@pytest.mark.parametrize(("room", "most"), [(0, 512 << 20), (6 * GIB, 3 * GIB), (64 * GIB, 4 * GIB)])
def test_a_small_machine_gives_less_and_a_large_one_no_more_than_the_most(room: int, most: int) -> None:
    assert headroom.cap(room) == most


def test_available_memory_is_read_as_the_kernel_writes_it() -> None:
    assert headroom.available(MEMINFO) == 6 * GIB


@pytest.mark.parametrize("text", ["", "MemAvailable:", "MemAvailable: many kB", "MemTotal: 1 kB", "\0\n:::"])
def test_what_cannot_be_read_leaves_the_most(text: str) -> None:
    assert headroom.cap(headroom.available(text)) == headroom.MOST


@pytest.mark.parametrize(
    ("own", "files"),
    [
        ("0::/", ["/memory.max"]),
        ("0::/a/b\n", ["/memory.max", "a/memory.max", "a/b/memory.max"]),
        ("0::/../..\n", ["/memory.max"]),
        ("4:memory:/a\n", ["memory//memory.limit_in_bytes", "memory/a/memory.limit_in_bytes"]),
        ("4:cpu,memory:/\n1:cpu:/x\n", ["memory//memory.limit_in_bytes"]),
        ("nonsense\n", []),
    ],
)
def test_the_limit_of_every_cgroup_above_counts_and_nothing_outside_is_read(own: str, files: list[str]) -> None:
    assert list(headroom.limit_files(own)) == files


@pytest.fixture
def machine(tmp_path: Path) -> tuple[Path, Path]:
    """Folders in place of /proc and /sys/fs/cgroup: 6 GiB available, in the cgroup a/b."""
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (cgroups / "a" / "b").mkdir(parents=True)
    (proc / "meminfo").write_text(MEMINFO)
    (proc / "self" / "cgroup").write_text("0::/a/b\n")
    return proc, cgroups


@pytest.mark.parametrize(
    ("limits", "room"),
    [
        ({}, 6 * GIB),
        ({"a/memory.max": "max"}, 6 * GIB),
        ({"a/memory.max": str(2 * GIB), "a/b/memory.max": "max"}, 2 * GIB),
        ({"a/memory.max": str(2 * GIB), "a/b/memory.max": str(GIB)}, GIB),
        ({"memory.max": str(GIB)}, GIB),
        ({"a/memory.max": str(99 * GIB)}, 6 * GIB),
        ({"a/memory.max": "many"}, 6 * GIB),
    ],
)
def test_the_lowest_limit_holds(machine: tuple[Path, Path], limits: dict[str, str], room: int) -> None:
    proc, cgroups = machine
    for name, text in limits.items():
        (cgroups / name).write_text(f"{text}\n")
    assert headroom.room(proc, cgroups) == room


def test_a_limit_of_version_1_holds_too(machine: tuple[Path, Path]) -> None:
    proc, cgroups = machine
    (proc / "self" / "cgroup").write_text("4:memory:/host/only\n0::/\n")
    (cgroups / "memory").mkdir()
    (cgroups / "memory" / "memory.limit_in_bytes").write_text(f"{GIB}\n")
    assert headroom.room(proc, cgroups) == GIB


def test_a_machine_that_shows_nothing_gives_the_most(tmp_path: Path) -> None:
    assert headroom.cap(headroom.room(tmp_path, tmp_path)) == headroom.MOST


def test_this_machine_has_something() -> None:
    assert headroom.room() > 0
