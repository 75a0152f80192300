"""Which host ids a template and its branes run under.

An ordinary owner has one id, its own, and every brane of it runs under that. A privileged owner takes a block of a
private range for each template, held by a lock that the kernel releases with the process, and gives each brane an id
of its own. Privileged is who may give these ids away: root of a user namespace that does not have them is not.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from branes.errors import HostFault

#: The first host id of the private range: above what systemd and subuid(5) hand out.
FIRST: Final = 1_879_048_192
#: Ids of one block: the template's, and those of as many branes less one.
BLOCK: Final = 1024
_BLOCKS: Final = 4096
_LOCKS: Final = Path("/run/branes/ids")
#: The last id of the private range.
LAST: Final = FIRST + _BLOCKS * BLOCK - 1
#: CAP_SETGID and CAP_SETUID (linux/capability.h), as bits.
_NEEDED: Final = 1 << 6 | 1 << 7


@dataclass(slots=True)
class Ids:
    """The ids of one template.

    Attributes:
        uid_map: what to write to /proc/PID/uid_map.
        gid_map: likewise.
        privileged: whether branes get ids of their own, and supplementary groups can be dropped.
    """

    uid_map: str
    gid_map: str
    privileged: bool
    _lock: int = -1
    _free: list[int] = field(default_factory=list)

    def take(self) -> int:
        """An id for one brane, as the template's namespace numbers it.

        Raises:
            HostFault: all are in use.
        """
        if not self.privileged:
            return 0
        if not self._free:
            raise HostFault(f"all {BLOCK - 1} brane ids of this template are in use", hint="close branes first")
        return self._free.pop()

    def give_back(self, number: int) -> None:
        """Return an id that no process has any more."""
        if self.privileged:
            self._free.insert(0, number)

    def close(self) -> None:
        """Release the block."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def allocate() -> Ids:
    """The ids for one template.

    Raises:
        HostFault: no block is free, or the locks cannot be made.
    """
    own = Path("/proc/self")
    try:
        maps = (own / "uid_map").read_text(), (own / "gid_map").read_text()
        privileged = why_ordinary(os.geteuid(), *maps, status=(own / "status").read_text(errors="replace")) == ""
    except OSError as error:
        raise HostFault(f"it cannot be read which ids may be used: {error}", hint="run `brane doctor`") from error
    if not privileged:
        return Ids(uid_map=f"0 {os.geteuid()} 1\n", gid_map=f"0 {os.getegid()} 1\n", privileged=False)
    lock, block = _lock_block()
    one_map = f"0 {FIRST + block * BLOCK} {BLOCK}\n"
    return Ids(uid_map=one_map, gid_map=one_map, privileged=True, _lock=lock, _free=list(range(BLOCK - 1, 0, -1)))


def why_ordinary(user: int, *maps: str, status: str) -> str:
    """Why an owner has but one id to give to its branes; "" if it is privileged.

    Args:
        user: its effective user.
        maps: its user namespace's uid_map and gid_map (user_namespaces(7)).
        status: its /proc/PID/status.
    """
    if user != 0:
        return "this is no root"
    for one in maps:
        ranges = [tuple(map(int, line.split())) for line in one.splitlines()]
        if not any(start <= FIRST and start + count > LAST for start, _, count in ranges):
            return f"the user namespace of this root has no ids from {FIRST} to {LAST}"
    effective = status.partition("\nCapEff:")[2].split(maxsplit=1)[:1]
    if not effective or int(effective[0], 16) & _NEEDED != _NEEDED:
        return "this root lacks CAP_SETUID or CAP_SETGID"
    return ""


def _lock_block() -> tuple[int, int]:
    try:
        _LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
        for block in range(_BLOCKS):
            descriptor = os.open(_LOCKS / str(block), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor, block
    except OSError as error:
        raise HostFault(f"no block of ids can be taken: {error}", hint=f"{_LOCKS} must be writable by root") from error
    raise HostFault(f"all {_BLOCKS} blocks of ids are in use")
