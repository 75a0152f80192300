"""N10: signal processes of the host."""

from escapes.canaries import Victim
from escapes.harness import Native, Row, call, denied

ALL = -1

ROW = Row(
    id="N10",
    title="kill a process of the host",
    layers=("process",),
    canary=Victim,
    attempts=(
        Native(name="kill", words=("{pid}",), expected=denied("kill")),
        Native(name="tkill", words=("{pid}",), expected=denied("tkill")),
        Native(name="tgkill", words=("{pid}",), expected=denied("tgkill")),
        Native(name="pidfd", words=("{pid}",), expected=denied("pidfd_open")),
        # Signal 0 asks only whether it could: a control would kill everything of this user.
        call("kill", ALL, 0),
        call("pidfd_send_signal", -1, 0, 0, 0),
        call("rt_sigqueueinfo", 1, 0, 0),
        call("rt_tgsigqueueinfo", 1, 1, 0, 0),
        call("ptrace", 16, 1),
    ),
)
