"""R05: burn processor time, and ignore the signal that would end it."""

from branes.limits import Limits
from escapes.harness import Native, Row, denied, limited

SIGXCPU = 24

ROW = Row(
    id="R05",
    title="processor time",
    layers=("process",),
    attempts=(
        Native(name="spin", words=("2",), expected=limited("time", "deadline"), limits=Limits(timeout=0.5)),
        Native(name="catch", words=("2",), expected=denied("rt_sigaction", SIGXCPU)),
    ),
)
