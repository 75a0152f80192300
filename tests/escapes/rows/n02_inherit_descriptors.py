"""N02: use a descriptor that the owner left open (CVE-2024-21626)."""

from escapes.canaries import Leak
from escapes.harness import Native, Row, denied

ROW = Row(
    id="N02",
    title="use descriptors that the owner left open",
    layers=("process",),
    canary=Leak,
    attempts=(Native(name="fcntl", expected=denied("fcntl", 0)),),
)
