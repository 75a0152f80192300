"""Appending: what is there afterwards, what is refused, and what became of a torn end."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from branes.audit import AuditLog, Event, tail, verify
from branes.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "audit"


@pytest.fixture
def log(folder: Path) -> Iterator[AuditLog]:
    log = AuditLog(folder)
    yield log
    log.close()


def newest(folder: Path) -> Path:
    return max(folder.glob("*.jsonl"))


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_append_returns_is_what_the_file_holds(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    records = log.append(event(1), event(2)) + log.append(event(3))
    assert [record.seq for record in records] == [1, 2, 3]
    assert list(records) == tail(folder, 10)
    assert verify(folder).head == records[-1].digest


def test_appending_nothing_writes_nothing(log: AuditLog, folder: Path) -> None:
    assert log.append() == ()
    assert verify(folder).records == 0


def test_a_log_goes_on_in_another_object(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event(1))
    with_other = AuditLog(folder)
    assert with_other.append(event(2))[0].seq == 2
    assert log.append(event(3))[0].seq == 3
    with_other.close()
    assert verify(folder).records == 3


def test_only_the_owner_may_read_it(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, newest(folder), folder / "reserve")]
    assert modes == [0o700, 0o600, 0o600]


def test_time_of_the_machine_never_goes_back(log: AuditLog, event: Callable[..., Event]) -> None:
    boots = [log.append(event())[0].boot for _ in range(5)]
    assert boots == sorted(boots)


def test_a_full_segment_is_followed_by_the_next(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log._segment_size = 1000
    other = AuditLog(folder)
    other._segment_size = 1000
    for _ in range(5):
        log.append(event())
        other.append(event())
    other.close()
    verdict = verify(folder)
    assert (verdict.ok, verdict.records, verdict.segments) == (True, 10, 5)
    assert all(path.stat().st_size <= 1000 for path in folder.glob("*.jsonl"))


def test_an_empty_newest_segment_goes_on_from_the_one_before(
    log: AuditLog, folder: Path, event: Callable[..., Event]
) -> None:
    log.append(event(), event())
    (folder / "000002.jsonl").touch(mode=0o600)
    log.append(event())
    assert newest(folder).stat().st_size > 0
    assert verify(folder).records == 3


def test_files_with_other_names_are_left_alone(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    for name in ("0000002.jsonl", "000002.jsonl.bak", "notes.jsonl", "000000"):
        (folder / name).write_text("not a record")
    assert log.append(event())[0].seq == 2
    assert verify(folder).segments == 1


def test_an_end_torn_anywhere_is_cut_and_the_cut_is_recorded(folder: Path, event: Callable[..., Event]) -> None:
    log = AuditLog(folder)
    log.append(event(1), event(2))
    whole = newest(folder).read_bytes()
    first = whole.index(b"\n") + 1
    for cut in [1, 2, *range(3, len(whole) - first, 37), len(whole) - first - 1]:
        newest(folder).write_bytes(whole[: first + cut])
        torn = whole[first : first + cut]
        [record] = log.append(event(3))
        recovered = tail(folder, 2)[0]
        assert (record.seq, recovered.seq, recovered.event) == (3, 2, "audit.recovered")
        assert recovered.tried == {"bytes": cut, "sha256": hashlib.sha256(torn).hexdigest()}
        assert verify(folder).records == 3
    log.close()


def test_a_torn_first_line_is_cut_too(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    newest(folder).write_bytes(newest(folder).read_bytes()[:50])
    log.append(event())
    assert [record.event for record in tail(folder, 9)] == ["audit.recovered", "seccomp.denied"]
    assert verify(folder).ok


@pytest.mark.parametrize("torn", [1, 4000, 300_000])
def test_a_torn_end_of_any_length_is_cut(log: AuditLog, folder: Path, event: Callable[..., Event], torn: int) -> None:
    log.append(event())
    with newest(folder).open("ab") as file:
        file.write(b"x" * torn)
    log._segment_size = 1000  # the next segment does not begin while the end of this one is torn
    log.append(event())
    assert tail(folder, 2)[0].tried["bytes"] == torn
    assert verify(folder).records == 3


def test_a_torn_end_before_the_newest_segment_is_no_accident(
    log: AuditLog, folder: Path, event: Callable[..., Event]
) -> None:
    log.append(event())
    newest(folder).write_bytes(newest(folder).read_bytes() + b"torn")
    (folder / "000002.jsonl").touch(mode=0o600)
    with pytest.raises(AuditError, match=r"000001\.jsonl, which is not the newest"):
        log.append(event())


def test_a_broken_last_line_takes_no_more_records(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event(1), event(2), event(3))
    whole = newest(folder).read_bytes()
    lines = whole.splitlines(keepends=True)
    for spoiled in (
        whole.replace(b"run-3", b"run 3"),
        whole.replace(b'"seq":3', b'"seq":4'),
        lines[0] + lines[2],
        lines[1],
        b"\n",
        whole + b"{}\n",
    ):
        newest(folder).write_bytes(spoiled)
        log.close()
        with pytest.raises(AuditError, match="broken and takes no more records") as caught:
            log.append(event())
        assert "brane audit verify" in caught.value.hint
        assert newest(folder).read_bytes() == spoiled
        assert not verify(folder).ok


def test_a_log_moved_aside_begins_anew(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    folder.rename(folder.with_name("aside"))
    assert log.append(event())[0].seq == 1
    assert verify(folder).records == verify(folder.with_name("aside")).records == 1


def test_a_segment_put_in_the_place_of_another_is_read_anew(
    log: AuditLog, folder: Path, event: Callable[..., Event]
) -> None:
    log.append(event(1))
    first = newest(folder).read_bytes()
    log.append(event(2))
    newest(folder).rename(folder / "kept")
    (folder / "000001.jsonl").write_bytes(first)
    assert log.append(event(3))[0].seq == 2
    assert verify(folder).records == 2


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path, event: Callable[..., Event]) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "audit").symlink_to("elsewhere")
    with pytest.raises(AuditError, match="symbolic link"):
        AuditLog(tmp_path / "audit").append(event())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_segment_that_is_a_link_is_refused(
    log: AuditLog, folder: Path, tmp_path: Path, event: Callable[..., Event]
) -> None:
    log.append(event())
    (tmp_path / "target").write_bytes(b"")
    (folder / "000002.jsonl").symlink_to(tmp_path / "target")
    with pytest.raises(AuditError, match=r"000002\.jsonl is a symbolic link"):
        log.append(event())
    with pytest.raises(AuditError, match=r"000002\.jsonl is a symbolic link"):
        verify(folder)
    assert (tmp_path / "target").read_bytes() == b""


def test_a_segment_that_is_a_pipe_is_refused_at_once(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    os.mkfifo(folder / "000002.jsonl", 0o600)
    with pytest.raises(AuditError, match="not a regular file"):
        log.append(event())


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_a_folder_that_others_may_write_to_is_refused(folder: Path, event: Callable[..., Event], mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(AuditError, match=f"may be written by others: mode {mode:04o}"):
        AuditLog(folder).append(event())


@pytest.mark.parametrize("mode", [0o755, 0o740, 0o704, 0o701])
def test_a_folder_whose_lock_others_could_hold_is_refused(folder: Path, event: Callable[..., Event], mode: int) -> None:
    folder.mkdir(parents=True)
    folder.chmod(mode)
    with pytest.raises(AuditError, match=f"by others: mode {mode:04o}, expected 0700") as caught:
        AuditLog(folder).append(event())
    assert caught.value.hint == f"chmod 700 {folder}"
    assert list(folder.iterdir()) == []


def test_a_segment_that_others_may_write_to_is_refused(
    log: AuditLog, folder: Path, event: Callable[..., Event]
) -> None:
    log.append(event())
    newest(folder).chmod(0o606)
    log.close()
    with pytest.raises(AuditError, match="may be written by others"):
        log.append(event())


def test_somebody_elses_folder_is_refused(
    folder: Path, event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    AuditLog(folder).append(event())
    uid = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    with pytest.raises(AuditError, match=f"belongs to user {uid}, expected {uid + 1}"):
        AuditLog(folder).append(event())


def test_a_folder_that_cannot_be_made_is_an_audit_error(tmp_path: Path, event: Callable[..., Event]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AuditError, match="cannot be written: not a directory"):
        AuditLog(tmp_path / "file" / "audit").append(event())


def test_failures_leak_no_descriptors(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    whole = newest(folder).read_bytes()
    log.close()
    before = descriptors()
    for _ in range(5):
        newest(folder).write_bytes(b"broken\n")
        with pytest.raises(AuditError):
            log.append(event())
        newest(folder).write_bytes(whole)
    assert descriptors() == before


def test_threads_lose_nothing_and_keep_their_own_order(log: AuditLog, folder: Path) -> None:
    def work(worker: int) -> list[tuple[int, ...]]:
        return [
            tuple(
                record.seq
                for record in log.append(
                    *(
                        Event(run=f"w{worker}", plan="", layer="host", event="t.t", tried={"n": [turn, part]})
                        for part in range(2)
                    )
                )
            )
            for turn in range(20)
        ]

    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(work, range(8)))
    assert all(second == first + 1 for pairs in places for first, second in pairs)
    records = {record.seq: record for record in tail(folder, 1000)}
    for worker, pairs in enumerate(places):
        written = [(records[seq].run, records[seq].tried["n"]) for pair in pairs for seq in pair]
        assert written == [(f"w{worker}", [turn, part]) for turn in range(20) for part in range(2)]
    assert verify(folder).records == 320


def test_a_failure_reaches_every_thread_that_waited(log: AuditLog, folder: Path, event: Callable[..., Event]) -> None:
    log.append(event())
    newest(folder).write_bytes(b"broken\n")
    barrier = threading.Barrier(4)

    def work() -> AuditError:
        barrier.wait()
        with pytest.raises(AuditError) as caught:
            log.append(event())
        return caught.value

    with ThreadPoolExecutor(4) as pool:
        errors = [future.result() for future in [pool.submit(work) for _ in range(4)]]
    assert len(set(map(id, errors))) == 4
    assert {error.message for error in errors} == {errors[0].message}


def test_an_interrupted_append_leaves_the_log_usable(
    log: AuditLog, folder: Path, event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.append(event())

    def interrupt(_fd: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            log.append(event())
    assert log.append(event())[0].seq == 3
    assert verify(folder).records == 3
