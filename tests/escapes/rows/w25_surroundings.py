"""W25: look for secrets in environment and arguments. Nothing is refused, since nothing is there."""

import os

import branes
from escapes.canaries import Nonce, Word
from escapes.harness import Guest, Row, Run, guest
from escapes.lab import Ended, Lab

LOOK = """
import os, sys
if len(os.environ) or len(sys.argv) > 1:
    print("canary")
try:
    print(os.listdir("."), os.listdir("/"))
except OSError:
    pass
else:
    print("canary")
"""


def python(**asks: dict[str, str]) -> Run:
    def run(lab: Lab, canary: Nonce) -> Ended:
        def look() -> branes.Completed:
            with branes.python(**asks) as interpreter:
                return interpreter.run(LOOK)

        os.environ["SECRET"] = canary.nonce
        try:
            return lab.guest(look)
        finally:
            del os.environ["SECRET"]

    return Run(LOOK, run)


ROW = Row(
    id="W25",
    title="look for secrets in environment, arguments and folders",
    layers=("language",),
    canary=Word,
    attempts=(
        Guest(
            name="environment",
            expected=None,
            run=guest("surroundings.wat"),
            without=guest("surroundings.wat", env={"SECRET": "s"}),
        ),
        Guest(
            name="arguments",
            expected=None,
            run=guest("surroundings.wat"),
            without=guest("surroundings.wat", args=["secret"]),
        ),
        Guest(name="python", expected=None, run=python(), without=python(env={"SECRET": "s"})),
    ),
)
