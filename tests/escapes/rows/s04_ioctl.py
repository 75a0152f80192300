"""S04: type into a terminal (TIOCSTI), also with a bit set that the kernel drops (CVE-2019-10063)."""

import os
from pathlib import Path

from escapes.canaries import Terminal
from escapes.harness import Native, Row, denied

TIOCSTI, BIT_32 = 0x5412, 1 << 32
SWITCH = Path("/proc/sys/dev/tty/legacy_tiocsti")
# Linux 6.2 made typing a privilege, where the switch is off; the window's size is anybody's.
MAY_TYPE = os.geteuid() == 0 or not SWITCH.exists() or SWITCH.read_text().strip() == "1"
TYPING = "" if MAY_TYPE else "this kernel does not let an ordinary user type"

ROW = Row(
    id="S04",
    title="type into the terminal",
    layers=("process",),
    canary=Terminal,
    attempts=(
        Native(name="tiocsti", expected=denied("ioctl", 0, TIOCSTI), no_control=TYPING),
        Native(name="tiocsti-bit-32", expected=denied("ioctl", 0, TIOCSTI | BIT_32), no_control=TYPING),
        Native(name="window-size", expected=denied("ioctl", 0)),
        Native(name="pipe", expected=denied("ioctl", 3), no_control="there is no pipe at 3 outside of the cage"),
    ),
)
