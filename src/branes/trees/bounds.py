"""How much a tree may hold, and which names are names. Values in, verdicts out.

The bounds on names are those of Linux (NAME_MAX, PATH_MAX in limits.h); the depth is that of `crates/brane-tree`.
What a name's fault means for the caller is left to the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from branes.errors import InputError
from branes.text import escape

#: Most bytes of UTF-8 in one name.
MAX_NAME: Final = 255
#: Most bytes of UTF-8 in one path, or in a symlink's target.
MAX_PATH: Final = 4095
#: Most names in one path.
MAX_DEPTH: Final = 64
#: Most characters of a path in a message.
_SHOWN: Final = 200
#: The general category Cc, the other line ends, and what turns the order in which a name is shown (Unicode Standard
#: Annex 9).
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The most that is taken in or out at once.

    Attributes:
        size: bytes of content, each file counted in full.
        entries: files, folders and symlinks.
    """

    size: int = 4 << 30
    entries: int = 200_000


class Tally:
    """What was taken in so far, against its bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.size = 0
        self.entries = 0

    def entry(self) -> None:
        """Count one entry.

        Raises:
            InputError: it is one too many.
        """
        self.entries += 1
        if self.entries > self._bounds.entries:
            raise InputError(
                f"there are more than {self._bounds.entries:,} files, folders and symlinks to take in",
                hint="take in a smaller folder, or raise the bound on entries",
            )

    def content(self, size: int) -> None:
        """Count `size` bytes of content.

        Raises:
            InputError: they are too many.
        """
        self.size += size
        if self.size > self._bounds.size:
            raise InputError(
                f"there are more than {self._bounds.size:,} bytes of content to take in, and that is the limit",
                hint="take in a smaller folder, or raise the bound on size",
            )


def name_fault(name: str) -> str | None:
    """Why `name` cannot be the name of one entry of a tree; None if it can."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "has a name that is not UTF-8"
    if name in {"", ".", ".."}:
        return "has no name of its own"
    if "/" in name or "\0" in name:
        return "has a slash or NUL in its name"
    if size > MAX_NAME:
        return f"has a name of {size} bytes, at most {MAX_NAME} allowed"
    return None


def unsafe_name_fault(name: str) -> str | None:
    """As `name_fault`, and also why a name from elsewhere is not to be written or shown to anybody."""
    if _CONTROLS.search(name):
        return "has control characters in its name"
    return name_fault(name)


def path_fault(path: str) -> str | None:
    """Why `path`, whose names are sound, is too long or too deep; None if it is not."""
    size, depth = len(path.encode()), path.count("/") + 1
    if size > MAX_PATH:
        return f"has a path of {size} bytes, at most {MAX_PATH} allowed"
    if depth > MAX_DEPTH:
        return f"lies {depth} deep, at most {MAX_DEPTH} allowed"
    return None


def target_fault(target: str) -> str | None:
    """Why no symlink can have `target`; None if one can."""
    try:
        size = len(target.encode())
    except UnicodeEncodeError:
        return "has a target that is not UTF-8"
    if not 0 < size <= MAX_PATH:
        return f"has a target of {size} bytes, expected 1 to {MAX_PATH}"
    if "\0" in target:
        return "has NUL in its target"
    return None


def unsafe_target_fault(target: str) -> str | None:
    """As `target_fault`, and also why a target from elsewhere is not to be written or shown to anybody."""
    if _CONTROLS.search(target):
        return "has control characters in its target"
    return target_fault(target)


def shown(path: str) -> str:
    """`path` as messages show it: escaped, and not at any length."""
    safe = escape(path)
    return safe if len(safe) <= _SHOWN else f"{safe[:_SHOWN]}..."
