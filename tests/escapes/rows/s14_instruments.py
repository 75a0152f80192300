"""S14: the kernel's instruments. Which of them an ordinary user may have differs between hosts: one is enough."""

from pathlib import Path

from escapes.canaries import Bystander
from escapes.harness import Native, Row, call, denied


def setting(name: str, default: int) -> int:
    path = Path("/proc/sys") / name
    return int(path.read_text()) if path.exists() else default


REFUSES = "this kernel's settings refuse it to an ordinary user"
COUNTERS = "" if setting("kernel/perf_event_paranoid", 2) <= 2 else REFUSES
PROGRAMS = "" if setting("kernel/unprivileged_bpf_disabled", 2) == 0 else REFUSES

ROW = Row(
    id="S14",
    title="bpf, perf, userfaultfd, kcmp",
    layers=("process",),
    canary=Bystander,
    attempts=(
        Native(name="kcmp", words=("{pid}",), expected=denied("kcmp")),
        Native(name="userfaultfd", expected=denied("userfaultfd")),
        Native(name="perf_event_open", expected=denied("perf_event_open"), no_control=COUNTERS),
        Native(name="bpf", expected=denied("bpf", 0), no_control=PROGRAMS),
        call("process_vm_readv", 1, 0, 0, 0, 0, 0),
        call("process_vm_writev", 1, 0, 0, 0, 0, 0),
        call("pidfd_getfd", 3, 0, 0),
        call("process_madvise", 3, 0, 0, 0, 0),
    ),
)
