"""S16: take other ids or capabilities."""

from escapes.harness import Native, Row, call, denied

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAP_AMBIENT = 4, 22, 47

ROW = Row(
    id="S16",
    title="other ids and capabilities",
    layers=("process",),
    attempts=(
        Native(name="setuid", stage="userns", expected=denied("setuid", 0)),
        Native(name="setgid", stage="userns", expected=denied("setgid", 0)),
        Native(name="setresuid", stage="userns", expected=denied("setresuid", 0, 0, 0)),
        Native(name="capset", stage="userns", expected=denied("capset")),
        Native(
            name="setgroups",
            expected=denied("setgroups", 0),
            no_control="a user namespace of an ordinary user's forbids it",
        ),
        call("setfsuid", 0),
        call("prctl", PR_SET_DUMPABLE, 1),
        call("prctl", PR_SET_SECCOMP, 2, 0),
        call("prctl", PR_CAP_AMBIENT, 2, 21),
        call("seccomp", 1, 0, 0),
        call("setrlimit", 4, 0),
        call("prlimit64", 0, 9, 0, 0),
    ),
)
