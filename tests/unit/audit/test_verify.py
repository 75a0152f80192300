"""Reading: the verdict on a folder, the last records, and what a stranger needs to check a log alone."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import branes.audit
from branes.audit import AuditLog, tail, verify
from branes.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from branes.audit import Event

DOCS = Path(__file__).parents[3] / "docs" / "audit-log.md"


@pytest.fixture
def folder(tmp_path: Path, event: Callable[..., Event]) -> Path:
    log = AuditLog(tmp_path / "audit")
    log._segment_size = 1000
    for number in range(1, 8):
        log.append(event(number))
    log.close()
    return tmp_path / "audit"


def test_a_sound_log_is_ok(folder: Path) -> None:
    verdict = verify(folder)
    assert (verdict.ok, verdict.records, verdict.segments, verdict.first_fault) == (True, 7, 4, None)
    assert verdict.head == tail(folder, 1)[0].digest


def test_an_empty_folder_is_a_sound_log_without_records(tmp_path: Path) -> None:
    verdict = verify(tmp_path)
    assert (verdict.ok, verdict.records, verdict.head) == (True, 0, "0" * 64)


@pytest.mark.parametrize("read", [verify, lambda path: tail(path, 1)])
def test_no_folder_is_no_log(tmp_path: Path, read: Callable[[Path], object]) -> None:
    with pytest.raises(AuditError, match="cannot be read: no such file"):
        read(tmp_path / "nowhere")


def test_the_fault_is_named_by_file_and_line(folder: Path) -> None:
    path = folder / "000002.jsonl"
    path.write_bytes(path.read_bytes().replace(b"run-4", b"run-9"))
    verdict = verify(folder)
    assert verdict.first_fault is not None
    fault = verdict.first_fault
    assert (fault.file, fault.line, fault.reason) == ("000002.jsonl", 2, "changed")
    assert not verdict.ok


@pytest.mark.parametrize(("name", "at"), [("000001.jsonl", "000002.jsonl"), ("000002.jsonl", "000003.jsonl")])
def test_a_missing_file_is_found_at_the_next(folder: Path, name: str, at: str) -> None:
    (folder / name).unlink()
    fault = verify(folder).first_fault
    assert fault is not None
    assert (fault.file, fault.line, fault.reason) == (at, 1, "missing")


def test_two_files_with_each_others_names_are_found(folder: Path) -> None:
    (folder / "000002.jsonl").rename(folder / "x")
    (folder / "000003.jsonl").rename(folder / "000002.jsonl")
    (folder / "x").rename(folder / "000003.jsonl")
    fault = verify(folder).first_fault
    assert fault is not None
    assert (fault.file, fault.line, fault.reason) == ("000002.jsonl", 1, "swapped")


def test_a_torn_end_is_a_fault_until_it_is_cut(folder: Path, event: Callable[..., Event]) -> None:
    path = folder / "000004.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    fault = verify(folder).first_fault
    assert fault is not None
    assert (fault.file, fault.line, fault.reason) == ("000004.jsonl", 1, "torn")
    AuditLog(folder).append(event())
    assert verify(folder).ok


def test_a_line_without_end_is_read_in_bounded_pieces(folder: Path) -> None:
    with (folder / "000004.jsonl").open("ab") as file:
        file.write(b"x" * 5_000_000)
    fault = verify(folder).first_fault
    assert fault is not None
    assert (fault.line, fault.reason, fault.detail) == (2, "malformed", "longer than 65536 bytes")


def test_what_is_appended_while_a_log_is_read_is_left_for_the_next_time(
    folder: Path, event: Callable[..., Event]
) -> None:
    log = AuditLog(folder)
    read = branes.audit.check

    with branes.audit.verify.__globals__["_opened"](folder) as (descriptor, sizes):
        log.append(event())
        checked = read(branes.audit.verify.__globals__["_lines"](descriptor, sizes))
    assert (checked.head.seq, checked.fault) == (7, None)
    assert verify(folder).records == 8


@pytest.mark.parametrize(("count", "runs"), [(0, []), (1, [7]), (3, [5, 6, 7]), (7, range(1, 8)), (99, range(1, 8))])
def test_tail_gives_the_last_records_oldest_first(folder: Path, count: int, runs: Iterable[int]) -> None:
    assert [record.run for record in tail(folder, count)] == [f"run-{number}" for number in runs]


def test_tail_does_not_show_a_line_that_is_no_record(folder: Path) -> None:
    with (folder / "000004.jsonl").open("ab") as file:
        file.write(b"evil\n")
    with pytest.raises(AuditError, match="no record") as caught:
        tail(folder, 2)
    assert "evil" not in caught.value.message


def test_descriptors_are_given_back(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    verify(folder)
    tail(folder, 5)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["canonical", "chain", "clean", "fault", "record"])
def test_the_core_is_pure(name: str) -> None:
    source = Path(branes.audit.__file__).with_name(f"{name}.py").read_text()
    imported = {
        (node.module or "").split(".")[0] if isinstance(node, ast.ImportFrom) else alias.name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {
        "__future__",
        "branes",
        "collections",
        "dataclasses",
        "functools",
        "hashlib",
        "json",
        "math",
        "re",
        "rfc8785",
        "typing",
    }


def test_the_public_names_are_sorted_and_there() -> None:
    names = branes.audit.__all__
    assert all(hasattr(branes.audit, name) for name in names)
    assert sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)) == names


def stranger(folder: Path) -> subprocess.CompletedProcess[str]:
    [program] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert len(program.splitlines()) <= 12
    command = [sys.executable, "-I", "-S", "-c", program, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_a_stranger_comes_to_the_same_verdict_with_the_documented_program(folder: Path) -> None:
    verdict = verify(folder)
    done = stranger(folder)
    assert (done.returncode, done.stdout.split()) == (0, [str(verdict.records), verdict.head])


@pytest.mark.parametrize("what", ["changed", "missing", "swapped", "inserted", "torn"])
def test_a_stranger_finds_what_was_done(folder: Path, what: str) -> None:
    path = folder / "000002.jsonl"
    one, two = path.read_bytes().splitlines(keepends=True)
    spoiled = {
        "changed": one.replace(b"run-3", b"run-8") + two,
        "missing": two,
        "swapped": two + one,
        "inserted": one + one + two,
        "torn": one + two[:-1],
    }[what]
    path.write_bytes(spoiled)
    fault = verify(folder).first_fault
    assert fault is not None
    assert fault.reason == what
    assert stranger(folder).returncode != 0


def test_the_documented_record_is_one() -> None:
    [example] = re.findall(r"```json\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert branes.audit.decode(example.encode()).seq == 2
