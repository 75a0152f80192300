"""N08: become root of a user namespace, and reach the kernel's network administration from there."""

from escapes.harness import Native, Row, call, denied

CLONE_NEWUSER, CLONE_NEWNET, AF_NETLINK = 0x10000000, 0x40000000, 16

ROW = Row(
    id="N08",
    title="a user namespace of one's own, then netlink",
    layers=("process",),
    attempts=(
        Native(name="unshare", expected=denied("unshare", CLONE_NEWUSER | CLONE_NEWNET)),
        Native(name="netlink", expected=denied("socket", AF_NETLINK)),
        call("setns", 3, 0),
    ),
)
