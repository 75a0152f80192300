"""A call of an export: what is sent, and how what comes back is read. Pure.

A `Request` is made from a function's type and a caller's values, before anything happens; what does not fit is a
`UsageError` then. What the brane answers is read by the same type: a misfit is a `WireError`, which kills the brane.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from branes import wire, wit
from branes.values import decode_result, encode_arguments
from branes.values.packed import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call, ready to be sent.

    Attributes:
        function: what is called.
        args: its arguments in MessagePack.
        gives_code: whether what it returns is an exit code.
    """

    function: wit.Function
    args: bytes
    gives_code: bool = False

    @property
    def name(self) -> str:
        """How records call it: a command by its interface."""
        return COMMAND_INTERFACE if self.function is _RUN_COMMAND else self.function.id

    @property
    def framed(self) -> bytes:
        """What is sent.

        Raises:
            WireError: it is too large for a frame.
        """
        function = self.function
        message = wire.encode("call", interface=function.interface, export=function.name, args=self.args)
        return wire.frame(message)

    @property
    def digest(self) -> str:
        """`sha256:` and 64 digits of all that is asked."""
        asked = wire.pack([self.function.interface, self.function.name, self.args])
        return f"sha256:{hashlib.sha256(asked).hexdigest()}"

    def read(self, value: bytes | None) -> Any:
        """What the function returned, from what came back.

        Raises:
            WireError: it is not of the function's type.
        """
        if self.function.result is None:
            return decode_result(self.function, value)
        if value is None:
            raise wire.WireError("the result: expected a value")
        return decode_result(self.function, unpack(value))


def request(function: wit.Function, args: Sequence[object]) -> Request:
    """A call of `function`.

    Raises:
        UsageError: it cannot be called, takes another number of arguments, or one does not fit.
    """
    return Request(function=function, args=pack(encode_arguments(function, args)))


_STRING: Final = wit.Primitive("string")
COMMAND_INTERFACE: Final = "wasi:cli/run"
#: The worker ends the guest when it returns, and says how; a result never comes.
_RUN_COMMAND: Final = wit.Function(name="run", interface=COMMAND_INTERFACE, params=(), result=None)
#: The call that runs a command.
COMMAND: Final = Request(function=_RUN_COMMAND, args=pack([]))
#: What `guests/python/guest.wit` exports.
_RUN: Final = wit.Function(
    name="run",
    interface=None,
    params=(("code", _STRING), ("filename", _STRING), ("argv", wit.List(_STRING))),
    result=wit.Primitive("u8"),
)
_EVAL: Final = wit.Function(
    name="eval", interface=None, params=(("expression", _STRING),), result=wit.Result(_STRING, _STRING)
)


def run_code(code: str, filename: str, argv: Sequence[str]) -> Request:
    """A call that executes code in the Python guest."""
    args = pack(encode_arguments(_RUN, [code, filename, list(argv)]))
    return Request(function=_RUN, args=args, gives_code=True)


def eval_expression(expression: str) -> Request:
    """A call that evaluates an expression in the Python guest."""
    return request(_EVAL, [expression])
