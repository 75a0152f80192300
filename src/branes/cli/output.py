"""What a command says at its end: an error with its way out, or one JSON object; and the exit code that goes with it.

Nothing here trusts its text: messages are escaped once more on their way out, and no traceback is shown unless
`BRANES_DEBUG` asks for it.
"""

from __future__ import annotations

import base64
import codecs
import contextlib
import json
import os
import traceback
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from branes.cli import signals, streams
from branes.errors import BranesError, HostFault, LimitExceeded, Refused, Trapped
from branes.text import escape, escape_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from branes.errors import Refusal
    from branes.outcome import Completed

#: Most refusals that a terminal is shown.
_SHOWN: Final = 20
_MAX_MESSAGE: Final = 4000
#: Bytes of a guest's output that are written at a time: a multiple of three, which base64 needs.
_PIECE: Final = 3 << 15
#: One of so many bytes, and no more, may be a control character of what is shown as text: JSON takes six bytes each.
_MOSTLY_TEXT: Final = 4
#: All bytes but the control characters that JSON has no short name for.
_NOT_CONTROL: Final = bytes([*b"\b\t\n\f\r", *range(0x20, 0x100)])
CLOSED_OUTPUT: Final = 141


def guarded(body: Callable[[], int], *, as_json: bool) -> int:
    """The exit code of `body`; whatever it raises is told to the user instead of shown as a traceback."""
    try:
        return body()
    except streams.OutputClosedError:
        return CLOSED_OUTPUT
    except signals.Interrupted as stop:
        return _interrupted(stop.number, stop.completed, as_json=as_json)
    except Exception as error:  # noqa: BLE001 -- the last one who can tell the user
        if signals.caught():
            return _interrupted(signals.caught(), getattr(error, "completed", None), as_json=as_json)
        return tell(_on_purpose(error), as_json=as_json)


def tell(error: BranesError, *, as_json: bool) -> int:
    """Tell the user of `error`; its exit code."""
    if not as_json:
        streams.say(in_words(error))
        return error.exit_code
    try:
        put_json(failed(error))
    except streams.OutputClosedError:
        return CLOSED_OUTPUT
    except HostFault as unwritable:
        # Nobody will read the object; what is left to say goes where errors go.
        return tell(unwritable, as_json=False)
    return error.exit_code


def _interrupted(number: int, completed: Completed | None, *, as_json: bool) -> int:
    code = 128 + number
    if as_json:
        ended = failed(HostFault(f"ended by signal {number}", completed=completed))
        ended |= {"outcome": "interrupted", "exit_code": code, "error": ended["error"] | {"kind": "interrupted"}}
        with contextlib.suppress(streams.OutputClosedError, HostFault):
            put_json(ended)
    return code


def _on_purpose(error: Exception) -> BranesError:
    """`error`, or what an unexpected exception is to its user."""
    if os.environ.get("BRANES_DEBUG"):
        streams.say(escape_lines("".join(traceback.format_exception(error))))
    if isinstance(error, BranesError):
        return error
    return HostFault(
        f"unexpected {type(error).__name__}: {error}",
        hint="this is a defect of branes; BRANES_DEBUG=1 shows the traceback to report",
    )


def in_words(error: BranesError) -> str:
    """`error` as lines of text."""
    lines = [f"brane: {_bounded(error.message)}"]
    refusals = error.refusals if isinstance(error, Refused) else ()
    shown = refusals[:_SHOWN] if os.isatty(streams.STDERR) else refusals
    lines += [f"  {refusal_in_words(refusal)}" for refusal in shown]
    if len(shown) < len(refusals):
        lines.append(f"  and {len(refusals) - len(shown)} more; --json lists them all")
    lines += [f"  hint: {_bounded(error.hint)}"] if error.hint else []
    return "\n".join(lines) + "\n"


def refusal_in_words(refusal: Refusal) -> str:
    """One refusal as one line."""
    change = f"{refusal.change} would let it start" if refusal.change else "nothing allows it"
    if refusal.rule != "import-absent":
        change = f"rule {refusal.rule}"
    return f"refused by layer {refusal.layer}: {_bounded(refusal.item)}  ({escape(change)})"


def _bounded(text: str) -> str:
    safe = escape(text)
    return safe if len(safe) <= _MAX_MESSAGE else f"{safe[:_MAX_MESSAGE]} ... ({len(safe)} characters)"


def put_json(value: Mapping[str, Any]) -> None:
    """Write one JSON object as a line; ASCII, so that no terminal obeys any of it."""
    streams.put_pieces(_json_pieces(value))


def _json_pieces(value: Mapping[str, Any]) -> Iterator[str]:
    """`value` as one line, of which a guest's output is never in memory as a whole."""
    yield "{"
    separator = ""
    for name, item in value.items():
        yield f"{separator}{json.dumps(name)}: "
        yield from item.pieces() if isinstance(item, _Output) else [json.dumps(item)]
        separator = ", "
    yield "}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Output:
    """A guest's output, as a JSON string.

    Attributes:
        data: all of it.
        encoding: "utf-8" or "base64".
    """

    data: bytes
    encoding: str

    def pieces(self) -> Iterator[str]:
        """The string, in pieces."""
        decoder = codecs.getincrementaldecoder("utf-8")()
        yield '"'
        for piece in _cut(self.data):
            if self.encoding == "base64":
                yield base64.b64encode(piece).decode()
            else:
                yield json.dumps(decoder.decode(piece))[1:-1]
        yield '"'


def _cut(data: bytes) -> Iterator[bytes]:
    return (data[start : start + _PIECE] for start in range(0, len(data), _PIECE))


def failed(error: BranesError) -> dict[str, Any]:
    """The JSON object of a command that failed, with what ran until then."""
    completed = error.completed
    return {
        "outcome": error.kind,
        "exit_code": error.exit_code,
        **_ran(completed, error.taken),
        "error": {
            "kind": error.kind,
            "message": error.message,
            "hint": error.hint,
            "refusals": [asdict(refusal) for refusal in error.refusals] if isinstance(error, Refused) else [],
            "limit": error.limit if isinstance(error, LimitExceeded) else None,
            "trap": error.trap if isinstance(error, Trapped) else None,
        },
    }


def exited(completed: Completed, taken: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """The JSON object of a run that came to its end, and what was taken out of it."""
    return {"outcome": "exited", "exit_code": completed.exit_code, **_ran(completed, taken or []), "error": None}


def _ran(completed: Completed | None, taken: list[dict[str, Any]]) -> dict[str, Any]:
    stdout = _output(completed.stdout if completed else b"")
    stderr = _output(completed.stderr if completed else b"")
    return {
        "stdout": stdout,
        "stdout_encoding": stdout.encoding,
        "stderr": stderr,
        "stderr_encoding": stderr.encoding,
        "denials": [asdict(denial) for denial in completed.denials] if completed else [],
        "usage": asdict(completed.usage) if completed else None,
        "run": completed.run if completed else None,
        "taken": taken,
    }


def _output(data: bytes) -> _Output:
    """Text where it is UTF-8 with few control characters, and base64 otherwise."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    control = 0
    try:
        for piece in _cut(data):
            decoder.decode(piece)
            control += len(piece.translate(None, _NOT_CONTROL))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _Output(data=data, encoding="base64")
    return _Output(data=data, encoding="base64" if control * _MOSTLY_TEXT > len(data) else "utf-8")
