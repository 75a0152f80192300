"""W05: look up a name, which tells whoever answers for it."""

import subprocess
import sys
from pathlib import Path

import branes
from escapes.canaries import Nonce
from escapes.harness import Guest, Row, Run, language
from escapes.lab import Bare, Ended, Lab

RESOLVER = Path(__file__).parents[1] / "resolver.py"
CODE = """
import socket
try:
    socket.getaddrinfo("{nonce}.example", 80)
except OSError:
    pass
"""


def attack(lab: Lab, canary: Nonce) -> Ended:
    def run() -> branes.Completed:
        with branes.python() as python:
            return python.run(CODE.format(nonce=canary.nonce))

    ended = lab.guest(run)
    (record,) = (record for record in ended.records if record.event == "wasi.denied")
    assert canary.nonce in str(record.tried["arguments"]), "the record has the name"
    return ended


def control(_lab: Lab, canary: Nonce) -> Bare:
    command = [sys.executable, RESOLVER, CODE.format(nonce=canary.nonce)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    return Bare(code=done.returncode, dumped=False, output=done.stdout, errors=done.stderr)


ROW = Row(
    id="W05",
    title="look up a name",
    layers=("language",),
    attempts=(
        Guest(
            name="getaddrinfo",
            expected=language("wasi.denied", rule="interface-denied", function="resolve-addresses"),
            run=Run(CODE, attack),
            without=Run(CODE, control),
        ),
    ),
)
