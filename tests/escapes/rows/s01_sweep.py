"""S01: every system call there is. The exact match with the policy is `test_sweep.py`; here is one, and its control."""

from escapes.harness import Native, Row, denied, number_of

GETPID = number_of("getpid")

ROW = Row(
    id="S01",
    title="every system call",
    layers=("process",),
    attempts=(Native(name="getpid", payload="call", words=(str(GETPID),), expected=denied("getpid")),),
)
