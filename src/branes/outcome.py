"""What a run comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a call used: what its brane had used at the end of the call, less what it had at the end of the one before.

    The first call's share has the start of the brane in it. While the brane lives the sum of `user` and `system` is
    exact, and `system` counts whole ticks of 10 ms (proc(5), stat); of a brane that ended both are exact (wait4(2)).
    None says that nobody saw: the brane was gone before it could be looked at, and its template with it.

    Attributes:
        wall: seconds from the beginning of the call to its end.
        user: seconds of processor time in user mode.
        system: likewise in the kernel.
        max_rss: largest resident set in bytes, over the whole life of the brane until then.
    """

    wall: float
    user: float | None = None
    system: float | None = None
    max_rss: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a brane has used since it was forked.

    Attributes:
        user: seconds of processor time in user mode.
        system: likewise in the kernel.
        max_rss: largest resident set in bytes.
    """

    user: float = 0.0
    system: float = 0.0
    max_rss: int = 0


_NOTHING: Final = Used()


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """How a brane's process ended, as its template saw it (wait4(2)), unless that died itself.

    Attributes:
        code: exit code, or 0 when a signal ended it.
        signal: that signal, or 0.
        user: seconds of processor time in user mode; None if nobody knows.
        system: likewise in the kernel.
        max_rss: largest resident set in bytes, likewise.
    """

    code: int
    signal: int
    user: float | None = None
    system: float | None = None
    max_rss: int | None = None


def usage_of(wall: float, used: Used | Died | None, before: Used | None = _NOTHING) -> Usage:
    """What was used in `wall` seconds.

    Args:
        wall: seconds.
        used: what is known at their end; None if nothing is.
        before: what was known at their beginning, likewise.
    """
    if used is None or used.user is None or used.system is None:
        return Usage(wall=wall)
    if before is None:
        return Usage(wall=wall, max_rss=used.max_rss)
    # The whole is exact; what of it is the system's is not while the brane lives.
    total = max(used.user + used.system - before.user - before.system, 0.0)
    system = min(max(used.system - before.system, 0.0), total)
    return Usage(wall=wall, user=total - system, system=system, max_rss=used.max_rss)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """One thing that was refused while the guest ran.

    Attributes:
        layer: which layer refused it.
        rule: which of its rules.
        tried: what was tried; the guest's words, hostile text.
        seq: number of its record in the audit log.
    """

    layer: str
    rule: str
    tried: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A call that came to its end.

    Attributes:
        exit_code: the guest's own.
        stdout: what it wrote, unless the caller took it as it came.
        stderr: likewise.
        usage: what the call used.
        denials: what was refused during the call.
        run: the id under which the audit log has it.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    usage: Usage
    denials: tuple[Denial, ...]
    run: str
