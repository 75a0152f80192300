"""The exceptions of this package, told apart by whose fault they are.

    BranesError
    |-- UsageError            the caller's bug: a bad argument, a closed brane                exit 2
    |   |-- InputError        what was to be run is not a program that can be                 exit 2
    |   `-- FileError         a brane's file is not there, or not what it must be             exit 2
    |-- Refused               a layer said no before any code ran                             exit 126
    |   `-- Escaped           a layer said no to running code, and the brane was killed       exit 126
    |-- GuestFault            the code that ran is at fault
    |   |-- Trapped           it did what WebAssembly forbids                                 exit 134
    |   |-- GuestError        it raised, or exited: Python code in `eval`, a component in `call` exit 1
    |   `-- ResultError       it returned an error: the `err` of a `result`                   exit 1
    |-- LimitExceeded         it wanted more than it was given, and was killed                exit 137
    |   `-- DeadlineExceeded  of time                                                         exit 124
    `-- HostFault             this machine, or this package, did not do what a run needs      exit 125
        |-- MissingMechanism  the kernel lacks, or forbids, a part of the isolation           exit 125
        `-- AuditError        the log cannot be written or read; nothing runs without it      exit 125

Messages are in lower case, say what was got and what was expected, and quote untrusted text only in escaped form.
The hint, apart from the message, is the way out.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.outcome import Completed


#: Refusals that a traceback shows; `refusals` has all.
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One thing that a layer refused.

    Attributes:
        layer: which layer, as the audit log names it.
        rule: which of its rules.
        item: what was refused, escaped.
        change: the smallest change that would allow it, or "" where nothing does.
    """

    layer: str
    rule: str
    item: str
    change: str = ""


class BranesError(Exception):
    """The root of every exception that this package raises on purpose.

    Attributes:
        message: what happened.
        hint: the way out, or "" if there is none to offer.
        completed: what ran until then, if anything did.
        taken: what had been taken out of the brane by then, as the command line says it.
    """

    exit_code: ClassVar[int] = 125
    kind: ClassVar[str] = "host-fault"

    def __init__(self, message: str, *, hint: str = "", completed: Completed | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.completed = completed
        self.taken: list[dict[str, object]] = []
        if hint:
            self.add_note(f"hint: {hint}")

    def __reduce__(self) -> tuple[object, ...]:
        return _revive, (type(self), self.args, self.__dict__)


def _revive(kind: type[BranesError], args: tuple[object, ...], fields: dict[str, object]) -> BranesError:
    """The error that was pickled: its fields as they were, whatever its constructor asks for."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(fields)
    return error


class UsageError(BranesError):
    """The caller's bug."""

    exit_code = 2
    kind = "usage"


class InputError(UsageError):
    """What was to be run is not a program that can be run."""

    kind = "bad-input"


class FileError(UsageError):
    """A file of a brane is not there, or cannot be read or written as was asked.

    Attributes:
        path: the guest's path.
        code: why, an error code of `wasi:filesystem/types` such as `no-entry`.
    """

    kind = "file"

    def __init__(
        self, message: str, *, path: str, code: str, hint: str = "", completed: Completed | None = None
    ) -> None:
        super().__init__(message, hint=hint, completed=completed)
        self.path = path
        self.code = code


class Refused(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """A layer said no; `refusals` says which, by which rule, and what would allow it."""

    exit_code = 126
    kind = "refused"

    def __init__(
        self,
        message: str,
        *,
        refusals: tuple[Refusal, ...],
        hint: str = "",
        completed: Completed | None = None,
    ) -> None:
        super().__init__(message, hint=hint, completed=completed)
        self.refusals = refusals
        for refusal in refusals[:_SHOWN]:
            self.add_note(f"refused by layer {refusal.layer}: {refusal.item}  {refusal.change}".rstrip())


class Escaped(Refused):
    """Running code tried what it may not, and was killed."""

    kind = "escape"


class GuestFault(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """The code that ran is at fault."""

    exit_code = 134
    kind = "guest-fault"


class Trapped(GuestFault):
    """The guest trapped.

    Attributes:
        trap: the trap's name, such as `memory-out-of-bounds`.
        backtrace: where in the guest, in the guest's names, escaped line by line; may be empty.
    """

    kind = "trap"

    def __init__(self, message: str, *, trap: str, backtrace: str = "", completed: Completed | None = None) -> None:
        super().__init__(message, completed=completed)
        self.trap = trap
        self.backtrace = backtrace


class ResultError(GuestFault):
    """A function returned an error, as its `result` says; the brane is well.

    Attributes:
        value: the error, in the Python shape of its type; None where it carries nothing.
    """

    exit_code = 1
    kind = "result-error"

    def __init__(self, message: str, *, value: object, completed: Completed | None = None) -> None:
        super().__init__(message, completed=completed)
        self.value = value


class GuestError(GuestFault):
    """Python code raised, or the guest exited: `type` and `traceback` are the guest's words, as it sent them."""

    exit_code = 1
    kind = "guest-error"

    def __init__(
        self,
        message: str,
        *,
        type: str,  # noqa: A002 -- an exception's type is called that
        traceback: str,
        completed: Completed | None = None,
    ) -> None:
        super().__init__(message, completed=completed)
        self.type = type
        self.traceback = traceback


class LimitExceeded(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """The guest was killed at a limit; `limit` is its name."""

    exit_code = 137
    kind = "limit"

    def __init__(self, message: str, *, limit: str, hint: str = "", completed: Completed | None = None) -> None:
        super().__init__(message, hint=hint, completed=completed)
        self.limit = limit


class DeadlineExceeded(LimitExceeded):
    """The guest was killed when its time was up."""

    exit_code = 124
    kind = "deadline"


class HostFault(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """The machine did not do what a run needs: no space, no permission, a broken file."""


@contextlib.contextmanager
def host_faults(what: str) -> Iterator[None]:
    """Turns an OSError into a `HostFault` that says what could not be done."""
    try:
        yield
    except OSError as error:
        from branes import demands  # noqa: PLC0415 -- only when something went wrong

        raise HostFault(f"{what}: {error}", hint=demands.way_out("", error.errno or 0)) from error


class MissingMechanism(HostFault):
    """The kernel lacks, or forbids, a part of the isolation; there is no run without it."""

    kind = "missing-mechanism"


class AuditError(HostFault):
    """The audit log cannot be written or read; nothing may run without it."""

    kind = "audit"
