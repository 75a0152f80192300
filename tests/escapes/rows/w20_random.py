"""W20: ask for so many random bytes at once that the host's memory is gone."""

import struct

from escapes.canaries import Word
from escapes.harness import Guest, Row, guest, language

FOUR_GIBIBYTES, MOST, FEW = (struct.pack("<Q", count) for count in (1 << 32, (1 << 64) - 1, 64))

ROW = Row(
    id="W20",
    title="4 GiB of randomness",
    layers=("language",),
    canary=Word,
    attempts=tuple(
        Guest(
            name=name,
            expected=language("limit.memory", "trap"),
            run=guest("random.wat", stdin=count),
            without=guest("random.wat", stdin=FEW),
            differs="the most at once is not a caller's to set; the same call for fewer bytes",
        )
        for name, count in (("4-gib", FOUR_GIBIBYTES), ("2-to-the-64", MOST))
    ),
)
