"""Run code that nobody trusts behind enforcement layers, and keep a record of everything that it was refused.

import branes

with branes.python() as py:
    print(py.eval("sum(range(10))"))

done = branes.run("app.wasm", ["--help"], stdin=b"...")
print(done.exit_code, done.stdout, done.denials)
"""

import importlib
import typing

from branes import errors

if typing.TYPE_CHECKING:
    from branes.api import Python, python, run
    from branes.outcome import Completed, Denial, Usage

__all__ = ["Completed", "Denial", "Python", "Usage", "errors", "python", "run"]


def __getattr__(name: str) -> typing.Any:
    """Load what is asked for: the command line answers `--help` and an early Ctrl-C without all of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "outcome" if name in {"Completed", "Denial", "Usage"} else "api"
    value = globals()[name] = getattr(importlib.import_module(f"branes.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
