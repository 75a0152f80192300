"""W14: loop for ever, without any call that could be counted."""

import struct

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, limited

FOR_EVER, LONG, SHORT = (struct.pack("<Q", rounds) for rounds in (0, 2_000_000_000, 1000))
LIMIT = 0.2

ROW = Row(
    id="W14",
    title="infinite loop",
    layers=("process",),
    canary=Word,
    attempts=(
        Guest(
            name="for-ever",
            expected=limited("time", "deadline"),
            run=guest("loop.wat", stdin=FOR_EVER, timeout=LIMIT),
            without=guest("loop.wat", stdin=SHORT, timeout=LIMIT),
            differs="what never ends has no end to be seen; the next attempt has the same payload, and more time",
        ),
        Guest(
            name="long",
            expected=limited("time", "deadline"),
            run=guest("loop.wat", stdin=LONG, timeout=LIMIT),
            without=guest("loop.wat", stdin=LONG, timeout=60),
        ),
    ),
)
