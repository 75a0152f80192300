"""S13: the kernel's keyrings, which belong to a user and to no namespace."""

from escapes.harness import Native, Row, call, denied

PROCESS_KEYRING, SESSION_KEYRING = -2, -3

ROW = Row(
    id="S13",
    title="keyrings",
    layers=("process",),
    attempts=(
        Native(name="add_key", expected=denied("add_key")),
        Native(name="keyctl", expected=denied("keyctl", 0)),
        call("keyctl", 11, SESSION_KEYRING, 0, 0, 0),
        call("request_key", 0, 0, 0, PROCESS_KEYRING),
    ),
)
