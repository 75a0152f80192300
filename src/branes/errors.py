"""The exceptions of this package, told apart by whose fault they are.

Each carries a message that says what happened, got and expected, in lower case with no full stop, and apart
from it a
hint: what to do about it.
"""

from __future__ import annotations


class BranesError(Exception):
    """The root of every exception that this package raises on purpose.

    Attributes:
        message: what happened.
        hint: the way out, or "" if there is none to offer.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class HostFault(BranesError):  # noqa: N818 - whose fault it is, is the name
    """The machine did not do what a run needs: no space, no permission, a broken file."""


class AuditError(HostFault):
    """The audit log cannot be written or read; nothing may run without it."""
