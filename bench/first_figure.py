"""A first figure: a fresh brane of a small component, from the Python call to its result, all layers on, log durable.

Beside it, in the same run and in turn, a C program that does the bare kernel work (`control.c`). Usage:
`.venv/bin/python bench/first_figure.py [--json]`; needs a C compiler.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import branes

ROUNDS = 6
EACH = 50
COMPONENT = b"""
(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
"""


def control(program: Path) -> list[float]:
    """Microseconds of `EACH` rounds of the bare kernel work."""
    done = subprocess.run([program, str(EACH)], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def fresh_branes() -> list[float]:
    """Microseconds of `EACH` fresh branes."""
    times = []
    for _ in range(EACH):
        start = time.perf_counter()
        if branes.run(COMPONENT, preset="none").exit_code != 0:
            raise SystemExit("the component failed")
        times.append((time.perf_counter() - start) * 1e6)
    return times


def figures(times: list[float]) -> dict[str, float]:
    """p50, p90 and p99 in microseconds."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50": round(cuts[49]), "p90": round(cuts[89]), "p99": round(cuts[98])}


def measure() -> dict[str, object]:
    """Both, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "control"
        source = Path(__file__).with_name("control.c")
        subprocess.run(["cc", "-O2", "-static", "-o", program, source], check=True)
        branes.run(COMPONENT, preset="none")
        pairs = [(control(program), fresh_branes()) for _ in range(ROUNDS)]
    bare = figures([one for pair in pairs for one in pair[0]])
    fresh = figures([one for pair in pairs for one in pair[1]])
    return {
        "rounds": ROUNDS * EACH,
        "control_us": bare,
        "fresh_us": fresh,
        "ratio_p50": round(fresh["p50"] / bare["p50"], 2),
    }


if __name__ == "__main__":
    result = measure()
    if "--json" in sys.argv:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:12} {value}")
