"""`--tree`, `--scratch`, `--file` and `--take`, and what is told of a slip in each."""

from __future__ import annotations

import json
import os
import pty
import signal
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Brane

PATIENCE = 120.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "in").write_text("seed\n")
    (made / "sub" / "deep").write_text("deep\n")
    return made


def test_a_program_finds_its_root_seeded_and_leaves_what_is_taken(brane: Brane, folder: Path, tmp_path: Path) -> None:
    done = brane("run", "--scratch", f"/={folder}", "--take", f"/out:{tmp_path / 'out'}", "leave.wat")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"seed\n", b"")
    assert (tmp_path / "out").read_bytes() == b"left\n"
    assert not (folder / "out").exists()


def test_python_reads_trees_and_files_and_writes_scratch(brane: Brane, folder: Path, tmp_path: Path) -> None:
    words = [
        "--tree",
        f"{folder}:/share",
        "--file",
        f"a/b={folder / 'in'}",
        "--scratch",
        f"/w={folder}",
        "--scratch",
        "/v",
    ]
    code = "print([open(p).read() for p in ('/share/sub/deep', '/data/a/b', '/w/in')]); open('/v/x', 'w').write('y')"
    done = brane("python", *words, "--take", f"/v:{tmp_path}", "-c", code)
    assert (done.returncode, done.stdout) == (0, b"['deep\\n', 'seed\\n', 'seed\\n']\n")
    assert (tmp_path / "v" / "x").read_text() == "y"


def test_nothing_that_a_guest_writes_changes_the_host(brane: Brane, folder: Path) -> None:
    for path in ("/share/in", "/data/f"):
        done = brane(
            "python", "--tree", f"{folder}:/share", "--file", f"f={folder / 'in'}", "-c", f"open('{path}', 'w')"
        )
        assert done.returncode == 1
        assert b"Read-only" in done.stderr
    brane("python", "--scratch", f"/w={folder}", "-c", "open('/w/in', 'w').write('changed')")
    assert (folder / "in").read_text() == "seed\n"


def test_what_is_taken_is_listed_as_json_and_recorded(brane: Brane, tmp_path: Path) -> None:
    code = "import os; os.mkdir('d'); open('d/f', 'w').write('abc'); raise SystemExit(4)"
    done = brane(
        "python", "--json", "--take", f"/scratch/d/f:{tmp_path}", "--take", f"/scratch/d:{tmp_path / 'e'}", "-c", code
    )
    found = json.loads(done.stdout)
    assert (done.returncode, found["exit_code"]) == (4, 4)
    digest = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    first, second = found["taken"]
    assert first == {"path": "/scratch/d/f", "to": str(tmp_path / "f"), "files": 1, "bytes": 3, "digest": digest}
    assert (second["to"], second["files"]) == (str(tmp_path / "e"), 1)
    records = brane("audit", "tail", "--json", "-n", "100", "--run", found["run"]).stdout.splitlines()
    assert [json.loads(line)["event"] for line in records].count("files.taken") == 2


def test_a_name_that_is_taken_is_told_before_anything_runs(brane: Brane, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("old")
    words = ["python", "--take", f"/scratch/x:{tmp_path / 'there'}"]
    done = brane(*words, "-c", "print(1); open('x', 'w').write('new')")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"is there already" in done.stderr
    assert (tmp_path / "there").read_text() == "old"
    done = brane(*words, "--force", "-c", "open('x', 'w').write('new')")
    assert done.returncode == 0
    assert (tmp_path / "there").read_text() == "new"


def test_a_link_in_the_place_is_not_followed(brane: Brane, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("old")
    (tmp_path / "link").symlink_to("victim")
    words = ["python", "--take", f"/scratch/x:{tmp_path / 'link'}", "-c", "open('x', 'w').write('new')"]
    assert brane(*words).returncode == 2
    assert brane("python", "--force", *words[1:]).returncode == 0
    assert (tmp_path / "victim").read_text() == "old"
    assert (tmp_path / "link").read_text() == "new"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    ("code", "exit_code", "what"),
    [
        ("pass", 2, b"/scratch/x is not there; the guest itself ended with exit code 0"),
        ("raise SystemExit(7)", 2, b"the guest itself ended with exit code 7"),
        ("import os; os.mkdir('x'); open('x/\\x1b[31m', 'w')", 125, b"control characters"),
        ("import os; os.mkdir('x'); os.symlink('../y', 'x/l')", 125, b"out of it"),
        ("import os; os.symlink('y', 'x')", 125, b"symlink"),
    ],
)
def test_what_cannot_be_taken_is_told_with_how_the_guest_ended_and_leaves_nothing(
    brane: Brane, tmp_path: Path, code: str, exit_code: int, what: bytes
) -> None:
    done = brane("python", "--take", f"/scratch/x:{tmp_path / 'x'}", "-c", f"print('ran')\n{code}")
    assert (done.returncode, done.stdout) == (exit_code, b"ran\n")
    assert what in done.stderr
    assert b"\x1b" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_was_taken_before_is_told_with_the_failure(brane: Brane, tmp_path: Path) -> None:
    takes = ["--take", f"/scratch/a:{tmp_path}", "--take", f"/scratch/b:{tmp_path}"]
    found = json.loads(brane("python", "--json", *takes, "-c", "open('a', 'w')").stdout)
    assert [item["path"] for item in found["taken"]] == ["/scratch/a"]
    assert (found["exit_code"], found["error"]["kind"]) == (2, "file")


@pytest.mark.parametrize(
    ("words", "exit_code"),
    [(["run", "trap.wat"], 134), (["python", "--timeout", "1s", "-c", "open('x', 'w')\nwhile True: pass"], 124)],
)
def test_nothing_is_taken_of_a_guest_that_trapped_or_was_killed(
    brane: Brane, tmp_path: Path, words: list[str], exit_code: int
) -> None:
    command, *rest = words
    done = brane(command, "--scratch", "/scratch", "--take", f"/scratch:{tmp_path / 'all'}", *rest)
    assert done.returncode == exit_code
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--tree", "nowhere:/x"], b"--tree nowhere: there is no such folder"),
        (["--tree", "FOLDER/in:/x"], b"is not a folder"),
        (["--tree", "FOLDER"], b"names no folder and path"),
        (["--tree", "FOLDER:x"], b"names no folder and path"),
        (["--tree", "FOLDER:/x/../y"], b"has .. in it"),
        (["--tree", "FOLDER:/x", "--scratch", "/x"], b"/x is given twice"),
        (["--tree", "FOLDER:/x", "--tree", "FOLDER:/x/"], b"/x is given twice"),
        (["--scratch", "w"], b"names no path of the guest"),
        (["--scratch", "/w="], b"names no path of the guest"),
        (["--scratch", "/w=nowhere"], b"there is no such folder"),
        (["--scratch", "/w\x1b"], b"control characters"),
        (["--file", "a"], b"names no file"),
        (["--file", "a=nowhere"], b"there is no such file"),
        (["--file", "../a=FOLDER/in"], b"has .. in it"),
        (["--file", "a=FOLDER"], b"is not a regular file"),
        (["--file", "a=FOLDER/in", "--file", "a=FOLDER/in"], b"is given twice"),
        (["--take", "/scratch/x"], b"names no path and place"),
        (["--take", "x:y"], b"names no path and place"),
        (["--take", "/nowhere/x:y"], b"is in no directory of the guest"),
        (["--take", "/scratch/x:/no/such/folder/x"], b"there is no folder"),
    ],
)
def test_a_slip_is_told_with_what_and_why(brane: Brane, folder: Path, words: list[str], what: bytes) -> None:
    done = brane("python", *(word.replace("FOLDER", str(folder)) for word in words), "-c", "print('ran')")
    assert (done.returncode, done.stdout) == (2, b"")
    assert what in done.stderr
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr


def test_a_program_without_a_directory_can_leave_nothing(brane: Brane) -> None:
    done = brane("run", "--take", "/x:y", "exit.wat")
    assert done.returncode == 2
    assert b"--scratch /work" in done.stderr


def test_the_plan_shows_directories_and_another_tree_is_another_template(brane: Brane, folder: Path) -> None:
    words = ["plan", "--json", "--tree", f"{folder}:/share", "--scratch", "/w", "exit.wat"]
    before = json.loads(brane(*words).stdout)
    assert [(mount["path"], mount["kind"]) for mount in before["mounts"]] == [("/share", "tree"), ("/w", "scratch")]
    assert before["mounts"][0]["digest"].startswith("sha256:")
    (folder / "in").write_text("other\n")
    after = json.loads(brane(*words).stdout)
    assert after["template"] != before["template"]
    assert b"/share  sha256:" in brane("plan", "--tree", f"{folder}:/share", "exit.wat").stdout


def test_ctrl_c_while_something_is_taken_leaves_nothing_of_it(brane: Brane, tmp_path: Path) -> None:
    code = (
        "with open('large', 'wb') as f:\n  for _ in range(300): f.write(bytes(1 << 20))\nprint('written', flush=True)"
    )
    words = ["python", "--memory", "1GiB", "--take", f"/scratch/large:{tmp_path / 'large'}", "-c", code]
    process = brane.start(*words)
    deadline = time.monotonic() + PATIENCE
    while not any(tmp_path.iterdir()):
        assert process.poll() is None, "it was taken before anybody could look"
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_long_to_read_has_a_bar_on_a_terminal(brane: Brane, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 30)
    ours, theirs = pty.openpty()
    words = ["plan", "--json", "--tree", f"{tmp_path}:/share", "exit.wat"]
    process = brane.start(*words, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while data := os.read(ours, 65536):
            shown += data
    except OSError:
        pass  # the other end is gone
    process.communicate(timeout=PATIENCE)
    os.close(ours)
    assert b"reading trees" in shown
