"""N09: start another process or thread, in new namespaces or not."""

from escapes.harness import Native, Row, call, denied

SIGCHLD, CLONE_NEWUSER, CLONE_NEWPID, THREAD = 17, 0x10000000, 0x20000000, 0x10F00

ROW = Row(
    id="N09",
    title="start another process",
    layers=("process",),
    attempts=(
        Native(name="clone", expected=denied("clone", SIGCHLD)),
        Native(name="clone-namespaces", expected=denied("clone", CLONE_NEWUSER | CLONE_NEWPID | SIGCHLD)),
        Native(name="clone3", expected=denied("clone3")),
        call("clone", THREAD, 0),
        call("fork"),
        call("vfork"),
    ),
)
