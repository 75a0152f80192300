"""Programs in Go and C that use files as such programs do: trees to read, scratch to write, results to take."""

import json
from pathlib import Path

import pytest

import branes


@pytest.mark.timeout(900)
def test_a_go_program_reads_a_tree_and_leaves_what_it_wrote(journal: Path, tmp_path: Path) -> None:
    data, taken = tmp_path / "data", tmp_path / "taken"
    (data / "deep").mkdir(parents=True)
    taken.mkdir()
    (data / "one.txt").write_text("just two\n")
    (data / "deep" / "two.txt").write_text("these are the four\n" * 1000)
    done = branes.run(
        journal,
        ["a", "b", "c"],
        trees={"/data": data},
        scratch={"/scratch": {"log": b"first\n", "seed": b"seed and more"}},
        take=dict.fromkeys(("/scratch/out", "/scratch/log", "/scratch/seed"), taken),
    )
    assert done.stderr == b""
    assert (done.exit_code, done.stdout) == (3, b"2 files; read-only: true missing: true\n")
    written = json.loads((taken / "out" / "2000" / "journal.json").read_text())
    assert [(entry["name"], entry["words"]) for entry in written] == [("deep/two.txt", 4000), ("one.txt", 2)]
    assert {entry["at"] for entry in written} == {"2000-01-01T00:00:00Z"}
    assert sorted(path.name for path in (taken / "out").iterdir()) == ["2000"]
    assert (taken / "log").read_text() == "first\nsecond\n"
    assert (taken / "seed").read_text() == "seed"
    assert sorted(path.name for path in data.rglob("*")) == ["deep", "one.txt", "two.txt"]


@pytest.mark.timeout(300)
def test_a_c_program_packs_a_tree_into_a_file(archive: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in range(30):
        (data / f"{number:02}").write_bytes(bytes([number]) * number * 1000)
    (data / "folder").mkdir()
    done = branes.run(
        archive, ["/in", "/out/all"], trees={"/in": data}, scratch="/out", take={"/out/all": tmp_path / "all"}
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[-1] == b"30 files, 435000 bytes"
    expected = b"".join(b"%02d %d\n" % (n, n * 1000) + bytes([n]) * n * 1000 for n in range(30))
    assert (tmp_path / "all").read_bytes() == expected


@pytest.mark.timeout(300)
def test_a_program_is_told_what_it_may_not_have(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    trees: dict[str, Path | str] = {"/in": tmp_path}
    missing = branes.run(archive, ["/nowhere", "/out/all"], trees=trees, scratch="/out")
    assert (missing.exit_code, missing.stderr) == (1, b"/nowhere: No such file or directory\n")
    exists = branes.run(archive, ["/in", "/out/all"], trees=trees, scratch={"/out": {"all": b"there"}})
    assert (exists.exit_code, exists.stderr) == (1, b"/out/all: File exists\n")
    read_only = branes.run(archive, ["/in", "/in/all"], trees=trees)
    assert read_only.exit_code == 1
    assert read_only.stderr.startswith(b"/in/all: ")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
