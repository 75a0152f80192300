"""N14: connect to a listener of the host that has a name but no path."""

from escapes.canaries import Listener
from escapes.harness import Native, Row, call, denied

AF_UNIX, SOCK_STREAM = 1, 1

ROW = Row(
    id="N14",
    title="connect to an abstract listener of the host",
    layers=("process",),
    canary=Listener,
    attempts=(
        Native(name="connect", words=("{address}",), expected=denied("socket", AF_UNIX, SOCK_STREAM)),
        call("connect", 4, 0, 0),
        call("socketpair", AF_UNIX, SOCK_STREAM, 0, 0),
        call("sendto", 4, 0, 0, 0, 0, 0),
        call("sendmsg", 4, 0, 0),
        call("recvmsg", 3, 0, 0),
    ),
)
