"""N11: replace the program on the host that this process came from (CVE-2019-5736)."""

from escapes.canaries import Executable
from escapes.harness import Native, Row, denied

ROW = Row(
    id="N11",
    title="overwrite the host's executable",
    layers=("process",),
    canary=Executable,
    attempts=(
        Native(name="exe", expected=denied("openat")),
        Native(name="readlink", expected=denied("readlinkat")),
    ),
)
