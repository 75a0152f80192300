"""What callers use: `run` for a program, `python` for Python code. Synchronous; `branes.aio` has the same names.

Parameters and their documentation are in `branes.asking`. An interpreter that is opened and never closed is told of
with a `ResourceWarning`, as an open file is.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import warnings
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

from branes import asking
from branes.brane import Brane
from branes.errors import BranesError, GuestError, UsageError
from branes.launching import make_binding, not_a_command, prepare, prepare_guest
from branes.text import escape

if TYPE_CHECKING:
    from types import TracebackType

    from branes.conduct import Conduct
    from branes.launching import Prepared
    from branes.outcome import Completed

#: Most arrays, objects, items and keys that a value may have in all: each is an object of its own in this process.
MAX_PARTS: Final = 1 << 20
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')

_Brane = TypeVar("_Brane", bound=Brane)


@asking.asked_by(asking.run)
def run(asked: asking.Program) -> Completed:
    """Run a program."""
    prepared = prepare(asked.app, asked.manifest, asked.progress)
    not_a_command(prepared)
    brane = Brane(prepared, make_binding([prepared.name, *asked.args], asked.manifest))
    call = asked.call
    try:
        return brane.call(call.export, call.arguments, call.caller, call.output)[1]
    finally:
        brane.close()


class Interpreter(Generic[_Brane]):
    """What interpreters of both drivers share: at most one open brane."""

    def __init__(self, asked: asking.Interpreter) -> None:
        self._asked = asked
        self._prepared: Prepared | None = None
        self._brane: _Brane | None = None
        self._pid = 0

    def __del__(self) -> None:
        brane = getattr(self, "_brane", None)
        if brane is not None and brane.died is None and self._pid == os.getpid():
            # It is killed and recorded at the end of the process; here, in the middle of anything, nothing may wait.
            warnings.warn(f"unclosed interpreter, run {brane.conduct.run}", ResourceWarning, stacklevel=2, source=self)

    def _open_brane(self) -> _Brane:
        if self._brane is None:
            raise UsageError("this Python is not open", hint="use it in a `with` statement, or an `async with` one")
        if self._brane.died is not None:
            raise UsageError(f"this brane has ended{why_ended(self._brane.conduct)}", hint="open another one")
        return self._brane

    def _refuse_open(self) -> None:
        if self._brane is not None:
            raise UsageError("this Python is open already")

    def _hold(self, brane: _Brane) -> None:
        self._brane, self._pid = brane, os.getpid()


class Python(Interpreter[Brane]):
    """An interpreter in a brane; fresh with each `with`."""

    def __enter__(self) -> Self:
        self._refuse_open()
        self._prepared = self._prepared or prepare_guest(self._asked.manifest, self._asked.progress)
        self._hold(Brane(self._prepared, make_binding(["python"], self._asked.manifest)))
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

    @asking.method_asked_by(asking.code)
    def run(self, call: asking.Call) -> Completed:
        """Execute code."""
        brane = self._open_brane()
        value, completed = brane.call(call.export, call.arguments, call.caller, call.output)
        return with_code(completed, value, brane.conduct)

    @asking.method_asked_by(asking.expression)
    def eval(self, call: asking.Call) -> Any:
        """Evaluate an expression."""
        return value_of(*self._open_brane().call(call.export, call.arguments, call.caller, call.output))


@asking.asked_by(asking.python)
def python(asked: asking.Interpreter) -> Python:
    """Make an interpreter."""
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
    code = value["u8"] if isinstance(value, dict) and "u8" in value else 1
    return conduct.completed(code, completed.stdout, completed.stderr, completed.usage)


def value_of(value: Any, completed: Completed) -> Any:
    """The value that the guest's `eval` returned as JSON text.

    Raises:
        GuestError: it says that the code raised, or is not JSON.
    """
    match value:
        case {"result": {"Ok": text}}:
            return _parse(text, completed)
        case {"result": {"Err": text}}:
            raise _guest_error(_parse(text, completed), completed)
    raise GuestError("the interpreter exited", type="SystemExit", traceback="", completed=completed)


def _parse(text: str, completed: Completed) -> Any:
    if _parts(text) > MAX_PARTS:
        message = f"the value has more than {MAX_PARTS:,} parts: print it instead"
        raise GuestError(message, type="ValueError", traceback="", completed=completed)
    try:
        return json.loads(text, parse_constant=_no_json, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise GuestError("the value is not JSON", type="ValueError", traceback="", completed=completed) from error


def _parts(text: str) -> int:
    """How many arrays, objects, items and keys a JSON text has, at the most: each is an object of many bytes here."""
    # Most texts are settled by the first count, which takes what stands in strings for parts as well.
    count = _separators(text)
    return count if count <= MAX_PARTS else _separators(_STRING.sub("", text))


def _separators(text: str) -> int:
    return sum(map(text.count, "[{,:"))


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    """A number that a float can hold: Python would read `1e999` as infinity, which no JSON is."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is beyond what a float holds")
    return number


def _guest_error(fields: Any, completed: Completed) -> GuestError:
    words = fields if isinstance(fields, dict) else {}
    # The interpreter keeps to these lengths, until the code has changed it.
    most = {"type": 4096, "message": 4096, "traceback": 65536}
    texts = {name: words[name] if isinstance(words.get(name), str) else "" for name in most}
    kind, message, traceback = (texts[name][:length] for name, length in most.items())
    return GuestError(escape(f"{kind}: {message}"), type=kind, traceback=traceback, completed=completed)
