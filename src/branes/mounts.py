"""What a guest finds as directories: where, and of which kind. Pure; what is in them is brought by others.

- `tree`: read only, the content of a folder of the host, known by its digest; part of the template.
- `scratch`: writable, in memory, gone at the end; what is in it at first is bound late.
- `files`: read only, the files of one run, bound late.

A guest's path is absolute and has one spelling. Mounts stand in the order of their paths, which numbers them: commands
about files and the late image know them by number. Where one lies in another, the longer path is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from branes.errors import UsageError
from branes.trees.bounds import path_fault, shown, unsafe_name_fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Kind = Literal["tree", "scratch", "files"]
_Value = TypeVar("_Value")

#: Where the files of one run are.
FILES: Final = "/data"
#: Where Python may write.
SCRATCH: Final = "/scratch"
#: What each preset has, asked for or not: with the same mounts, one template serves every request.
_ALWAYS: Final[Mapping[str, Mapping[str, Kind]]] = {"python": {FILES: "files", SCRATCH: "scratch"}}
#: Most mounts of one brane; each tree is one descriptor beside a message.
MAX_MOUNTS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One directory that a guest is given.

    Attributes:
        path: where the guest sees it.
        kind: what it is.
        digest: of a tree: what is in it.
    """

    path: str
    kind: Kind
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A guest's path as commands about files name it.

    Attributes:
        path: the guest's path.
        mount: number of the mount that it lies in.
        inside: the names below that, joined by slashes; "" for the mount itself.
        kind: of the mount.
    """

    path: str
    mount: int
    inside: str
    kind: Kind


def guest_path(path: object) -> str:
    """`path` in its one spelling: absolute, without empty names and dots.

    Raises:
        UsageError: it is no path of a guest.
    """
    if not isinstance(path, str):
        raise UsageError(f"a guest's path is of type {type(path).__name__}, expected str")
    names = [name for name in path.split("/") if name not in {"", "."}]
    if not path.startswith("/"):
        raise UsageError(f"the guest's path '{shown(path)}' is not absolute", hint=f"write it like /{shown(path)}")
    if ".." in names:
        raise UsageError(f"the guest's path '{shown(path)}' has .. in it", hint="name the directory that is meant")
    fault = next(filter(None, map(unsafe_name_fault, names)), None) or path_fault("/".join(names))
    if fault:
        raise UsageError(f"the guest's path '{shown(path)}' {fault}")
    return "/" + "/".join(names)


def by_path(pairs: Iterable[tuple[object, _Value]]) -> dict[str, _Value]:
    """`pairs` by the guest's path.

    Raises:
        UsageError: a path is none, or is there twice.
    """
    found: dict[str, _Value] = {}
    for path, value in pairs:
        spelled = guest_path(path)
        if spelled in found:
            raise _twice(spelled)
        found[spelled] = value
    return found


def decide(preset: str, trees: Iterable[str], scratch: Iterable[str], *, files: bool) -> tuple[Mount, ...]:
    """The mounts of a brane, in order.

    Args:
        preset: its preset, which may always have some.
        trees: guest's paths of trees.
        scratch: likewise of scratch.
        files: whether there are files of its own.

    Raises:
        UsageError: two are at the same path, or there are too many.
    """
    asked: list[tuple[str, Kind]] = [(path, "tree") for path in trees]
    asked += [(path, "scratch") for path in scratch]
    asked += [(FILES, "files")] if files else []
    found: dict[str, Kind] = {}
    for path, kind in asked:
        if path in found:
            raise _twice(path)
        found[path] = kind
    found = {**_ALWAYS.get(preset, {}), **found}
    if len(found) > MAX_MOUNTS:
        raise UsageError(f"there are {len(found)} directories for the guest, at most {MAX_MOUNTS} allowed")
    return tuple(Mount(path=path, kind=found[path]) for path in sorted(found))


def _twice(path: str) -> UsageError:
    return UsageError(f"the guest's path {shown(path)} is given twice", hint="one directory at each path")


def locate(mounts: Sequence[Mount], path: object) -> Place:
    """Where a guest's path lies.

    Raises:
        UsageError: it is no path of a guest, or lies in no mount.
    """
    spelled = guest_path(path)
    around = [number for number, mount in enumerate(mounts) if _inside(spelled, mount.path) is not None]
    if not around:
        there = ", ".join(mount.path for mount in mounts) or "none"
        raise UsageError(f"{shown(spelled)} is in no directory of the guest", hint=f"there are: {there}")
    number = max(around, key=lambda number: len(mounts[number].path))
    mount = mounts[number]
    return Place(path=spelled, mount=number, inside=_inside(spelled, mount.path) or "", kind=mount.kind)


def _inside(path: str, mount: str) -> str | None:
    """The names of `path` below `mount`; None if it does not lie there."""
    if path == mount:
        return ""
    prefix = mount if mount == "/" else f"{mount}/"
    return path[len(prefix) :] if path.startswith(prefix) else None
