"""Ctrl-C, SIGTERM and SIGHUP end what runs: an exception on its way out kills the brane and records its end.

Imports next to nothing, so that it is in place before anything slow is loaded. Only the first signal counts; a second
one cannot disturb the clean-up, which has time limits of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType  # noqa: TC003 -- loaded with the interpreter, which `typing` is not

TYPE_CHECKING = False
if TYPE_CHECKING:
    from branes.outcome import Completed

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_RETRY = 0.001

_caught = 0


class Interrupted(BaseException):
    """A signal asked for the end; `number` is the signal's, `completed` what ran until then, if anything did."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.completed: Completed | None = None


def install() -> None:
    """Turn the first of the signals into `Interrupted`, wherever the main thread is. Ignored ones stay ignored."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)
    sys.unraisablehook = _on_unraisable


def ignore() -> None:
    """From here on nothing interrupts: what is left is to clean up."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def caught() -> int:
    """The signal that asked for the end, or 0."""
    return _caught


def _on_signal(number: int, _frame: FrameType | None) -> None:
    global _caught  # noqa: PLW0603 -- there is one a process, as of signals
    ignore()
    _caught = number
    raise Interrupted(number)


def _on_unraisable(unraisable: sys.UnraisableHookArgs) -> None:
    """Python drops what is raised inside a finalizer; raise it once more, a moment later."""
    if isinstance(unraisable.exc_value, Interrupted):
        signal.signal(signal.SIGALRM, _again)
        signal.setitimer(signal.ITIMER_REAL, _RETRY)
    elif os.environ.get("BRANES_DEBUG"):
        sys.__unraisablehook__(unraisable)


def _again(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted(_caught)
