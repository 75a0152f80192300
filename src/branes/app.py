"""A component whose functions are called with values of their types: what both drivers share. Pure.

`branes.api` and `branes.aio` open it and carry calls out; here a name and values become a call, and what came back
becomes a value or an error. docs/values.md has the values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from branes import calling, wit
from branes.errors import GuestError, ResultError
from branes.text import escape
from branes.values import Err, Ok
from branes.wave import text as wave_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from branes.component import Component
    from branes.outcome import Completed
    from branes.wit import Exports, Function

#: Characters of an error's value in a message.
_SHOWN: Final = 500


def signatures(component: Component) -> dict[str, str]:
    """The functions that can be called: their full names, and their signatures in WIT."""
    called = (function for function in component.functions.functions if not function.refusal)
    return {function.id: wit.signature(function) for function in called}


def request(exports: Exports, name: str, args: Sequence[object]) -> calling.Request:
    """A call of the function that `name` means.

    Raises:
        UsageError: there is none, or it cannot be called with `args`.
    """
    return calling.request(exports.find(name), args)


def value_of(function: Function, value: Any, completed: Completed, exited: int | None) -> Any:
    """What a call comes to: the value, without the `Ok` around it.

    Args:
        function: what was called.
        value: what it returned.
        completed: the outcome.
        exited: the guest's exit code, if it exited instead.

    Raises:
        ResultError: it returned an error. GuestError: it returned nothing, for the guest exited.
    """
    if exited is not None:
        message = f"{wit.quoted(function.id)} did not return: the guest exited with {exited}"
        raise GuestError(message, type="SystemExit", traceback="", completed=completed)
    if not isinstance(function.result, wit.Result):
        return value
    match value:
        case Ok(inner):
            return inner
        case Err(inner):
            raise _error(function, inner, completed)
    raise AssertionError(value)


def _error(function: Function, value: Any, completed: Completed) -> ResultError:
    of = function.result.err if isinstance(function.result, wit.Result) else None
    message = f"{wit.quoted(function.id)} returned an error"
    if of is not None:
        shown = wave_text(of, value) if of != wit.Primitive("string") else escape(value)
        message += f": {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'}"
    return ResultError(message, value=value, completed=completed)
