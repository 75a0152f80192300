"""Runs code in `__main__` and tells how it ended, as `python script.py` would.

Tracebacks begin with the script's own frame: the frame of this module is cut off, and the source text is kept where
the traceback printer finds it. Both streams are flushed before a call returns.
"""

import __main__

import contextlib
import json
import linecache
import sys
import traceback
from types import CodeType
from typing import Any

MESSAGE_LIMIT = 4096
TRACEBACK_LIMIT = 65536
EVAL_FILENAME = "<eval>"


class EvaluationError(Exception):
    """What `evaluate` raises; its text is JSON."""


def run(source: str, filename: str, argv: list[str]) -> int:
    """Execute `source` as a script; its exit code, 0 to 255."""
    sys.argv = argv
    try:
        exec(compiled(source, filename, "exec"), __main__.__dict__)
    except SystemExit as stop:
        return exit_code(stop.code)
    except BaseException as error:
        report(error.with_traceback(script_frames(error)))
        return 1
    finally:
        flush()
    return 0


def evaluate(source: str) -> str:
    """The value of the expression `source` as JSON text, or an `EvaluationError`."""
    try:
        value = eval(compiled(source.lstrip(" \t"), EVAL_FILENAME, "eval"), __main__.__dict__)
    except BaseException as error:
        raise EvaluationError(described(error.with_traceback(script_frames(error)))) from None
    finally:
        flush()
    try:
        return as_json(value)
    except BaseException as error:
        raise EvaluationError(described(error.with_traceback(None))) from None


def compiled(source: str, filename: str, mode: str) -> CodeType:
    """Compile, and keep the source for tracebacks the way `python -c` does."""
    code = compile(source, filename, mode, dont_inherit=True)
    linecache._register_code(code, source, filename)
    return code


def as_json(value: Any) -> str:
    """JSON text of a value. NaN, infinities and lone surrogates have none and raise ValueError."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    return text


def exit_code(code: object) -> int:
    """What the process would exit with for `SystemExit(code)` (library reference, `sys.exit`)."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    with contextlib.suppress(Exception):
        print(code, file=sys.stderr)
    return 1


def script_frames(error: BaseException) -> Any:
    """The traceback of `error` without the frame of this module that called the script."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals is globals():
        frames = frames.tb_next
    return frames


def report(error: BaseException) -> None:
    """Print an uncaught exception through `sys.excepthook`, which may be the script's own and fail."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException as failure:
        print("Error in sys.excepthook:", file=sys.stderr)
        sys.__excepthook__(type(failure), failure, script_frames(failure))
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)


def described(error: BaseException) -> str:
    """An exception as the JSON text that `guest.wit` promises."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"
    try:
        message = str(error)
    except Exception:
        message = "<exception str() failed>"
    text = "".join(traceback.format_exception(error))
    return json.dumps({"type": name, "message": message[:MESSAGE_LIMIT], "traceback": text[-TRACEBACK_LIMIT:]})


def flush() -> None:
    """Send what standard output and error still hold; a stream that the script closed or replaced may refuse."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
