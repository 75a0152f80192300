from __future__ import annotations

import errno
import fcntl
import gc
import mmap
import os
import select
from typing import TYPE_CHECKING

import pytest

from branes import _kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import SimpleNamespace


@pytest.fixture
def memfd() -> Iterator[int]:
    made = _kernel.new_memfd("test")
    os.write(made, b"content")
    yield made
    os.close(made)


def test_a_sealed_memfd_holds_its_data_and_takes_no_change() -> None:
    sealed = _kernel.sealed_memfd("test", b"content", executable=True)
    try:
        assert os.pread(sealed, 100, 0) == b"content"
        assert not os.get_inheritable(sealed)
        with pytest.raises(PermissionError):
            os.pwrite(sealed, b"other", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(sealed, 0)
        with pytest.raises(PermissionError):
            mmap.mmap(sealed, 7)
    finally:
        os.close(sealed)


def test_what_somebody_can_still_write_to_is_not_sealed(memfd: int) -> None:
    with mmap.mmap(memfd, 7), pytest.raises(OSError, match="busy") as caught:
        _kernel.seal(memfd)
    assert caught.value.errno == errno.EBUSY
    _kernel.seal(memfd)


def test_pages_that_the_kernel_holds_for_a_moment_do_not_matter(memfd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    actual, asked = fcntl.fcntl, 0

    def busy_twice(descriptor: int, command: int, value: int) -> int:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise OSError(errno.EBUSY, "Device or resource busy")
        return actual(descriptor, command, value)

    monkeypatch.setattr(fcntl, "fcntl", busy_twice)
    _kernel.seal(memfd)
    assert asked == 3
    with pytest.raises(PermissionError):
        os.pwrite(memfd, b"other", 0)


def test_a_failure_leaves_no_descriptor_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    gc.collect()  # what other tests left for it would be closed in between
    before = sorted(os.listdir("/proc/self/fd"))

    def refuse(_memfd: int) -> None:
        raise OSError(errno.EPERM, "no")

    monkeypatch.setattr(_kernel, "seal", refuse)
    with pytest.raises(PermissionError):
        _kernel.sealed_memfd("test", b"content")
    assert sorted(os.listdir("/proc/self/fd")) == before


def test_what_is_readable_or_ended_is_told_apart(pipe: SimpleNamespace) -> None:
    assert _kernel.readable([pipe.reader], 0) == {}
    pipe.writer.write(b"a")
    assert _kernel.readable([pipe.reader], 60) == {pipe.reader: select.POLLIN}
    pipe.writer.close()
    os.read(pipe.reader, 1)
    assert _kernel.readable([pipe.reader], 60) == {pipe.reader: select.POLLHUP}
