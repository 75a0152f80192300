"""N01: open files of the host."""

from escapes.canaries import Secret
from escapes.harness import Native, Row, denied

OTHERS = "only root may follow the root of process 1"
ELSEWHERE = "the canary is in another file; the way is that of the first attempt"

ROW = Row(
    id="N01",
    title="open a file of the host",
    layers=("process",),
    canary=Secret,
    attempts=(
        Native(name="openat", words=("{path}",), expected=denied("openat")),
        Native(name="openat2", words=("{path}",), expected=denied("openat2")),
        Native(name="proc-self-root", words=("/proc/self/root{path}",), expected=denied("openat")),
        Native(name="proc-1-root", words=("/proc/1/root{path}",), expected=denied("openat"), no_control=OTHERS),
        Native(name="passwd", words=("/etc/passwd",), expected=denied("openat"), no_control=ELSEWHERE),
        Native(name="sys", words=("/sys/kernel/notes",), expected=denied("openat"), no_control=ELSEWHERE),
    ),
)
