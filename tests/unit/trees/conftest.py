"""What several of these tests look at: descriptors, and images as their readers see them."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _decoded(memfd: int) -> dict[str, tuple[Any, ...]]:
    data = os.pread(memfd, os.fstat(memfd).st_size, 0)
    magic, offset, length = struct.unpack_from("<8sQQ", data)
    assert magic == b"branetr1"
    index = msgpack.unpackb(data[offset : offset + length], strict_map_key=True)
    assert list(index) == ["version", "entries"]
    assert index["version"] == 1
    paths: list[str] = []
    tree: dict[str, tuple[Any, ...]] = {}
    for number, (parent, name, kind, mode, start, size, target) in enumerate(index["entries"]):
        assert parent < number or number == 0
        above = paths[parent] if paths else ""
        paths.append(f"{above}/{name}" if above else name)
        content = data[start : start + size]
        assert len(content) == size
        what = {"file": (kind, mode, content), "directory": (kind, mode), "symlink": (kind, mode, target)}[kind]
        assert paths[-1] not in tree
        tree[paths[-1]] = what
    return tree


@pytest.fixture(scope="session")
def decoded() -> Callable[[int], dict[str, tuple[Any, ...]]]:
    """Everything in an image by path, as read from its bytes alone."""
    return _decoded


@pytest.fixture
def no_leak() -> Iterator[None]:
    """Fails a test that leaves a descriptor open."""
    before = sorted(os.listdir("/proc/self/fd"))
    yield
    assert sorted(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def ordinary() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """A time as a user to whom permissions apply, whoever runs the tests."""

    @contextlib.contextmanager
    def become() -> Iterator[None]:
        if os.geteuid():
            yield
            return
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return become


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
