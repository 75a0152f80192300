"""Stage 1: what a caller asks for, as one frozen value. Everything not asked for is denied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from branes import mounts
from branes.errors import UsageError
from branes.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from branes.trees.late import Content, Seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What one brane is asked to be.

    Attributes:
        preset: the named set of interfaces to start from.
        grants: interfaces, or whole packages, granted beyond it.
        denials: interfaces, or whole packages, linked so that each use is refused and recorded.
        env: the guest's environment.
        limits: what it may use.
        trees: read-only directories: the guest's path to the folder of the host whose content is there.
        scratch: writable directories: the guest's path to what is there at first, None for nothing.
        tools: functions of the caller's that it may call, by name.
        files: files of this run under `mounts.FILES`, by name; None for no such directory.
    """

    preset: str = "command"
    grants: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    trees: Mapping[str, str] = field(default_factory=dict)
    scratch: Mapping[str, Seed | None] = field(default_factory=dict)
    files: Mapping[str, Content] | None = None

    def __post_init__(self) -> None:
        for name, value in self.env.items():
            _check_variable(name, value)
        for path in (*self.trees, *self.scratch):
            if mounts.guest_path(path) != path:
                raise UsageError(f"the guest's path {path!a} is not in its one spelling", hint=mounts.guest_path(path))
        self.mounts()

    def mounts(self) -> tuple[mounts.Mount, ...]:
        """The directories that the guest is given, in order.

        Raises:
            UsageError: two are at the same path, or there are too many.
        """
        return mounts.decide(self.preset, self.trees, self.scratch, files=self.files is not None)


def _check_variable(name: str, value: str) -> None:
    """POSIX: no `=` in a name, no NUL in either."""
    check_text(name, "the name of an environment variable")
    check_text(value, "the value of an environment variable")
    if not name or "=" in name or "\0" in name + value:
        raise UsageError(f"environment variable {name!a} has no valid name or value")


def words(value: Iterable[str], what: str) -> tuple[str, ...]:
    """Several words; one word by itself would be taken for its letters.

    Raises:
        UsageError: `value` is a single str or bytes, or holds something else than text.
    """
    if isinstance(value, str | bytes):
        raise UsageError(f"{what} is a single {type(value).__name__}, expected a list", hint=f"write [{value!a}]")
    found = tuple(value)
    for word in found:
        check_text(word, f"one of {what}")
    return found


def check_text(value: str, what: str) -> None:
    """Refuse what is no text, or has no UTF-8 form, which is what WASI strings are.

    Raises:
        UsageError: `value` is not a str, or holds lone surrogates.
    """
    if not isinstance(value, str):
        raise UsageError(f"{what} is of type {type(value).__name__}, expected str")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} is not valid Unicode, which WASI requires") from error
