"""`--take /PATH:DEST`: what a guest leaves behind, copied out once it has ended by itself.

The place is looked at before anything runs. Nothing is taken of a guest that was killed or trapped. What goes wrong is
told with how the guest ended, and leaves nothing of what was being taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from branes import handing
from branes.errors import BranesError, FileError, GuestFault, HostFault, LimitExceeded, UsageError
from branes.mounts import locate

if TYPE_CHECKING:
    from collections.abc import Iterable

    from branes.brane import Brane
    from branes.manifest import Manifest
    from branes.outcome import Completed
    from branes.trees.take import Taker


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One thing to take: the guest's path, and the place that was found for it."""

    path: str
    taker: Taker


def wanted(words: list[str], manifest: Manifest, *, force: bool) -> tuple[Take, ...]:
    """What the words of `--take` mean.

    Raises:
        UsageError: they mean nothing, the path is in no directory of the guest, or the place is taken.
    """
    return tuple(_wanted(word, manifest, force=force) for word in words)


def _wanted(word: str, manifest: Manifest, *, force: bool) -> Take:
    path, _, dest = word.partition(":")
    if not path.startswith("/") or not dest:
        raise UsageError(f"--take {word!a} names no path and place", hint="write it like --take /work/out.csv:out.csv")
    if not manifest.mounts():
        raise UsageError(
            f"--take {word!a}: the guest is given no directory", hint="give it one to write in: --scratch /work"
        )
    place = locate(manifest.mounts(), path)
    return Take(path=place.path, taker=handing.taker(manifest.mounts(), path, dest, force=force))


def take_all(brane: Brane, takes: Iterable[Take], completed: Completed) -> list[dict[str, Any]]:
    """Take all of it; what was taken, and where it is.

    Raises:
        BranesError: something cannot be taken. What came before stays taken.
    """
    done: list[dict[str, Any]] = []
    for take in takes:
        try:
            where, taken = handing.take(brane, take.path, take.taker)
        except BranesError as error:
            raise _told(brane, take, error, completed, done) from error
        done.append(
            {"path": take.path, "to": str(where), "files": taken.files, "bytes": taken.bytes, "digest": taken.digest}
        )
    return done


def _told(
    brane: Brane, take: Take, error: BranesError, completed: Completed, done: list[dict[str, Any]]
) -> BranesError:
    """`error` with how the guest ended; not acceptable is what a host cannot take, for the guest itself ran well."""
    if brane.conduct.fate is None and isinstance(error, GuestFault | LimitExceeded):
        error = HostFault(error.message)
    if isinstance(error, FileError):
        error.hint = ""  # it speaks to those who write Python
    error.message = f"--take {take.path}: {error.message}; the guest itself ended with exit code {completed.exit_code}"
    error.completed = completed
    error.taken = done
    return error
