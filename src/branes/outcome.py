"""What a run comes to, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was used.

    Attributes:
        wall: seconds from the beginning of the call to its end.
        user: seconds of processor time in user mode, known once the brane ended.
        system: likewise in the kernel.
        max_rss: largest resident set in bytes, likewise.
    """

    wall: float
    user: float = 0.0
    system: float = 0.0
    max_rss: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Died:
    """How a brane's process ended, as its template saw it (wait4(2)).

    Attributes:
        code: exit code, or 0 when a signal ended it.
        signal: that signal, or 0.
        user: seconds of processor time in user mode.
        system: likewise in the kernel.
        max_rss: largest resident set in bytes.
    """

    code: int
    signal: int
    user: float
    system: float
    max_rss: int


def usage_of(wall: float, died: Died | None) -> Usage:
    """What was used in `wall` seconds, with the rest where the process has ended."""
    if died is None:
        return Usage(wall=wall)
    return Usage(wall=wall, user=died.user, system=died.system, max_rss=died.max_rss)


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
        usage: what it used.
        denials: what it was refused.
        run: the id under which the audit log has it.
    """

    exit_code: int
    stdout: bytes
    stderr: bytes
    usage: Usage
    denials: tuple[Denial, ...]
    run: str
