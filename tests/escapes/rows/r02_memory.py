"""R02: take memory for ever, whatever the kernel answers, in each way that some limit does not count."""

from branes.limits import Limits
from escapes.harness import Native, Row, denied, limited

#: A control takes as much and ends; in the cage there is less.
MEBIBYTES = "1024"
LIMITS = Limits(memory=64 << 20, timeout=20.0)

ROW = Row(
    id="R02",
    title="memory bomb",
    layers=("process",),
    attempts=tuple(
        Native(name=name, words=(MEBIBYTES,), expected=expected, limits=LIMITS)
        for name, expected in (
            ("private", limited("memory")),
            ("page-tables", limited("memory")),
            # Neither VmData nor RLIMIT_DATA counts these.
            ("shared", denied("mmap")),
            ("grows-down", denied("mmap")),
            ("made-read-only", denied("mprotect")),
        )
    ),
)
