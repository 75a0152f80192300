"""The exports of `guest.wit`, bound to the code behind them.

Importing this module is the guest's whole start-up; the build saves the interpreter right after it.
"""

import gc

import wit_world
from componentize_py_types import Err

from _brane import absent, instance, loop, modules, script, tools, zones

modules.load_all()
absent.install()
loop.install()
zones.install()
tools.install()
instance.detach_from_build()
# Nothing loaded so far ever becomes garbage. Frozen, it is skipped by collections, which would otherwise
# touch, and so make private to the process, every page of the saved heap.
gc.collect()
gc.freeze()
# The default of 2,000 makes building a large structure quadratic here: a collection costs more than it does natively.
gc.set_threshold(100_000, 10, 10)


class WitWorld(wit_world.WitWorld):
    """The exports; componentize-py finds the class by this name."""

    def run(self, source: str, filename: str, argv: list[str]) -> int:
        """Execute a script; its exit code."""
        instance.begin_once()
        return script.run(source, filename, argv)

    def eval(self, source: str) -> str:
        """Evaluate an expression; its value as JSON text."""
        instance.begin_once()
        try:
            return script.evaluate(source)
        except script.EvaluationError as error:
            raise Err(str(error)) from None
