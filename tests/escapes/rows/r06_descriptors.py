"""R06: use up descriptors."""

from escapes.harness import Native, Row, call, denied

ROW = Row(
    id="R06",
    title="use up descriptors",
    layers=("process",),
    attempts=(
        Native(name="dup", expected=denied("dup", 1)),
        Native(name="fcntl", expected=denied("fcntl", 1, 0)),
        call("pipe", 0),
        call("eventfd2", 0, 0),
        call("dup2", 3, 9),
        call("epoll_create1", 0),
    ),
)
