"""R02: take memory for ever, whatever the kernel answers."""

from branes.limits import Limits
from escapes.harness import Native, Row, limited

#: A control takes as much and ends; in the cage there is less.
MEBIBYTES = "256"
LIMITS = Limits(memory=64 << 20, timeout=20.0)

ROW = Row(
    id="R02",
    title="memory bomb",
    layers=("process",),
    attempts=tuple(
        Native(name=kind, words=(MEBIBYTES,), expected=limited("memory"), limits=LIMITS)
        for kind in ("private", "shared", "grows-down")
    ),
)
