"""What a brane hands back, written to disk. Everything that comes is hostile; nothing is there before all of it is.

Files and folders are made below a name of their own beside the place where they are to be, each from the descriptor of
its folder, new, and never through a symlink. Symlinks are made last, if all of them stay inside. Then the whole gets
its name, which is not taken from anything that has it, unless a file is to be replaced on purpose. It is not synced:
what is lost with the power is lost.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from branes.errors import GuestFault, HostFault, LimitExceeded, UsageError
from branes.trees.bounds import Bounds, path_fault, shown, unsafe_name_fault, unsafe_target_fault
from branes.trees.held import Held
from branes.trees.links import leading_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from branes.trees.image import Kind

_PLACE_FLAGS: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER_FLAGS: Final = _PLACE_FLAGS | os.O_NOFOLLOW
_NEW_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
#: Most bytes of paths and targets, which are held until the end.
_MAX_NAMES: Final = 64 << 20
#: What link(2) says where the filesystem has no hard links.
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class Taker:
    """One taken file or folder, on its way to disk. Used in a `with`, whose end removes what is not finished."""

    def __init__(self, dest: Path, name: str, *, force: bool = False, bounds: Bounds | None = None) -> None:
        """Look at the place; nothing is written yet.

        Args:
            dest: the path to be; or a folder, in which the item is put under its name.
            name: the taken item's own name.
            force: replace a file by a file. Folders are never replaced.
            bounds: the most to take.

        Raises:
            UsageError: there is no such folder, or the name is taken.
            HostFault: the folder cannot be looked into.
        """
        self._force = force
        self._bounds = bounds or Bounds()
        self._size = self._names = 0
        self._kinds: dict[str, Kind] = {}
        self._links: dict[str, str] = {}
        self._file = _File()
        self._sound = True
        self._beside = f".brane-{secrets.token_hex(8)}"
        self._place, self._above, self._above_path = Held(), Held(), ""
        try:
            self._final = self._find_place(dest, name)
            with _disk(""):
                self._check_free()
        except BaseException:
            self._place.close()
            raise

    def entry(self, path: str, kind: Kind, *, size: int = 0, executable: bool = False, target: str = "") -> None:
        """The next entry; of a file, `write` brings the content.

        Args:
            path: names below the taken item, joined by slashes; "" for the item itself, which comes first.
            kind: what it is.
            size: of a file: its bytes.
            executable: of a file: whether it is one.
            target: of a symlink: where it leads.

        Raises:
            GuestFault: it is not acceptable, or the file before it is not complete.
            LimitExceeded: it is too much.
            HostFault: it cannot be written.
        """
        with self._all_or_nothing():
            self._end_file()
            fault = self._fault(path, kind, size, target)
            if fault:
                raise GuestFault(f"what the guest hands back is refused: {shown(path) or 'it'} {fault}")
            self._count(size, len(path) + len(target))
            self._kinds[path] = kind
            if kind == "symlink":
                self._links[path] = target
                return
            with _disk(path):
                self._make(path, kind, size, executable=executable)

    def write(self, data: bytes | memoryview) -> None:
        """The next piece of the file's content.

        Raises:
            GuestFault: it is more than was declared, or there is no file.
            HostFault: it cannot be written.
        """
        with self._all_or_nothing():
            if len(data) > self._file.left:
                raise GuestFault(
                    f"what the guest hands back is refused: {shown(self._file.path) or 'it'} "
                    f"has more content than the {self._file.size} bytes it declared"
                )
            with _disk(self._file.path):
                self._file.write(memoryview(data))

    def finish(self) -> Path:
        """Give all of it its name; where it is now.

        Raises:
            GuestFault: it is not complete, or a symlink leads out of it.
            UsageError: the name was taken meanwhile.
            HostFault: it cannot be written.
        """
        if not self._sound:
            raise UsageError("what was refused cannot be finished")
        with self._all_or_nothing():
            self._end_file()
            if not self._kinds:
                raise GuestFault("the guest handed nothing back")
            for path in leading_out(self._links):
                target = shown(self._links[path])
                raise GuestFault(
                    f"what the guest hands back is refused: symlink {shown(path)} leads to {target}, out of it"
                )
            with _disk(""):
                for path, target in self._links.items():
                    above, _, name = path.rpartition("/")
                    os.symlink(target, name, dir_fd=self._folder(above))
                self._above.close()
                self._publish()
        self._kinds.clear()
        self._place.close()
        return self._final

    def close(self) -> None:
        """Remove what is not finished. Again is no error."""
        self._file.close()
        self._above.close()
        place, kind = self._place.last(), self._kinds.get("")
        if place is not None and kind is not None:
            _remove(self._beside, kind, place)
        self._place.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _find_place(self, dest: Path, name: str) -> Path:
        """The path to be, whose folder is then held."""
        try:
            self._place.add(os.open, dest, _PLACE_FLAGS)
        except (FileNotFoundError, NotADirectoryError):
            return self._find_parent(dest)
        except (OSError, ValueError) as error:
            raise UsageError(f"{shown(str(dest))} cannot be written to: {error}") from error
        fault = unsafe_name_fault(name)
        if fault:
            raise UsageError(f"{shown(name)} {fault}", hint="name the file to be, instead of a folder")
        return dest / name

    def _find_parent(self, dest: Path) -> Path:
        try:
            self._place.add(os.open, dest.parent, _PLACE_FLAGS)
        except OSError as error:
            raise UsageError(
                f"there is no folder {shown(str(dest.parent))} to write to", hint="make it first"
            ) from error
        return dest

    def _check_free(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self._final.name, dir_fd=self._place.last(), follow_symlinks=False)
            if not self._force or stat.S_ISDIR(found.st_mode):
                raise self._taken()

    def _taken(self) -> UsageError:
        hint = "choose another name, or remove it first" if self._force else "choose another name, or force it"
        return UsageError(f"{shown(str(self._final))} is there already", hint=hint)

    @contextlib.contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        if self._place.last() is None:
            raise UsageError("the taker is closed")
        sound, self._sound = self._sound, False
        yield
        self._sound = sound

    def _fault(self, path: str, kind: Kind, size: int, target: str) -> str | None:
        """Why the entry is not acceptable; None if it is."""
        if kind not in {"file", "directory", "symlink"}:
            return "is neither file, directory nor symlink"
        if size < 0 or (size and kind != "file"):
            return f"has a size of {size}"
        if path in self._kinds:
            return "comes twice"
        if not path:
            return "is a symlink, which leads out of itself" if kind == "symlink" else None
        above, _, _ = path.rpartition("/")
        fault = next(filter(None, map(unsafe_name_fault, path.split("/"))), None) or path_fault(path)
        if not fault and self._kinds.get(above) != "directory":
            fault = "comes before its folder"
        if not fault and kind == "symlink":
            fault = unsafe_target_fault(target)
        return fault

    def _count(self, size: int, names: int) -> None:
        self._size += size
        self._names += names
        if self._names > _MAX_NAMES:
            raise LimitExceeded("the guest hands back names without end", limit="take")
        if self._size > self._bounds.size:
            raise LimitExceeded(
                f"the guest hands back more than {self._bounds.size:,} bytes", limit="take", hint="raise the bound"
            )
        if len(self._kinds) >= self._bounds.entries:
            raise LimitExceeded(
                f"the guest hands back more than {self._bounds.entries:,} files, folders and symlinks",
                limit="take",
                hint="raise the bound",
            )

    def _make(self, path: str, kind: Kind, size: int, *, executable: bool) -> None:
        above, _, name = path.rpartition("/")
        folder = self._folder(above) if path else self._place.last()
        if kind == "directory":
            os.mkdir(name or self._beside, 0o755, dir_fd=folder)
        else:
            self._file.open(path, name or self._beside, size, mode=0o755 if executable else 0o644, folder=folder)

    def _folder(self, path: str) -> int:
        """The descriptor of a folder of the taken item, opened name by name unless it is the last one again."""
        descriptor = self._above.last()
        if descriptor is not None and path == self._above_path:
            return descriptor
        self._above.close()
        descriptor = self._above.add(os.open, self._beside, _FOLDER_FLAGS, dir_fd=self._place.last())
        for name in path.split("/") if path else ():
            descriptor = self._above.add(os.open, name, _FOLDER_FLAGS, dir_fd=descriptor)
        self._above_path = path
        return descriptor

    def _end_file(self) -> None:
        if self._file.left:
            raise GuestFault(
                f"what the guest hands back is refused: {shown(self._file.path) or 'it'} declared {self._file.size} "
                f"bytes, of which {self._file.size - self._file.left} came"
            )
        self._file.close()

    def _publish(self) -> None:
        """From the name beside to the final one."""
        place, name = self._place.last(), self._final.name
        self._check_free()
        try:
            if self._kinds[""] == "directory":
                _claim_folder(self._beside, name, place)
            elif self._force:
                os.rename(self._beside, name, src_dir_fd=place, dst_dir_fd=place)
            else:
                _link_or_claim(self._beside, name, place)
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
            raise self._taken() from error


class _File:
    """The file that is written at the moment, if one is."""

    def __init__(self) -> None:
        self._held = Held()
        self.path, self.size, self.left = "", 0, 0

    def open(self, path: str, name: str, size: int, *, mode: int, folder: int | None) -> None:
        self.path, self.size, self.left = path, size, size
        self._held.add(os.open, name, _NEW_FLAGS, mode, dir_fd=folder)

    def write(self, data: memoryview) -> None:
        descriptor = self._held.last()
        while data and descriptor is not None:
            written = os.write(descriptor, data)
            data = data[written:]
            self.left -= written

    def close(self) -> None:
        self._held.close()
        self.left = 0


def _link_or_claim(beside: str, name: str, place: int | None) -> None:
    """Give a file a name that nothing has: by link(2), or where there are no links, by a file made to be replaced."""
    try:
        os.link(beside, name, src_dir_fd=place, dst_dir_fd=place, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _claim_and_replace(beside, name, place, partial(os.mknod, mode=stat.S_IFREG | 0o600), os.unlink)
    else:
        os.unlink(beside, dir_fd=place)


def _claim_folder(beside: str, name: str, place: int | None) -> None:
    """Give a folder a name that nothing has: that of an empty one made to be replaced, which only an empty one is."""
    _claim_and_replace(beside, name, place, os.mkdir, os.rmdir)


def _claim_and_replace(
    beside: str, name: str, place: int | None, make: Callable[..., None], undo: Callable[..., None]
) -> None:
    claims: list[None] = []
    try:
        # One call of a built-in function, as in `held`: whatever interrupts it, what was made is known.
        claims.extend(map(partial(make, dir_fd=place), (name,)))
        os.rename(beside, name, src_dir_fd=place, dst_dir_fd=place)
    except BaseException:
        if claims:
            with contextlib.suppress(OSError):
                undo(name, dir_fd=place)
        raise


def _remove(name: str, kind: Kind, place: int) -> None:
    if kind == "directory":
        import shutil  # noqa: PLC0415 -- only where something went wrong

        shutil.rmtree(name, ignore_errors=True, dir_fd=place)
    else:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=place)


@contextlib.contextmanager
def _disk(path: str) -> Iterator[None]:
    """Turns an OSError into a `HostFault` that says why nothing could be written."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno or 0).lower()
        what = f"{shown(path)} of what" if path else "what"
        raise HostFault(
            f"{what} the guest hands back cannot be written: {reason}",
            hint="nothing of it is left; choose another place, or free space there",
        ) from error
