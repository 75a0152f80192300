"""R08: crash, so that memory is written to a file."""

from escapes.canaries import Core
from escapes.harness import Expected, Native, Row


def crashed(signal: int) -> Expected:
    """No layer speaks: the record of its end has the signal, and there is no core."""
    return Expected(
        layer="host", rule="", event="run.ended", kind="host-fault", done={"process": {"code": 0, "signal": signal}}
    )


ROW = Row(
    id="R08",
    title="dump memory into a file",
    layers=("process",),
    canary=Core,
    attempts=(
        Native(name="segv", expected=crashed(11)),
        Native(name="ill", expected=crashed(4)),
    ),
)
