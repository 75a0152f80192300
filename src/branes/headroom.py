"""How much memory one compilation may take: of what this machine has left, not of what it might have.

The rule is pure (`cap`); reading `/proc` and the cgroups is apart from it (`room`). What cannot be read does not lower
the cap: it is a bound of courtesy towards the rest of the machine, and never above `MOST`, which holds always.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Bytes that no compilation gets more than.
MOST: Final = 4 << 30
#: Bytes that every compilation gets: the Python guest, which ships, needs 340 MiB.
LEAST: Final = 512 << 20
#: Where cgroups of version 1 and 2 are mounted (cgroups(7)).
_CGROUPS: Final = Path("/sys/fs/cgroup")


def cap(room: int) -> int:
    """Bytes for one compilation on a machine with so many to give: half of them, within `LEAST` and `MOST`. Pure."""
    return max(LEAST, min(MOST, room // 2))


def room(proc: Path = Path("/proc"), cgroups: Path = _CGROUPS) -> int:
    """Bytes that this process could still be given.

    What the kernel calls available (proc(5), MemAvailable), or the lowest limit of the cgroups that this process is in
    where one is lower.
    """
    return min([available(_read(proc / "meminfo")), *_limits(_read(proc / "self" / "cgroup"), cgroups)])


def available(meminfo: str) -> int:
    """MemAvailable of `/proc/meminfo` in bytes; twice `MOST` where it is not there. Pure."""
    for line in meminfo.splitlines():
        name, _, value = line.partition(":")
        if name == "MemAvailable" and value.split()[:1] and value.split()[0].isdecimal():
            return int(value.split()[0]) << 10
    return 2 * MOST


def limit_files(own: str) -> Iterator[str]:
    """Where limits of memory stand below the mount of cgroups, given `/proc/self/cgroup`. Pure.

    A limit of any ancestor holds as well. In a container the path may be one of the host's, of which only the root is
    there to see.
    """
    for line in own.splitlines():
        _, *rest = line.split(":", 2)
        if len(rest) != 2:
            continue
        controllers, path = rest
        names = [name for name in path.split("/") if name not in {"", ".", ".."}]
        above = ["/".join(names[:depth]) for depth in range(len(names) + 1)]
        if controllers == "":
            yield from (f"{folder}/memory.max" for folder in above)
        elif "memory" in controllers.split(","):
            yield from (f"memory/{folder}/memory.limit_in_bytes" for folder in above)


def _limits(own: str, cgroups: Path) -> Iterator[int]:
    """The limits that are set: version 2 says "max" where there is none, version 1 a number that no machine has."""
    for name in limit_files(own):
        text = _read(cgroups / name.lstrip("/")).strip()
        if text.isdecimal():
            yield int(text)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
