"""N13: make a device, or open one."""

from escapes.canaries import Node
from escapes.harness import Native, Row, call, denied

DEV_MEM, DEV_FUSE = 0x101, 0xAE5
PRIVILEGE = "only root of the host may make one"

ROW = Row(
    id="N13",
    title="make or open a device",
    layers=("process",),
    canary=Node,
    attempts=(
        Native(name="fifo", words=("{path}",), expected=denied("mknodat")),
        Native(name="device", words=("{path}", str(DEV_MEM)), expected=denied("mknodat"), no_control=PRIVILEGE),
        call("mknod", 0, 0o20600, DEV_FUSE),
        *(
            Native(
                name=f"open-{device}",
                payload="n01",
                words=(f"/dev/{device}",),
                expected=denied("openat"),
                no_control="the canary is a node that is made, not one that is opened",
            )
            for device in ("null", "mem", "kvm", "fuse", "cuse")
        ),
    ),
)
