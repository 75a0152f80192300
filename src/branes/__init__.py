"""Run code that nobody trusts behind enforcement layers, and keep a record of everything that it was refused.

import branes

with branes.python() as py:
    print(py.eval("sum(range(10))"))

done = branes.run("app.wasm", ["--help"], stdin=b"...")
print(done.exit_code, done.stdout, done.denials)
"""

import importlib

# As `typing` has it, without loading that.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from branes import errors
    from branes.api import Python, python, run
    from branes.outcome import Completed, Denial, Usage
del TYPE_CHECKING

__all__ = ["Completed", "Denial", "Python", "Usage", "errors", "python", "run"]


def __getattr__(name: str) -> object:
    """Load what is asked for: the command line answers `--help` and an early Ctrl-C without all of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "errors":
        return importlib.import_module("branes.errors")
    home = "outcome" if name in {"Completed", "Denial", "Usage"} else "api"
    value = globals()[name] = getattr(importlib.import_module(f"branes.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
