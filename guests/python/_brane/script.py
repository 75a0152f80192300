"""Runs code in `__main__` and tells how it ended, as `python script.py` would.

Tracebacks begin with the script's own frame: the frames of this module are cut off, and the source text is
kept where the traceback printer finds it. Both streams are flushed before a call returns. What registers with
`atexit` never runs, since a brane ends by being killed. A script that has used up the memory leaves none to say so
with, so some is held back until then.
"""

import contextlib
import gc
import json
import linecache
import os
import sys
import traceback
from types import CodeType, TracebackType
from typing import Any

import __main__
from _brane import instance

MESSAGE_LIMIT = 4096
VALUE_LIMIT = 15 << 20
TRACEBACK_LIMIT = 65536
EVAL_FILENAME = "<eval>"
RESERVE = 1 << 20

# Made at build: pages of the saved heap that nothing touches cost an instance nothing.
_reserve = bytearray(RESERVE)


class EvaluationError(Exception):
    """What `evaluate` raises; its text is JSON."""


def run(source: str, filename: str, argv: list[str]) -> int:
    """Execute `source` as a script; its exit code, 0 to 255."""
    sys.argv = argv
    hold_reserve()
    instance.renew_input()
    failure = failure_of(source, filename)
    try:
        return exit_code(failure)
    finally:
        del failure  # its traceback leads back to this frame
        flush()


def evaluate(source: str) -> str:
    """The value of the expression `source` as JSON text, or an `EvaluationError`."""
    hold_reserve()
    instance.renew_input()
    try:
        value = eval(compiled(source.lstrip(" \t"), EVAL_FILENAME, "eval"), __main__.__dict__)
    except BaseException as error:
        spend_reserve(error)
        raise EvaluationError(described(from_script(error))) from None
    finally:
        flush()
    try:
        return as_json(value)
    except BaseException as error:
        spend_reserve(error)
        raise EvaluationError(described(error.with_traceback(None))) from None


def failure_of(source: str, filename: str) -> BaseException | None:
    """Execute `source`; what it raised."""
    if not filename.startswith("<"):
        be_a_file(filename, source)
    try:
        exec(compiled(source, filename, "exec"), __main__.__dict__)
    except BaseException as error:
        spend_reserve(error)
        return from_script(error)
    return None


def hold_reserve() -> None:
    """Hold memory back again, if it was spent and there is enough."""
    if not _reserve:
        with contextlib.suppress(MemoryError):
            gc.collect()
            _reserve.extend(bytes(RESERVE))


def spend_reserve(error: BaseException) -> None:
    """Give the memory free that is needed to tell of `error`."""
    if isinstance(error, MemoryError):
        _reserve.clear()


def be_a_file(filename: str, source: str) -> None:
    """Let a script with a file's name see itself and import its neighbours, be the file there or not."""
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = len(source), None, lines, filename
    __main__.__file__ = filename
    folder = os.path.dirname(filename)
    if folder not in sys.path:
        sys.path.insert(0, folder)


def compiled(source: str, filename: str, mode: str) -> CodeType:
    """Compile, and keep the source for tracebacks the way `python -c` does."""
    code = compile(source, filename, mode, dont_inherit=True)
    linecache._register_code(code, source, filename)
    return code


def as_json(value: Any) -> str:
    """JSON text of a value. NaN, infinities and lone surrogates have none and raise ValueError."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    size = len(text.encode())
    if size > VALUE_LIMIT:
        raise ValueError(f"the value is {size} bytes as JSON, at most {VALUE_LIMIT} can be returned: print it instead")
    return text


def exit_code(failure: BaseException | None) -> int:
    """What the process would exit with (library reference, `sys.exit`); says why on standard error."""
    if failure is None:
        return 0
    if not isinstance(failure, SystemExit):
        report(failure)
        return 1
    if failure.code is None:
        return 0
    if isinstance(failure.code, int):
        return failure.code & 0xFF
    with contextlib.suppress(Exception):
        print(failure.code, file=sys.stderr)
    return 1


def report(failure: BaseException) -> None:
    """Print an uncaught exception through `sys.excepthook`, which may be the script's own and fail."""
    try:
        sys.excepthook(type(failure), failure, failure.__traceback__)
    except BaseException as error:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(error), from_script(error), error.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(failure), failure, failure.__traceback__)


def from_script(error: BaseException) -> BaseException:
    """The exception without the frames of this module that lead to the script."""
    frames: TracebackType | None = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals is globals():
        frames = frames.tb_next
    return error.with_traceback(frames)


def described(error: BaseException) -> str:
    """An exception as the JSON text that `guest.wit` promises."""
    kind = type(error)
    place = "" if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}."
    try:
        message = str(error)
    except Exception:
        message = "<exception str() failed>"
    text = "".join(traceback.format_exception(error))
    return json.dumps(
        {
            "type": place + kind.__qualname__,
            "message": message[:MESSAGE_LIMIT],
            "traceback": text[-TRACEBACK_LIMIT:],
        }
    )


def flush() -> None:
    """Send what standard output and error hold; a stream that the script closed or replaced may refuse."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
