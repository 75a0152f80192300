"""Contents written into a memfd, each once, and the seal: the only writer of images.

Everything is read once: a piece is hashed and written from the same buffer. Content that is there already is written
over by what comes next. What is returned as sealed was asked of the kernel, not assumed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from branes import _kernel
from branes.errors import HostFault
from branes.trees import image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from branes.trees.held import Held

    Progress = Callable[[int, int], None]

#: Bytes read at once.
PIECE: Final = 1 << 20
_MFD_NOEXEC_SEAL: Final = 0x8  # linux/memfd.h, since Linux 6.3
_F_SEAL_EXEC: Final = 0x20  # linux/fcntl.h, since Linux 6.3
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Content in an image: where, how long, and its SHA-256 in hexadecimal digits."""

    offset: int
    size: int
    content: str


class Blobs:
    """The image in `memfd`, which is empty at first; nothing else may write to it.

    Attributes:
        done: bytes of content that went in, those that were there already included.
    """

    def __init__(self, memfd: int, progress: Progress | None = None) -> None:
        self._memfd = memfd
        self._end = image.HEADER_SIZE
        self._known: dict[str, int] = {}
        self._progress = progress
        self.buffer = memoryview(bytearray(PIECE))
        self.done = 0
        self.expected = 0

    def add(self, pieces: Iterable[memoryview]) -> Blob:
        """One file's content, piece by piece; a piece is done with when the next is asked for.

        Raises:
            HostFault: there is no memory for it.
        """
        hashed, end = hashlib.sha256(), self._end
        for piece in pieces:
            hashed.update(piece)
            self._write(piece, end)
            end += len(piece)
            self.done += len(piece)
            if self._progress is not None:
                self._progress(self.done, max(self.done, self.expected))
        size, content = end - self._end, hashed.hexdigest()
        offset = self._known.setdefault(content, self._end)
        if offset == self._end:
            self._end = end
        return Blob(offset=offset, size=size, content=content)

    def finish(self, entries: Sequence[image.Entry]) -> int:
        """Write index and header, and seal; the image's length.

        Raises:
            InputError: the entries are no tree.
            HostFault: there is no memory, or the kernel does not seal.
        """
        index = image.index(entries)
        self._write(memoryview(index), self._end)
        self._write(memoryview(image.header(self._end, len(index))), 0)
        length = self._end + len(index)
        try:
            os.ftruncate(self._memfd, length)
            _seal(self._memfd)
        except OSError as error:
            raise HostFault(f"the image of a tree cannot be sealed: {error}") from error
        return length

    def _write(self, data: memoryview, offset: int) -> None:
        try:
            while data:
                written = os.pwrite(self._memfd, data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise HostFault(
                f"the tree cannot be held in memory: {os.strerror(error.errno or 0).lower()}",
                hint="free memory, or take in less",
            ) from error


def new_memfd(owner: Held, name: str) -> int:
    """An empty memfd that can be sealed, and never executed where the kernel can promise that; held by `owner`.

    Raises:
        HostFault: there is none to have.
    """
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        try:
            return owner.add(os.memfd_create, name, flags | _MFD_NOEXEC_SEAL)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            return owner.add(os.memfd_create, name, flags)
    except OSError as error:
        raise HostFault(f"no memory for a tree: {error}") from error


def _seal(memfd: int) -> None:
    os.fchmod(memfd, 0o400)
    with contextlib.suppress(OSError):  # not known before Linux 6.3, and nothing depends on it
        fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, _F_SEAL_EXEC)
    _kernel.seal(memfd)
    seals = fcntl.fcntl(memfd, fcntl.F_GET_SEALS)
    if seals & _SEALS != _SEALS:
        raise HostFault(f"a sealed memfd has seals {seals:#x}, expected {_SEALS:#x}")
