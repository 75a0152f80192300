"""Finds the executables and guests that ship in the package, and says where it looked when one is missing."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

from branes import _kernel
from branes.errors import HostFault

_PACKAGE = Path(__file__).parent


def find(folder: str, name: str) -> Path:
    """The file `name` of the package's `folder`.

    Raises:
        HostFault: it is not there.
    """
    path = _PACKAGE / folder / name
    if not path.is_file():
        raise HostFault(
            f"{name} is missing from this installation; looked for {path}",
            hint="reinstall branes from a wheel, or run `make build` in a checkout",
        )
    return path


@cache
def executable(name: str) -> Path:
    """Path of the executable `name`."""
    return find("_bin", name)


@cache
def executable_digest(name: str) -> str:
    """SHA-256 of the executable, in hexadecimal."""
    return hashlib.sha256(executable(name).read_bytes()).hexdigest()


_memfds: dict[tuple[int, Path], int] = {}


def sealed(path: Path) -> int:
    """A sealed memfd with the executable at `path`, made once in a process: what runs cannot be changed under it."""
    key = (os.getpid(), path)
    if key not in _memfds:
        _memfds[key] = _kernel.sealed_memfd(path.name, path.read_bytes(), executable=True)
    return _memfds[key]
