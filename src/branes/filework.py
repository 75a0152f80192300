"""What callers may ask for about files: as `branes.asking`, once for both drivers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from branes import handing, mounts
from branes.errors import UsageError
from branes.manifest import words

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path
    from typing import BinaryIO

    from branes.brane import Brane
    from branes.filing import FileInfo
    from branes.trees.late import Content, Seed

    Folder = str | PathLike[str]
    Scratch = str | Iterable[str] | Mapping[str, Seed | None]

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnFiles(Generic[_Value]):
    """Something to do about the files of an open brane.

    Attributes:
        do: does it, and waits.
    """

    do: Callable[[Brane], _Value]


def reading(path: str) -> OnFiles[bytes]:
    """The content of a file of the brane, between calls and after its code has exited.

    Args:
        path: the guest's path, such as `/scratch/out.png`.

    Raises:
        FileError: there is no such file.
    """
    mounts.guest_path(path)
    return OnFiles(do=lambda brane: handing.read(brane, path))


def writing(path: str, data: Content) -> OnFiles[None]:
    """Write a file into the brane, between calls; folders that it lies in are made.

    Args:
        path: the guest's path, such as `/scratch/in.csv`.
        data: bytes, a `Path`, or a binary file object.

    Raises:
        FileError: it cannot be written there, or does not fit into the brane's memory.
    """
    mounts.guest_path(path)
    return OnFiles(do=lambda brane: handing.write(brane, path, data))


def listing(path: str = mounts.SCRATCH, *, recursive: bool = True) -> OnFiles[tuple[FileInfo, ...]]:
    """What lies in a directory of the brane, in the order of paths. Names are the guest's, hostile text.

    Args:
        path: the guest's path.
        recursive: whether what lies further below is in it.

    Raises:
        FileError: there is no such directory.
    """
    mounts.guest_path(path)
    return OnFiles(do=lambda brane: handing.files(brane, path, recursive=recursive))


def saving(path: str, dest: str | Path | BinaryIO, *, force: bool = False) -> OnFiles[Path | None]:
    """Write a file of the brane, or a directory with all that is below it, to disk, without holding it in memory.

    Args:
        path: the guest's path.
        dest: the path to be, or a folder in which it gets its own name; or, for a file, a binary file object.
        force: replace a file that is there.

    Returns:
        Where it is now; None for a file object.

    Raises:
        FileError: there is nothing. GuestFault: a name or symlink is not acceptable. LimitExceeded: it is too much.
        UsageError: the place is taken, or is none. HostFault: it cannot be written.
    """
    mounts.guest_path(path)
    return OnFiles(do=lambda brane: handing.save(brane, path, dest, force=force))


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts:
    """Directories for a guest, as `branes.manifest` has them."""

    trees: Mapping[str, str]
    scratch: Mapping[str, Seed | None]
    files: Mapping[str, Content] | None


def make_mounts(
    trees: Mapping[str, Folder] | None = None, scratch: Scratch = (), files: Mapping[str, Content] | None = None
) -> Mounts:
    """The directories that a caller's words mean.

    Raises:
        UsageError: they mean none.
    """
    if isinstance(scratch, Mapping):
        found = mounts.by_path(scratch.items())
    else:
        listed = (scratch,) if isinstance(scratch, str) else scratch
        found = mounts.by_path((path, None) for path in words(listed, "scratch"))
    folders = mounts.by_path((path, str(_path(folder))) for path, folder in _mapping(trees, "trees").items())
    return Mounts(trees=folders, scratch=found, files=None if files is None else dict(_mapping(files, "files")))


def places_to_take(take: Mapping[str, Folder] | None) -> dict[str, Path]:
    """Where what is taken out is to be, by the guest's path.

    Raises:
        UsageError: a path is none, or is there twice.
    """
    return mounts.by_path((path, _path(dest)) for path, dest in _mapping(take, "take").items())


def _path(place: Folder) -> Path:
    """`place` as a path.

    Raises:
        UsageError: it is none.
    """
    from pathlib import Path  # noqa: PLC0415 -- used here alone

    if not isinstance(place, str) and not hasattr(place, "__fspath__"):
        raise UsageError(f"a path is of type {type(place).__name__}, expected str or pathlib.Path")
    return Path(place)


def _mapping(value: Mapping[str, _Value] | None, what: str) -> Mapping[str, _Value]:
    """`value`, empty for None.

    Raises:
        UsageError: it is no mapping.
    """
    if value is not None and not isinstance(value, Mapping):
        raise UsageError(f"{what} is of type {type(value).__name__}, expected a mapping")
    return value or {}
