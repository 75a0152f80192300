"""S03: the system calls of i386 and of x32, whose numbers mean other things."""

from escapes.harness import Expected, Native, Row, number_of

X32 = 0x40000000
# The kernel kills before anybody can be asked: what is known is the signal.
KILLED = Expected(
    layer="process",
    rule="architecture",
    event="seccomp.denied",
    kind="escape",
    tried={"syscall": "of a foreign architecture"},
)

NO_X32 = "most kernels are built without x32, and refuse its numbers themselves"

ROW = Row(
    id="S03",
    title="system calls of a foreign architecture",
    layers=("process",),
    attempts=(
        Native(name="int80", expected=KILLED),
        *(
            Native(name=f"x32-{name}", payload="call", words=(str(X32 | number),), expected=KILLED, no_control=NO_X32)
            for name, number in (
                ("getpid", number_of("getpid")),
                ("read", number_of("read")),
                ("exit_group", number_of("exit_group")),
                ("execveat", 545),
                ("last", 547),
            )
        ),
    ),
)
