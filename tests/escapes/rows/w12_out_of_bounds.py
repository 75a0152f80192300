"""W12: read and write outside of linear memory."""

import struct

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

# How far from the end of memory, in bytes. What is far before it is the guest's own, not the adapter's.
STRADDLE, AT, PAST, FAR_BEFORE = -3, 0, 65536, -200_000
#: An offset of 4 GiB is out of any bounds: there, a plain load.
WITHIN = {"offset-wraps": 0}


def access(way: int, distance: int) -> bytes:
    return struct.pack("<Ii", way, distance)


ROW = Row(
    id="W12",
    title="access memory out of bounds",
    layers=("language",),
    canary=Word,
    attempts=tuple(
        Guest(
            name=f"{name}-{distance}",
            expected=language("wasm.trap", "trap", trap="memory-out-of-bounds"),
            run=guest("bounds.wat", stdin=access(way, distance)),
            without=guest("bounds.wat", stdin=access(WITHIN.get(name, way), FAR_BEFORE)),
            differs="bounds cannot be taken away: the same instruction, within them",
        )
        for name, way, distance in (
            ("load", 0, STRADDLE),
            ("load", 0, PAST),
            ("store", 1, STRADDLE),
            ("store", 1, AT),
            ("offset-wraps", 2, AT),
            ("offset-wraps", 2, -1),
            ("fill", 3, STRADDLE),
            ("copy", 4, AT),
        )
    ),
)
