"""A value that does not fit its type, and where: what encoding and decoding have in common. Pure."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from branes.wit import type_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from branes.wit import Type

#: Characters of a type in an error.
_MAX_TYPE: Final = 80
_NO_NAMES: Final[Mapping[int, str]] = {}


class Misfit(Exception):  # noqa: N818 -- never leaves this package
    """Says what does not fit; `path` leads there, the outermost step first."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what
        self.path: list[str] = []

    def within(self, step: str) -> None:
        """One step further out."""
        self.path.insert(0, step)

    def __str__(self) -> str:
        return f"{', '.join(self.path)}: {self.what}" if self.path else self.what


def got(value: object, expected: Type | str) -> Misfit:
    """A value of the wrong Python type, which alone is told."""
    wanted = expected if isinstance(expected, str) else type_text(expected, _NO_NAMES, _MAX_TYPE)
    return Misfit(f"got {'None' if value is None else type(value).__name__}, expected {wanted}")


def nearest_f32(value: float) -> float:
    """The nearest value that an f32 can have.

    Raises:
        OverflowError: `value` is finite, and there is none that is.
    """
    nearest: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return nearest


def nearest_f32s(values: list[float]) -> list[float]:
    """`nearest_f32` of each."""
    form = f"<{len(values)}f"
    return list(struct.unpack(form, struct.pack(form, *values)))


def is_scalar(char: str) -> bool:
    """Whether it is one Unicode scalar value."""
    return len(char) == 1 and not "\ud800" <= char <= "\udfff"
