"""W16: grow memory or a table for ever. The guest is told -1 and goes on; the log has it once."""

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

MEMORY, TABLE = b"\0" * 8, b"\1" * 8

ROW = Row(
    id="W16",
    title="memory and table bomb",
    layers=("language",),
    canary=Word,
    attempts=tuple(
        Guest(
            name=name,
            expected=language("limit.memory"),
            run=guest("grow.wat", stdin=which, memory="64MiB"),
            without=guest("grow.wat", stdin=which, memory="512MiB"),
        )
        for name, which in (("memory", MEMORY), ("table", TABLE))
    ),
)
