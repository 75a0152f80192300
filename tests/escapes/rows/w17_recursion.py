"""W17: recurse for ever."""

import struct

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

FOR_EVER, SHALLOW = (struct.pack("<Q", depth) for depth in (1 << 62, 1000))

ROW = Row(
    id="W17",
    title="unbounded recursion",
    layers=("language",),
    canary=Word,
    attempts=(
        Guest(
            name="recursion",
            expected=language("wasm.trap", "trap", trap="stack-overflow"),
            run=guest("recurse.wat", stdin=FOR_EVER),
            without=guest("recurse.wat", stdin=SHALLOW),
            differs="no stack is deep enough; the same function, less deep",
        ),
    ),
)
