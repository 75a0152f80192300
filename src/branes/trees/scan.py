"""What lies below a folder, by name and stamp. No content is read, and nothing is opened but folders.

Everything is found from the descriptor of its folder, and no symlink is followed: whoever swaps one for a folder
meanwhile is found out, not obeyed. What a tree cannot hold is collected, so that it can be mended at once.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from branes.errors import InputError
from branes.trees.bounds import name_fault, path_fault, shown, target_fault
from branes.trees.links import leading_out

if TYPE_CHECKING:
    from branes.trees.bounds import Tally
    from branes.trees.held import Held

FOLDER_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: Faults that are told together.
_MAX_FAULTS: Final = 20
_LEAVE_OUT: Final = "leave it out of the folder"
#: What open(2) says when another thing has that name by now: nothing, a symlink, no folder, a socket.
_OTHER: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO})
_SPECIAL: Final = {
    stat.S_IFSOCK: "is a socket",
    stat.S_IFIFO: "is a named pipe",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}

#: What tells whether a file or folder changed: device, inode, mode, size, and when content and inode changed.
Stamp = tuple[int, int, int, int, int, int]


def stamp(found: os.stat_result) -> Stamp:
    """The stamp of what stat(2) says."""
    return (found.st_dev, found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """One entry of a folder.

    Attributes:
        parent: the folder that it is in; None for the topmost.
        name: its name there.
        path: names below the topmost folder, joined by slashes.
        seen: its stamp when it was found.
        target: of a symlink: where it leads.
    """

    parent: Found | None
    name: bytes
    path: str
    seen: Stamp
    target: str = ""

    @property
    def is_folder(self) -> bool:
        """Whether it is one."""
        return stat.S_ISDIR(self.seen[2])

    @property
    def is_file(self) -> bool:
        """Whether it is one."""
        return stat.S_ISREG(self.seen[2])

    @property
    def executable(self) -> bool:
        """Whether its owner may execute it."""
        return bool(self.seen[2] & stat.S_IXUSR)

    @property
    def size(self) -> int:
        """Bytes of content."""
        return self.seen[3]


def changed(path: str) -> InputError:
    """What is raised for a file or folder that did not stay the same."""
    return InputError(
        f"{shown(path) or 'the folder'} changed while it was read", hint="try again when nothing writes to it"
    )


def scan(held: Held, folder: int, tally: Tally, prefix: str) -> list[Found]:
    """Everything below the folder, parents before children and names in order; the folder itself comes first.

    Args:
        held: where folders are held while they are read.
        folder: the folder's descriptor.
        tally: what was taken in before, and may be in all.
        prefix: what will stand before every path, with its slash.

    Raises:
        InputError: there is too much, or what a tree cannot hold, or what changed.
    """
    return _Scan(held, tally, prefix).everything(folder)


class _Scan:
    def __init__(self, held: Held, tally: Tally, prefix: str) -> None:
        self._held = held
        self._tally = tally
        self._prefix = prefix
        self._found: list[Found] = []
        self._links: dict[str, str] = {}
        self._faults: list[tuple[str, str]] = []

    def everything(self, folder: int) -> list[Found]:
        top = Found(None, b"", "", stamp(os.fstat(folder)))
        self._found.append(top)
        self._walk(folder, top)
        for path in leading_out(self._links):
            self._fault(
                path,
                f"leads to {shown(self._links[path])}, out of the folder",
                "replace it by what it leads to, or remove it",
            )
        if self._faults:
            raise self._error()
        return self._found

    def _walk(self, descriptor: int, folder: Found) -> None:
        before = f"{folder.path}/" if folder.path else ""
        for name, seen in self._listed(descriptor, folder, before):
            found = Found(folder, name.encode(), f"{before}{name}", stamp(seen))
            fault = path_fault(self._prefix + found.path)
            if fault:
                self._fault(found.path, fault, "move it up, or give it a shorter name")
            else:
                self._see(descriptor, found)

    def _listed(self, descriptor: int, folder: Found, before: str) -> list[tuple[str, os.stat_result]]:
        """Names and what stat(2) says of them, in order; those that are no names are faults."""
        listed = []
        try:
            with os.scandir(descriptor) as listing:
                for item in listing:
                    self._tally.entry()
                    # Python decodes names as its locale says, a tree as UTF-8.
                    name = os.fsencode(item.name).decode(errors="surrogateescape")
                    fault = name_fault(name)
                    if fault:
                        self._fault(before + name, fault, "rename it, or leave it out of the folder")
                    else:
                        listed.append((name, item.stat(follow_symlinks=False)))
        except PermissionError:
            self._unreadable(folder.path)
        except FileNotFoundError as error:
            raise changed(folder.path) from error
        except OSError as error:
            raise unreadable(folder.path, error) from error
        return sorted(listed, key=lambda pair: pair[0])

    def _see(self, descriptor: int, found: Found) -> None:
        match stat.S_IFMT(found.seen[2]):
            case stat.S_IFREG:
                self._see_file(descriptor, found)
            case stat.S_IFDIR:
                self._see_folder(descriptor, found)
            case stat.S_IFLNK:
                self._see_link(descriptor, found)
            case kind:
                self._fault(found.path, _SPECIAL.get(kind, "is of an unknown kind"), _LEAVE_OUT)

    def _see_file(self, descriptor: int, found: Found) -> None:
        if found.seen[2] & (stat.S_ISUID | stat.S_ISGID):
            self._fault(found.path, "runs as its owner or group (setuid, setgid)", "chmod ug-s")
        if not os.access(found.name, os.R_OK, dir_fd=descriptor, effective_ids=True, follow_symlinks=False):
            self._unreadable(found.path)
        self._tally.content(found.size)
        self._found.append(found)

    def _see_folder(self, descriptor: int, found: Found) -> None:
        try:
            opened = open_as_found(self._held, descriptor, found, FOLDER_FLAGS)
        except PermissionError:
            self._unreadable(found.path)
            return
        self._found.append(found)
        self._walk(opened, found)
        self._held.drop()

    def _see_link(self, descriptor: int, found: Found) -> None:
        try:
            raw = os.readlink(found.name, dir_fd=descriptor)
        except OSError as error:
            raise changed(found.path) from error
        target = raw.decode(errors="surrogateescape")
        fault = target_fault(target)
        if fault:
            self._fault(found.path, fault, _LEAVE_OUT)
        else:
            self._links[found.path] = target
            self._found.append(Found(found.parent, found.name, found.path, found.seen, target))

    def _unreadable(self, path: str) -> None:
        self._fault(path, "cannot be read by this user", "make it readable, or leave it out of the folder")

    def _fault(self, path: str, what: str, way_out: str) -> None:
        self._faults.append((f"{shown(path) or 'the folder'} {what}", way_out))
        if len(self._faults) == _MAX_FAULTS:
            raise self._error()

    def _error(self) -> InputError:
        whats = [what for what, _ in self._faults]
        # In the order in which they were found, each once.
        ways_out = dict.fromkeys(way_out for _, way_out in self._faults)
        if len(whats) == 1:
            return InputError(whats[0], hint="; ".join(ways_out))
        more = " or more" if len(whats) == _MAX_FAULTS else ""
        return InputError(
            f"{len(whats)}{more} entries cannot be taken in: {'; '.join(whats)}", hint="; ".join(ways_out)
        )


def open_as_found(held: Held, folder: int, found: Found, flags: int) -> int:
    """What was found in `folder`, opened into `held`, if it is still the same.

    Raises:
        PermissionError: this user may not.
        InputError: it is not, or cannot be read.
    """
    try:
        descriptor = held.add(os.open, found.name, flags, dir_fd=folder)
    except PermissionError:
        raise
    except OSError as error:
        raise _gone_or_unreadable(found.path, error) from error
    check_same(descriptor, found)
    return descriptor


def check_same(descriptor: int, found: Found) -> None:
    """Raises InputError if what is open is not, or no longer, what was found."""
    if stamp(os.fstat(descriptor)) != found.seen:
        raise changed(found.path)


def unreadable(path: str, error: OSError, hint: str = _LEAVE_OUT) -> InputError:
    """What is raised for a file or folder that the kernel does not read."""
    reason = os.strerror(error.errno or 0).lower()
    return InputError(f"{shown(path) or 'the folder'} cannot be read: {reason}", hint=hint)


def _gone_or_unreadable(path: str, error: OSError) -> InputError:
    return changed(path) if error.errno in _OTHER else unreadable(path, error)
