"""Files that go into a Python brane and come out of it."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import branes
from branes import aio
from branes.errors import FileError, GuestFault, InputError, LimitExceeded, UsageError
from branes.filing import FileInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from branes.audit import Record

LARGE = 100 << 20


@pytest.fixture(scope="module")
def py() -> Iterator[branes.Python]:
    """An interpreter for tests that leave nothing behind which matters to another."""
    with branes.python(files={"in.csv": b"a,b\n1,2\n", "sub/deep.bin": bytes(range(256))}) as opened:
        yield opened


def test_files_of_a_run_are_in_data_and_cannot_be_written(py: branes.Python) -> None:
    assert py.eval("open('/data/in.csv').read()") == "a,b\n1,2\n"
    assert py.eval("list(open('/data/sub/deep.bin', 'rb').read()) == list(range(256))")
    done = py.run("open('/data/in.csv', 'w')")
    assert (done.exit_code, [denial.layer for denial in done.denials]) == (1, ["language"])
    with pytest.raises(FileError, match="can only be read"):
        py.write("/data/x", b"")


def test_a_relative_path_and_a_temporary_file_are_in_scratch(py: branes.Python) -> None:
    done = py.run("open('beside.txt', 'w').write('x'); import tempfile; print(tempfile.NamedTemporaryFile().name)")
    assert done.stdout.startswith(b"/scratch/")
    assert py.eval("__import__('os').getcwd()") == "/scratch"
    assert py.read("/scratch/beside.txt") == b"x"


def test_what_is_written_between_calls_is_what_the_code_reads(py: branes.Python, tmp_path: Path) -> None:
    (tmp_path / "host.bin").write_bytes(b"from a path")
    for name, data in {
        "bytes": b"from bytes",
        "path": tmp_path / "host.bin",
        "file": io.BytesIO(b"from a file"),
    }.items():
        py.write(f"/scratch/made/below/{name}", data)
    read = py.eval("[open(f'/scratch/made/below/{name}').read() for name in ('bytes', 'path', 'file')]")
    assert read == ["from bytes", "from a path", "from a file"]
    py.write("/scratch/made/below/bytes", b"")
    assert py.read("/scratch/made/below/bytes") == b""


def test_a_module_that_is_written_can_be_imported(py: branes.Python) -> None:
    py.write("/scratch/helper_of_mine.py", b"answer = 42\n")
    assert py.eval("__import__('helper_of_mine').answer") == 42


def test_what_is_not_there_is_an_error_that_leaves_the_brane_as_it_is(py: branes.Python, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="/scratch/none is not there") as caught:
        py.read("/scratch/none")
    assert (caught.value.code, caught.value.path) == ("no-entry", "/scratch/none")
    for path in ("/scratch", "/data"):
        with pytest.raises(FileError, match="is a directory"):
            py.read(path)
    with pytest.raises(FileError):
        py.save("/scratch/none", tmp_path / "none")
    with pytest.raises(UsageError, match="in no directory"):
        py.read("/etc/passwd")
    with pytest.raises(UsageError, match=r"has \.\. in it"):
        py.read("/scratch/../etc/passwd")
    with pytest.raises(InputError, match="cannot be read: no such file"):
        py.write("/scratch/x", tmp_path / "missing")
    with pytest.raises(UsageError, match="is a str"):
        py.write("/scratch/x", "text")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    assert py.eval("1 + 1") == 2


def test_a_link_leads_to_what_lies_in_its_directory_and_nowhere_else(tmp_path: Path) -> None:
    with branes.python(files={"in.csv": b"x"}) as py:
        py.run("import os; open('inside', 'w').write('y'); os.mkdir('d')")
        links = {"in": "inside", "out": "../data/in.csv", "loop": "loop", "d/up": ".."}
        assert py.run(f"for name, target in {links}.items(): os.symlink(target, name)").exit_code == 0
        assert py.read("/scratch/in") == py.read("/scratch/d/up/in") == b"y"
        for path, what in {"out": "leads out", "loop": "leads nowhere", "d/up": "is a directory"}.items():
            with pytest.raises(FileError, match=what):
                py.read(f"/scratch/{path}")
        assert {info.path: info.target for info in py.files()}["/scratch/in"] == "inside"
        for path in ("d", "d/up", "in"):
            with pytest.raises(GuestFault, match="out of it"):
                py.save(f"/scratch/{path}", tmp_path / "saved")
        assert list(tmp_path.iterdir()) == []


def test_a_big_directory_is_listed_and_saved_whole(tmp_path: Path) -> None:
    with branes.python() as py:
        py.run("import os\nos.makedirs('big/sub')\nfor n in range(1000): open(f'big/{n:04}', 'w').write(str(n))\n")
        py.run("open('big/sub/\\x1b[31mü', 'w')")
        names = [info.path for info in py.files("/scratch/big")]
        assert names == [
            *(f"/scratch/big/{n:04}" for n in range(1000)),
            "/scratch/big/sub",
            "/scratch/big/sub/\x1b[31mü",
        ]
        assert py.files("/scratch", recursive=False) == (FileInfo(path="/scratch/big", kind="directory"),)
        with pytest.raises(GuestFault, match="control characters") as caught:
            py.save("/scratch/big", tmp_path)
        assert "\x1b" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []
        py.run("import os; os.remove('big/sub/\\x1b[31mü')")
        assert py.save("/scratch/big", tmp_path) == tmp_path / "big"
        assert len(list((tmp_path / "big").iterdir())) == 1001
        with pytest.raises(UsageError, match="there already"):
            py.save("/scratch/big", tmp_path)


def test_files_can_be_read_after_the_code_has_exited_and_nothing_can_be_called(tmp_path: Path) -> None:
    with branes.python() as py:
        assert py.run("open('out', 'w').write('left'); import os; os._exit(0)").exit_code == 0
        assert py.read("/scratch/out") == b"left"
        py.write("/scratch/more", b"x")
        assert py.save("/scratch", tmp_path / "all") == tmp_path / "all"
        assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["more", "out"]
        with pytest.raises(UsageError, match="its code exited with 0"):
            py.run("1")
        assert py.read("/scratch/out") == b"left"


def test_nothing_is_read_of_a_brane_that_was_killed() -> None:
    with branes.python(timeout=1) as py:
        with pytest.raises(LimitExceeded):
            py.run("open('out', 'w').write('x')\nwhile True: pass")
        with pytest.raises(UsageError, match="has ended"):
            py.read("/scratch/out")


def test_seeds_trees_and_files_are_there_and_each_brane_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "f").write_text("shared")
    seed = {"/work": tmp_path / "share", "/scratch": {"g": b"seed"}}
    opened = branes.python(trees={"/share": tmp_path / "share"}, scratch=seed, files={"a": tmp_path / "share" / "f"})
    look = "[open(p).read() for p in ('/share/f', '/work/f', '/scratch/g', '/data/a')]"
    for _ in range(2):
        with opened as py:
            assert py.eval(look) == ["shared", "shared", "seed", "shared"]
            py.run("open('/work/f', 'w').write('changed'); open('/scratch/new', 'w')")
            assert py.read("/work/f") == b"changed"
            assert py.read("/share/f") == b"shared"
    assert (tmp_path / "share" / "f").read_text() == "shared"


def test_other_files_need_no_other_template(records: Callable[[str], list[Record]]) -> None:
    spawned = []
    for files in (None, {}, {"a": b"1"}, {"a": b"2"}):
        with branes.python(files=files) as py:
            spawned.append(records_of(py, records)["run.spawned"].tried)
    assert len({record["template"] for record in spawned}) == 1
    assert len({record["binding"] for record in spawned}) == 3
    assert spawned[2]["late"]["files"] == 1
    assert [mount["path"] for mount in spawned[0]["mounts"]] == ["/data", "/scratch"]


def records_of(py: branes.Python, records: Callable[[str], list[Record]]) -> dict[str, Record]:
    run = py.run("").run
    return {record.event: record for record in records(run)}


def test_what_the_owner_does_is_in_the_record(records: Callable[[str], list[Record]], tmp_path: Path) -> None:
    with branes.python() as py:
        run = py.run("").run
        py.write("/scratch/in", b"abc")
        py.read("/scratch/in")
        py.save("/scratch/in", tmp_path / "out")
    found = {record.event: record for record in records(run)}
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert found["files.written"].done["digest"] == found["files.taken"].done["digest"] == digest
    assert found["files.read"].done == {"bytes": 3}
    assert found["files.taken"].done["to"] == str(tmp_path / "out")
    assert records(run)[-1].event == "run.ended"


def test_what_does_not_fit_into_the_memory_is_refused_and_the_brane_goes_on() -> None:
    with branes.python(memory="64MiB") as py:
        with pytest.raises(FileError, match="does not fit"):
            py.write("/scratch/large", bytes(128 << 20))
        assert py.eval("1 + 1") == 2


def test_a_large_tree_that_is_read_is_not_the_guests_memory(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGE)
    with branes.python(trees={"/share": tmp_path}, memory="64MiB") as py:
        # For as long as six looks of the owner.
        code = (
            "import time\nend = time.monotonic() + 0.3\nread = 0\n"
            "while time.monotonic() < end or not read:\n"
            "  with open('/share/large', 'rb') as f:\n    while part := f.read(1 << 20): read += len(part)\n"
        )
        assert py.run(code).exit_code == 0


def test_a_hundred_megabytes_go_in_and_out_and_are_held_once(tmp_path: Path) -> None:
    """In a process of its own, whose largest resident set is measured."""
    code = f"""
        import branes, pathlib, resource, sys
        size = {LARGE}
        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        with branes.python(memory="512MiB") as py:
            data = (b"0123456789abcdef" * (1 << 16)) * (size >> 20)
            before = peak()
            py.write("/scratch/large", data)
            assert peak() - before < size // 4, peak() - before
            assert py.eval("__import__('os').path.getsize('/scratch/large')") == size
            del data
            before = peak()
            back = py.read("/scratch/large")
            assert len(back) == size and back[-16:] == b"0123456789abcdef"
            # What was freed before is used again; of the content there is one.
            assert peak() - before < size // 4, peak() - before
            before = peak()
            py.save("/scratch/large", pathlib.Path(sys.argv[1]))
            assert peak() - before < size // 4, peak() - before
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path)], check=True)
    assert (tmp_path / "large").stat().st_size == LARGE


def test_the_same_with_an_event_loop(tmp_path: Path) -> None:
    async def body() -> None:
        async with aio.python(files={"in": b"x"}) as py:
            assert await py.read("/data/in") == b"x"
            await py.write("/scratch/a/b", b"data")
            assert [info.path for info in await py.files()] == ["/scratch/a", "/scratch/a/b"]
            assert await py.save("/scratch/a", tmp_path / "a") == tmp_path / "a"
            held = io.BytesIO()
            await py.save("/scratch/a/b", held)
            assert held.getvalue() == b"data"
            with pytest.raises(FileError):
                await py.read("/scratch/none")
            assert await py.eval("open('a/b').read()") == "data"

    asyncio.run(body())
    assert (tmp_path / "a" / "b").read_bytes() == b"data"


def test_who_is_cancelled_while_a_file_is_written_leaves_no_brane(records: Callable[[str], list[Record]]) -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1, /) -> bytes:
            loop.call_soon_threadsafe(begun.set)
            return bytes(min(size, 1024))

    async def body() -> str:
        async with aio.python(memory="512MiB") as py:
            run = (await py.run("")).run
            task = asyncio.create_task(py.write("/scratch/x", Endless()))
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(UsageError, match="has ended"):
                await py.read("/scratch/x")
            return run

    async def main() -> str:
        nonlocal loop, begun
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        return await body()

    loop: asyncio.AbstractEventLoop
    begun: asyncio.Event
    assert records(asyncio.run(main()))[-1].event == "run.ended"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"files": [b"x"]}, "files is of type list"),
        ({"trees": "share"}, "trees is of type str"),
        ({"trees": {"/x": 3}}, "a path is of type int"),
        ({"trees": {"x": "y"}}, "not absolute"),
        ({"scratch": [3]}, "one of scratch is of type int"),
        ({"scratch": "w"}, "not absolute"),
        ({"scratch": ["/w", "/w/"]}, "given twice"),
        ({"scratch": {"/data": None}, "files": {"a": b""}}, "given twice"),
    ],
)
def test_what_means_no_directories_is_refused_at_once(words: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        branes.python(**words)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ({"files": {"../x": b""}}, r"has \.\. in it"),
        ({"files": {"/x": b""}}, "is absolute"),
        ({"files": {"x": "text"}}, "given as str"),
        ({"trees": {"/x": "/no/such/folder"}}, "cannot be taken in: no such file"),
        ({"scratch": {"/x": 3}}, "are of type int"),
    ],
)
def test_what_cannot_be_brought_along_is_refused_when_it_is_opened(words: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what), branes.python(**words):
        pass


def test_a_program_takes_what_its_end_leaves(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is not there") as caught:
        branes.run(EMPTY, scratch="/w", take={"/w/out": tmp_path / "out"})
    assert caught.value.completed is not None
    assert branes.run(EMPTY, scratch={"/w": {"a": b"1"}}, take={"/w": tmp_path / "all"}).exit_code == 0
    assert (tmp_path / "all" / "a").read_bytes() == b"1"
    assert asyncio.run(aio.run(EMPTY, scratch={"/w": {"a": b"1"}}, take={"/w/a": tmp_path})).exit_code == 0
    assert (tmp_path / "a").read_bytes() == b"1"


EMPTY = b'(module (memory (export "memory") 1) (func (export "_start")))'
