"""Run code that nobody trusts behind enforcement layers, and keep a record of everything that it was refused.

import branes

with branes.python() as py:
    print(py.eval("sum(range(10))"))

done = branes.run("app.wasm", ["--help"], stdin=b"...")
print(done.exit_code, done.stdout, done.denials)
"""

from branes import errors
from branes.api import Python, python, run
from branes.outcome import Completed, Denial, Usage

__all__ = ["Completed", "Denial", "Python", "Usage", "errors", "python", "run"]
