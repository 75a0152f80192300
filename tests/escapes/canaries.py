"""Canaries: what an attack would touch. The harness owns each, and looks at it itself afterwards.

A canary gives its values to the words of an attempt, and says whether it was touched. `Nonce` is for attacks without
an effect outside of their process: the payload writes a nonce on success only, and writing is allowed in the cage.
"""

from __future__ import annotations

import secrets
import socket
import subprocess
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

#: Seconds that an effect which does not wait for its cause may take to show.
SECONDS = 5.0


class Nonce:
    """Touched when the payload's nonce arrives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.nonce = secrets.token_hex(16)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take away what was set up."""

    @property
    def values(self) -> Mapping[str, object]:
        """Values for the words of an attempt."""
        return {"folder": self.folder}

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Descriptors that the attacker's process inherits."""
        return ()

    def touched(self, output: bytes, *, wait: bool) -> bool:  # noqa: ARG002 -- others wait
        """Whether the attack had its effect. `wait`: it must have had, and may need a moment to show."""
        return self.nonce.encode() in output


class Secret(Nonce):
    """A file of the host; touched when what is in it arrives."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.secret = secrets.token_hex(16)
        self.path = folder / "secret"
        self.path.write_text(self.secret)

    @property
    def values(self) -> Mapping[str, object]:
        return {"folder": self.folder, "path": self.path}

    def touched(self, output: bytes, *, wait: bool) -> bool:  # noqa: ARG002
        return self.secret.encode() in output
