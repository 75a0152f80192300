from __future__ import annotations

import fcntl
import gzip
import io
import os
import select
import socket
import threading
from typing import IO, TYPE_CHECKING, Any

import pytest

from branes import inputs
from branes.errors import HostFault, UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import SimpleNamespace

    from branes.drive import Input


class Slow(io.BytesIO):
    """A file object of the caller's making; nobody knows whether it waits."""


def waited(source: Input, most: int = 1 << 15) -> bytes:
    descriptor = source.fileno()
    if descriptor is not None:
        assert select.select([descriptor], [], [], 30)[0]
    return source.read(most)


def everything(source: Input) -> bytes:
    return b"".join(iter(lambda: waited(source, 7), b""))


@pytest.mark.parametrize("stdin", [None, b"", "", b"some bytes", bytearray(b"some bytes"), "tëxt ✓"])
def test_values_are_read_without_waiting_to_their_end(stdin: Any) -> None:
    source = inputs.source(stdin)
    assert source.fileno() is None
    expected = stdin.encode() if isinstance(stdin, str) else bytes(stdin or b"")
    assert everything(source) == expected


@pytest.mark.parametrize("stdin", [1, object(), [b"a"], io.StringIO("a"), "\udc80"])
def test_what_is_no_input_is_refused(stdin: Any) -> None:
    with pytest.raises(UsageError):
        inputs.source(stdin)


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open() as file, pytest.raises(UsageError, match="expected bytes, str or a binary file"):
        inputs.source(file)  # type: ignore[arg-type]


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_file_on_disk_is_read_from_where_it_stands(tmp_path: Path, buffering: int) -> None:
    (tmp_path / "file").write_bytes(b"head and the rest")
    with (tmp_path / "file").open("rb", buffering=buffering) as file:
        assert file.read(5) == b"head "
        assert everything(inputs.source(file)) == b"and the rest"


def test_a_compressed_file_is_read_as_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(gzip.compress(b"content"))
    with gzip.open(tmp_path / "file") as file:
        assert everything(inputs.source(file)) == b"content"


def test_a_raw_pipe_is_read_by_its_descriptor_as_far_as_there_is_something(pipe: SimpleNamespace) -> None:
    with pipe.open(buffering=0) as file:
        source = inputs.source(file)
        assert source.fileno() == pipe.reader
        pipe.writer.write(b"part")
        assert source.read(100) == b"part"
        pipe.writer.close()
        assert source.read(100) == b""


def test_a_buffered_pipe_gives_what_is_there_and_loses_nothing_that_was_buffered(pipe: SimpleNamespace) -> None:
    with pipe.open() as file:
        pipe.writer.write(b"line\nmore")
        assert file.readline() == b"line\n"
        source = inputs.source(file)
        assert source.fileno() is None
        assert waited(source) == b"more"
        assert source.fileno() == pipe.reader
        pipe.writer.write(b"later")
        assert waited(source) == b"later"
        pipe.writer.close()
        assert waited(source) == b""


def test_a_buffered_pipe_with_nothing_in_it_is_not_ready_and_does_not_block(pipe: SimpleNamespace) -> None:
    with pipe.open() as file:
        source = inputs.source(file)
        descriptor = source.fileno()
        assert descriptor == pipe.reader
        assert select.select([descriptor], [], [], 0)[0] == []
        pipe.writer.close()
        assert waited(source) == b""


@pytest.mark.parametrize("held", [b"", b"rest of a line"])
def test_looking_at_what_a_reader_holds_never_changes_the_open_file(
    pipe: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, held: bytes
) -> None:
    """Its flags are shared with every process that has it; none may see them change, for however short."""
    changed: list[tuple[int, bool]] = []
    monkeypatch.setattr(os, "set_blocking", lambda *words: changed.append(words))
    monkeypatch.setattr(fcntl, "fcntl", lambda *words: changed.append(words))
    with pipe.open() as file:
        pipe.writer.write(b"line\n" + held)
        file.readline()
        source = inputs.source(file)
        assert (source.fileno() is None) == bool(held)
        if held:
            assert source.read(100) == held
        pipe.writer.write(b"more")
        assert waited(source) == b"more"
        assert changed == []
        assert "readinto" not in vars(file.raw)


def test_a_reader_that_is_not_of_a_descriptor_alone_is_read_by_a_thread(pipe: SimpleNamespace) -> None:
    """As of TLS: what the descriptor has is not what reading it gives."""

    class Shouting(io.FileIO):
        def readinto(self, buffer: Any) -> int:
            data = os.read(self.fileno(), len(buffer)).upper()
            buffer[: len(data)] = data
            return len(data)

        def read(self, most: int = -1) -> bytes:
            return os.read(self.fileno(), most).upper()

    for make in (io.BufferedReader, lambda raw: raw):
        with Shouting(pipe.reader, closefd=False) as raw:
            source = inputs.source(make(raw))  # type: ignore[no-untyped-call]
            assert source.fileno() != pipe.reader
            pipe.writer.write(b"data")
            assert waited(source) == b"DATA"


def test_a_thread_that_cannot_be_started_is_the_hosts_fault_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    source = inputs.source(Slow(b"data"))
    before = len(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", fail)
        for _ in range(3):
            with pytest.raises(HostFault, match="no thread can be started to read stdin"):
                source.fileno()
    assert len(os.listdir("/proc/self/fd")) == before
    assert waited(source) == b"data"


def test_a_stream_of_a_socket_is_waited_for_by_its_descriptor() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, theirs.makefile("rb") as file:
        source = inputs.source(file)
        assert source.fileno() == theirs.fileno()
        ours.sendall(b"data")
        assert waited(source) == b"data"
        ours.shutdown(socket.SHUT_WR)
        assert waited(source) == b""


def test_a_file_object_that_waits_is_not_waited_for(pipe: SimpleNamespace) -> None:
    class Custom:
        def read(self, most: int) -> bytes:
            return os.read(pipe.reader, most)

    source = inputs.source(Custom())  # type: ignore[arg-type]
    descriptor = source.fileno()
    assert descriptor not in {None, pipe.reader}
    assert source.fileno() == descriptor
    assert select.select([descriptor], [], [], 0)[0] == []
    pipe.writer.write(b"data")
    assert waited(source) == b"data"


def test_more_than_was_asked_for_is_kept_for_the_next_time() -> None:
    source = inputs.source(Slow(b"0123456789"))
    assert waited(source, 4) == b"0123"
    assert source.fileno() is None
    assert source.read(100) == b"456789"
    assert waited(source) == b""


@pytest.mark.parametrize("given", ["text", None, 1])
def test_a_file_that_gives_no_bytes_is_refused_when_it_is_read(given: object) -> None:
    class Strange:
        def read(self, _most: int) -> object:
            return given

    with pytest.raises(UsageError, match="stdin gave"):
        waited(inputs.source(Strange()))  # type: ignore[arg-type]


def test_what_a_file_raises_is_raised_where_it_is_read() -> None:
    class Failing:
        def read(self, _most: int) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        waited(inputs.source(Failing()))  # type: ignore[arg-type]


def test_no_descriptor_is_left_behind() -> None:
    before, threads = set(os.listdir("/proc/self/fd")), set(threading.enumerate())
    files: list[IO[bytes]] = [Slow(b"abc" * 10_000) for _ in range(10)]
    for file in files:
        source = inputs.source(file)
        waited(source)
        source.fileno()
        waited(source)
        del source
    # A thread holds what it has read until it ends.
    for thread in set(threading.enumerate()) - threads:
        thread.join(60)
    assert set(os.listdir("/proc/self/fd")) <= before
