"""Run code that nobody trusts behind enforcement layers, and keep a record of everything that it was refused.

import branes

with branes.python() as py:
    print(py.eval("sum(range(10))"))

with branes.open("app.wasm") as app:
    print(app.functions, app.call("process", 1, "x"))

done = branes.run("app.wasm", ["--help"], stdin=b"...")
print(done.exit_code, done.stdout, done.denials)
"""

import importlib

# As `typing` has it, without loading that.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from branes import errors
    from branes.api import App, Python, open, python, run  # noqa: A004 -- what it does
    from branes.filing import FileInfo
    from branes.outcome import Completed, Denial, Usage
    from branes.values import Case, Err, Ok, Record, Some
del TYPE_CHECKING

__all__ = [
    "App",
    "Case",
    "Completed",
    "Denial",
    "Err",
    "FileInfo",
    "Ok",
    "Python",
    "Record",
    "Some",
    "Usage",
    "errors",
    "open",
    "python",
    "run",
]
#: Where those are that are not in `branes.api`.
_HOMES = {
    **dict.fromkeys(("Completed", "Denial", "Usage"), "outcome"),
    "FileInfo": "filing",
    **dict.fromkeys(("Case", "Err", "Ok", "Record", "Some"), "values"),
}


def __getattr__(name: str) -> object:
    """Load what is asked for: the command line answers `--help` and an early Ctrl-C without all of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "errors":
        return importlib.import_module("branes.errors")
    home = _HOMES.get(name, "api")
    value = globals()[name] = getattr(importlib.import_module(f"branes.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
