"""S05: io_uring, whose operations no filter sees."""

from escapes.harness import Native, Row, call, denied

ROW = Row(
    id="S05",
    title="io_uring",
    layers=("process",),
    attempts=(
        Native(name="setup", expected=denied("io_uring_setup", 1)),
        call("io_uring_enter", 3, 1, 1, 0, 0, 0),
        call("io_uring_register", 3, 0, 0, 0),
    ),
)
