"""S11: run a program that is in no file system."""

from escapes.harness import Native, Row, call, denied

AT_EMPTY_PATH = 0x1000

ROW = Row(
    id="S11",
    title="run a program out of memory",
    layers=("process",),
    attempts=(
        Native(name="memfd", expected=denied("memfd_create")),
        call("execveat", 3, 0, 0, 0, AT_EMPTY_PATH),
        call("execve", 0, 0, 0),
        call("memfd_secret", 0),
    ),
)
