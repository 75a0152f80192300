"""All that lasts: one folder of this user's, and the host key in it.

`$BRANES_STATE`, by default `$XDG_STATE_HOME/branes` or `~/.local/state/branes`. Relative paths are refused, so that no
log depends on where somebody stood:

    audit/     the log
    cache/     compiled programs and filters, authenticated with the host key
    keys/      the host key, 0600
"""

from __future__ import annotations

import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from branes.errors import HostFault
from branes.text import escape

_KEY_SIZE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDir:
    """The folder that lasts.

    Attributes:
        root: its path.
    """

    root: Path

    @property
    def audit(self) -> Path:
        """Folder of the audit log."""
        return self.root / "audit"

    @property
    def cache(self) -> Path:
        """Folder of what can be made again."""
        return self.root / "cache"

    def host_key(self) -> bytes:
        """The key of this host and user, made on first use.

        Raises:
            HostFault: it cannot be made or read, or others can read it.
        """
        path = private(self.root / "keys") / "host.key"
        if not path.exists():
            _make_key(path)
        return _read_key(path)


def default() -> StateDir:
    """The folder that the environment names, made if need be.

    Raises:
        HostFault: it is a relative path, cannot be made, or belongs to somebody else.
    """
    return StateDir(root=private(named().root))


def named() -> StateDir:
    """The folder that the environment names, whether it is there or not.

    Raises:
        HostFault: it is a relative path, or there is none.
    """
    return StateDir(root=_absolute("BRANES_STATE") or _base() / "branes")


def _absolute(variable: str) -> Path | None:
    text = os.environ.get(variable)
    if not text:
        return None
    path = Path(text)
    if not path.is_absolute():
        raise HostFault(
            f"{variable} is {escape(text)}, expected an absolute path",
            hint=_as_absolute(variable, text),
        )
    return path


def _as_absolute(variable: str, text: str) -> str:
    try:
        return f"write {variable}={escape(os.path.abspath(text))}"  # noqa: PTH100 -- links stay as they are written
    except OSError:
        return "the working directory is gone: change to another, or write an absolute path"


def _base() -> Path:
    named = _absolute("XDG_STATE_HOME")
    if named is not None:
        return named
    try:
        return Path.home() / ".local" / "state"
    except RuntimeError as error:
        raise HostFault("this user has no home folder", hint="set BRANES_STATE to a folder of its own") from error


def private(path: Path) -> Path:
    """The folder `path`, made if need be; this user's alone.

    Raises:
        HostFault: it cannot be made, is not a folder, belongs to somebody else, or is below a folder in which
            others can put another in its place.
    """
    try:
        _refuse_replaceable(path)
        _make(path)
        found = os.lstat(path)
    except OSError as error:
        raise HostFault(
            f"the state folder cannot be made: {error}", hint="set BRANES_STATE to a folder that you can write to"
        ) from error
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise HostFault(
            f"{path} must be a folder that only this user can write to",
            hint="set BRANES_STATE to another folder, or correct owner and mode of this one",
        )
    return path


def _make(path: Path) -> None:
    """Make a folder and those above it that are not there, each for this user alone whatever the umask."""
    if not path.parent.exists():
        _make(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def _refuse_replaceable(path: Path) -> None:
    """Refuse a place below a folder in which anybody can rename or remove what is in it (unlink(2), EPERM).

    Groups are not looked at: many systems give each user one of its own, with a home folder that it can write to.
    """
    for above in dict.fromkeys([*path.parents, *Path(os.path.realpath(path)).parents]):
        try:
            mode = above.stat().st_mode
        except OSError:
            continue  # not there yet, or nothing below it can be reached: making it says so
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise HostFault(
                f"{escape(str(path))} is below {escape(str(above))}, where everybody can put another in its place",
                hint=f"chmod o-w {escape(str(above))}, or set BRANES_STATE to another folder",
            )


def _make_key(path: Path) -> None:
    """Write a new key beside and link it into place: of two processes that try, one wins, and no half key is read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_KEY_SIZE))
            file.flush()
            os.fsync(descriptor)
        try:
            os.link(beside, path)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
    except OSError as error:
        raise HostFault(f"the host key cannot be made: {error}") from error


def _read_key(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe under this name would make open(2) wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            key = file.read(_KEY_SIZE + 1)
    except OSError as error:
        raise HostFault(f"the host key cannot be read: {error}") from error
    if found.st_uid != os.geteuid() or found.st_mode & 0o077 or len(key) != _KEY_SIZE:
        raise HostFault(
            f"{path} is not a key that only this user can read",
            hint="remove it: a new one is made, and what was compiled is compiled again",
        )
    return key
