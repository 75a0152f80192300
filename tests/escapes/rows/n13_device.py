"""N13: make a device, or open one."""

from escapes.canaries import Node
from escapes.harness import Native, Row, call, denied

DEV_MEM, DEV_FUSE = 0x101, 0xAE5

ROW = Row(
    id="N13",
    title="make or open a device",
    layers=("process",),
    canary=Node,
    attempts=(
        Native(name="fifo", words=("{path}",), expected=denied("mknodat")),
        Native(name="device", words=("{path}", str(DEV_MEM)), expected=denied("mknodat"), controlled=False),
        call("mknod", 0, 0o20600, DEV_FUSE),
        *(
            Native(
                name=f"open-{device}",
                payload="n01",
                words=(f"/dev/{device}",),
                expected=denied("openat"),
                controlled=False,
            )
            for device in ("null", "mem", "kvm", "fuse", "cuse")
        ),
    ),
)
