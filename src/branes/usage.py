"""What a living brane has used, from the kernel's own books. About 25 us a look.

The process is known by its number here, which is somebody else's once it has ended; so what was read counts only if the
brane's pidfd says, after the reading, that it still lives.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from branes import _kernel
from branes.outcome import Used

if TYPE_CHECKING:
    from branes.jailed import Jailed

_TICK: Final = os.sysconf("SC_CLK_TCK")
_SYSTEM: Final = 12  # field 15 of proc(5), stat, counted behind the name, which may hold anything
_PEAK: Final = b"VmHWM:"
_CPUCLOCK_SCHED: Final = 2  # linux/posix-timers.h, as clock_getcpuclockid(3) has it
_READ: Final = 8192


def used(jailed: Jailed) -> Used | None:
    """What a brane has used since it was forked; None if it has ended, or cannot be looked at."""
    try:
        total = time.clock_gettime_ns(~jailed.pid << 3 | _CPUCLOCK_SCHED) / 1e9
        system = int(_read(jailed.pid, "stat").rpartition(b")")[2].split()[_SYSTEM]) / _TICK
        peak = int(_read(jailed.pid, "status").partition(_PEAK)[2].split(None, 1)[0]) << 10
    except (OSError, ValueError, IndexError):
        return None
    if _kernel.readable([jailed.pidfd], 0):
        return None
    # In ticks, rounded down: what is left of the whole is the user's.
    system = min(system, total)
    return Used(user=total - system, system=system, max_rss=peak)


def _read(pid: int, name: str) -> bytes:
    descriptor = os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _READ)
    finally:
        os.close(descriptor)
