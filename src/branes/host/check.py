"""What a probe says, and the two ways in which probes find out: a file of the kernel, a child that tries."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

#: What to do about a container that forbids something.
UNCONFINE: Final = (
    "where this is a container: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined, "
    "or --cap-add SYS_ADMIN; in Kubernetes: seccompProfile and appArmorProfile Unconfined"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What one probe found.

    Attributes:
        name: what was looked at.
        ok: whether it is as a Standard brane needs it.
        detail: what was seen.
        hint: what to do about it, or "".
        required: whether there is no run without it.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    required: bool = True


def in_child(step: Callable[[], int]) -> int:
    """The errno, or 0, with which `step` ends in a child process of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(step())
        finally:
            os._exit(errno.EIO)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or 0


def outcome(code: int, good: str) -> str:
    """What to show of a step that ended with errno `code`, or 0."""
    return f"refused: {errno.errorcode.get(code, code)}" if code else good


def read(path: str | Path) -> str:
    """The text of a file, or "" where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
