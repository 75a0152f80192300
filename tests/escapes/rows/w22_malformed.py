"""W22: a program that does not parse or validate, against the compiler rather than at run time."""

import branes
from escapes import binary
from escapes.canaries import Nonce, Word
from escapes.harness import Guest, Row, Run, language
from escapes.lab import Ended, Lab

#: From here on the function's body, which writes the canary.
BODY = binary.MODULE.index(binary.BODY)


def upload(program: bytes) -> Run:
    def run(lab: Lab, _canary: Nonce) -> Ended:
        return lab.guest(lambda: branes.run(program))

    return Run(program, run)


def broken(place: int, byte: int) -> bytes:
    return binary.MODULE[:place] + bytes([byte]) + binary.MODULE[place + 1 :]


ROW = Row(
    id="W22",
    title="malformed program",
    layers=("language",),
    canary=Word,
    attempts=tuple(
        Guest(
            name=name,
            expected=language("component.rejected", "bad-input", before_start=True, kind="malformed"),
            run=upload(program),
            without=upload(binary.MODULE),
            differs="what does not parse cannot run anywhere; the same module, sound",
        )
        for name, program in (
            ("unknown-instruction", broken(BODY + 1, 0xFF)),
            ("stack-underflow", broken(BODY + 1, 0x1A)),
            ("truncated", binary.MODULE[:-9]),
            ("unknown-version", broken(4, 7)),
            ("component-of-nothing", binary.component(b"\0asm\1\0\0\0\x7f")),
        )
    ),
)
