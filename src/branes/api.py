"""What callers use: `run` for a program, `python` for Python code. Synchronous; `branes.aio` has the same names.

Parameters and their documentation are in `branes.asking`. An interpreter that is opened and never closed is told of
with a `ResourceWarning`, as an open file is.
"""

from __future__ import annotations

import contextlib
import os
import warnings
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from branes import asking, filework, handing, strict, tooling
from branes.app import request, signatures
from branes.app import value_of as typed_value
from branes.brane import Brane
from branes.errors import BranesError, GuestError, UsageError
from branes.launching import make_binding, not_a_command, prepare, prepare_guest
from branes.text import escape
from branes.values import Err, Ok

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from branes.compiling import Progress
    from branes.conduct import Conduct
    from branes.filing import FileInfo
    from branes.launching import Prepared
    from branes.outcome import Completed

#: Most arrays, objects, items and keys that a value may have in all: each is an object of its own in this process.
MAX_PARTS: Final = 1 << 20

_Brane = TypeVar("_Brane", bound=Brane)


@asking.asked_by(asking.run)
def run(asked: asking.Program) -> Completed:
    """Run a program."""
    tooling.plain_only(asked.manifest.tools)
    prepared = prepare(asked.app, asked.manifest, asked.progress)
    not_a_command(prepared)
    stays = bool(asked.take)
    brane = Brane(prepared, make_binding([prepared.name, *asked.args], asked.manifest, stays=stays))
    call = asked.call
    try:
        completed = brane.call(call.request, call.caller, call.output)[1]
        take(brane, asked, completed)
    finally:
        brane.close()
    return completed


def take(brane: Brane, asked: asking.Program, completed: Completed) -> None:
    """Take out what was asked for; what goes wrong then says what the program came to."""
    try:
        for path, dest in asked.take.items():
            handing.save(brane, path, dest)
    except BranesError as error:
        error.completed = completed
        raise


class Interpreter(Generic[_Brane]):
    """What interpreters and components of both drivers share: at most one open brane."""

    def __init__(self, asked: asking.Interpreter) -> None:
        self._asked = asked
        self._prepared: Prepared | None = None
        self._brane: _Brane | None = None
        self._pid = 0

    def __del__(self) -> None:
        brane = getattr(self, "_brane", None)
        if brane is not None and brane.died is None and self._pid == os.getpid():
            # It is killed and recorded at the end of the process; here, in the middle of anything, nothing may wait.
            what = "interpreter" if self._asked.app is None else "component"
            warnings.warn(f"unclosed {what}, run {brane.conduct.run}", ResourceWarning, stacklevel=2, source=self)

    def _prepare(self, progress: Progress) -> Prepared:
        app, manifest = self._asked.app, self._asked.manifest
        return prepare_guest(manifest, progress) if app is None else prepare(app, manifest, progress)

    def _open_brane(self, *, exited: bool = False) -> _Brane:
        """The brane, for a call; or, where `exited` says so, also one whose code has exited."""
        if self._brane is None:
            hint = "use it in a `with` statement, or an `async with` one"
            raise UsageError(f"this {self._asked.what} is not open", hint=hint)
        if self._brane.died is not None or (self._brane.conduct.exit_code is not None and not exited):
            raise UsageError(f"this brane has ended{why_ended(self._brane.conduct)}", hint="open another one")
        return self._brane

    def _refuse_open(self) -> None:
        if self._brane is not None:
            raise UsageError(f"this {self._asked.what} is open already")

    def _hold(self, brane: _Brane) -> None:
        self._brane, self._pid = brane, os.getpid()


class _Opened(Interpreter[Brane]):
    """What a `with` statement opens: a brane, fresh with each."""

    def __enter__(self) -> Self:
        self._refuse_open()
        self._prepared = self._prepared or self._prepare(self._asked.progress)
        self._hold(Brane(self._prepared, make_binding([self._prepared.name], self._asked.manifest, stays=True)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            # What goes wrong at the end must not hide what went wrong before.
            with contextlib.suppress(BranesError):
                self.close()

    def close(self) -> None:
        """End the brane. `with` does it.

        Raises:
            Escaped: it tried, between two calls, what its filter does not allow.
        """
        brane, self._brane = self._brane, None
        if brane is not None:
            brane.finish()

    @asking.method_asked_by(filework.reading)
    def read(self, job: filework.OnFiles[bytes]) -> bytes:
        """Read a file."""
        return job.do(self._open_brane(exited=True))

    @asking.method_asked_by(filework.writing)
    def write(self, job: filework.OnFiles[None]) -> None:
        """Write a file."""
        job.do(self._open_brane(exited=True))

    @asking.method_asked_by(filework.listing)
    def files(self, job: filework.OnFiles[tuple[FileInfo, ...]]) -> tuple[FileInfo, ...]:
        """List files."""
        return job.do(self._open_brane(exited=True))

    @asking.method_asked_by(filework.saving)
    def save(self, job: filework.OnFiles[Path | None]) -> Path | None:
        """Save a file."""
        return job.do(self._open_brane(exited=True))


class Python(_Opened):
    """An interpreter in a brane; fresh with each `with`."""

    @asking.method_asked_by(asking.code)
    def run(self, call: asking.Call) -> Completed:
        """Execute code."""
        brane = self._open_brane()
        value, completed = brane.call(call.request, call.caller, call.output)
        return with_code(completed, value, brane.conduct)

    @asking.method_asked_by(asking.expression)
    def eval(self, call: asking.Call) -> Any:
        """Evaluate an expression."""
        return value_of(*self._open_brane().call(call.request, call.caller, call.output))


class Exports(Interpreter[_Brane]):
    """What the components of both drivers say of themselves."""

    #: What the last call came to, with what was written to standard output and error.
    last: Completed | None = None

    @property
    def functions(self) -> dict[str, str]:
        """The functions that can be called: their full names, and their signatures in WIT."""
        return signatures(self._open_brane(exited=True).component)


class App(Exports[Brane], _Opened):
    """A component in a brane, whose functions are called with values of their types; fresh with each `with`."""

    @asking.method_asked_by(asking.call)
    def call(self, asked: asking.Typed) -> Any:
        """Call a function."""
        brane = self._open_brane()
        made = request(brane.component.functions, asked.name, asked.args)
        value, self.last = brane.call(made, asked.caller, asked.output)
        return typed_value(made.function, value, self.last, brane.conduct.exit_code)


@asking.asked_by(asking.component)
def open(asked: asking.Interpreter) -> App:  # noqa: A001 -- what it does
    """Open a component."""
    tooling.plain_only(asked.manifest.tools)
    return App(asked)


@asking.asked_by(asking.python)
def python(asked: asking.Interpreter) -> Python:
    """Make an interpreter."""
    tooling.plain_only(asked.manifest.tools)
    return Python(asked)


def why_ended(conduct: Conduct) -> str:
    """Why a brane ended, and when, as the end of a sentence."""
    fate = conduct.fate
    if fate is None:
        return "" if conduct.exit_code is None else f": its code exited with {conduct.exit_code}, in an earlier call"
    seconds = f"{fate.completed.usage.wall:.3g} s into" if fate.completed else "in"
    return f": {fate.message}, {seconds} an earlier call (run {conduct.run})"


def with_code(completed: Completed, value: Any, conduct: Conduct) -> Completed:
    """The outcome of the guest's `run`, whose value is an exit code."""
    if conduct.exit_code is not None:
        return completed
    code = value if isinstance(value, int) else 1
    return conduct.completed(code, completed.stdout, completed.stderr, completed.usage)


def value_of(value: Any, completed: Completed) -> Any:
    """The value that the guest's `eval` returned as JSON text.

    Raises:
        GuestError: it says that the code raised, or is not JSON.
    """
    match value:
        case Ok(str(text)):
            return _parse(text, completed)
        case Err(str(text)):
            raise _guest_error(_parse(text, completed), completed)
    raise GuestError("the interpreter exited", type="SystemExit", traceback="", completed=completed)


def _parse(text: str, completed: Completed) -> Any:
    if _parts(text) > MAX_PARTS:
        message = f"the value has more than {MAX_PARTS:,} parts: print it instead"
        raise GuestError(message, type="ValueError", traceback="", completed=completed)
    try:
        return strict.with_numbers(text)
    except (ValueError, RecursionError) as error:
        raise GuestError("the value is not JSON", type="ValueError", traceback="", completed=completed) from error


def _parts(text: str) -> int:
    """How many arrays, objects, items and keys a JSON text has, at the most: each is an object of many bytes here."""
    # Most texts are settled by the first count, which takes what stands in strings for parts as well.
    count = _separators(text)
    return count if count <= MAX_PARTS else _separators(strict.without_strings(text.encode()).decode())


def _separators(text: str) -> int:
    return sum(map(text.count, "[{,:"))


def _guest_error(fields: Any, completed: Completed) -> GuestError:
    words = fields if isinstance(fields, dict) else {}
    # The interpreter keeps to these lengths, until the code has changed it.
    most = {"type": 4096, "message": 4096, "traceback": 65536}
    texts = {name: words[name] if isinstance(words.get(name), str) else "" for name in most}
    kind, message, traceback = (texts[name][:length] for name, length in most.items())
    return GuestError(escape(f"{kind}: {message}"), type=kind, traceback=traceback, completed=completed)
