"""A host that fails: no brane runs unprotected, nothing hangs, nothing is returned that is not recorded."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HELLO = Path(__file__).parents[2] / "examples" / "hello.wat"
RUN = """
import json, sys, branes
try:
    done = branes.run(sys.argv[1])
    print(json.dumps({"exit_code": done.exit_code, "stdout": done.stdout.decode()}))
except branes.errors.BranesError as error:
    print(json.dumps({"error": type(error).__name__, "kind": error.kind, "message": error.message, "hint": error.hint}))
"""


def run(state: Path, under: list[str] | None = None, **settings: object) -> dict[str, object]:
    done = subprocess.run(
        [*(under or []), sys.executable, "-c", RUN, str(HELLO)],
        env=os.environ | {"BRANES_STATE": str(state)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **settings,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def cap_files_at(size: int) -> None:
    """A file that may not grow beyond `size` is what a full disk is, for root too."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def failing(call: str, error: str) -> list[str]:
    """Runs what follows with every `call` failing."""
    return ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}"]


def test_with_room_in_the_log_the_program_runs(tmp_path: Path) -> None:
    assert run(tmp_path / "state") == {"exit_code": 3, "stdout": "hello\n"}


def test_root_of_a_user_namespace_without_the_private_ids_is_an_ordinary_owner(tmp_path: Path) -> None:
    answer = run(tmp_path / "state", under=["unshare", "--user", "--map-root-user"])
    assert answer == {"exit_code": 3, "stdout": "hello\n"}


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_log_that_does_not_become_durable_means_no_result(tmp_path: Path, error: str) -> None:
    state = tmp_path / "state"
    run(state)
    answer = run(state, under=failing("fdatasync", error))
    assert answer["error"] == "AuditError"
    assert "stdout" not in answer


#: What is done with the first result, as soon as it is there: of a program, of a piece of its output, of Python.
FIRST_RESULTS = {
    "run": "os.write(1, branes.run(sys.argv[1]).stdout)",
    "output": "branes.run(sys.argv[1], on_stdout=lambda data: os.write(1, data))",
    "python": "with branes.python() as py: os.write(1, py.eval('\"hello\\\\n\"').encode())",
}


def finished(trace: str) -> list[tuple[str, int, int]]:
    """Each system call of `strace -f`: its text, and the lines in which it began and ended."""
    begun: dict[str, tuple[str, int]] = {}
    calls = []
    for number, line in enumerate(trace.splitlines()):
        thread, _, text = line.partition(" ")
        if text.endswith("<unfinished ...>"):
            begun[thread] = (text.removesuffix("<unfinished ...>").strip(), number)
        elif resumed := re.match(r"\s*<\.\.\. \w+ resumed>(.*)", text):
            first, start = begun.pop(thread)
            calls.append((first + resumed[1], start, number))
        else:
            calls.append((text.strip(), number, number))
    return calls


def is_durable_before_result(trace: str) -> bool:
    """Whether the spawn record was written, then synced through the same descriptor, then the result written."""
    calls = finished(trace)
    (record,) = [call for call in calls if "run.spawned" in call[0]]
    (result,) = [call for call in calls if re.match(r'write\(1, "hello', call[0])]
    file = re.match(r"pwrite64\((\d+), .* = [1-9]\d*$", record[0])
    assert file is not None, record
    synced = re.compile(rf"fdatasync\({file[1]}\)\s+= 0")
    return any(synced.match(text) and record[2] < start and end < result[1] for text, start, end in calls)


@pytest.mark.parametrize("way", FIRST_RESULTS)
def test_the_record_of_the_spawn_is_durable_before_the_first_result_is_returned(tmp_path: Path, way: str) -> None:
    state, trace = tmp_path / "state", tmp_path / "trace"
    code = f"import os, sys, branes\n{FIRST_RESULTS[way]}"
    calls = "trace=pwrite64,fdatasync,write"
    strace = ["strace", "-f", "-s", "65536", "-o", str(trace), "-e", calls, "-e", "signal=none"]
    # Once before, so that compiling is over.
    for before in ([], strace):
        command = [*before, sys.executable, "-c", code, str(HELLO)]
        env = os.environ | {"BRANES_STATE": str(state)}
        done = subprocess.run(command, env=env, capture_output=True, timeout=100, check=True)
        assert done.stdout == b"hello\n"
    assert is_durable_before_result(trace.read_text())


WRITTEN = '7 pwrite64(5, "{\\"event\\":\\"run.spawned\\"}", 27, 0) = 27'
SYNCED = "7 fdatasync(5)   = 0"
RETURNED = '7 write(1, "hello\\n", 6) = 6'


@pytest.mark.parametrize(
    ("lines", "right"),
    [
        ([WRITTEN, SYNCED, RETURNED], True),
        (
            [WRITTEN, "7 fdatasync(5 <unfinished ...>", "8 write(4) = 1", "7 <... fdatasync resumed>) = 0", RETURNED],
            True,
        ),
        (
            [
                WRITTEN,
                "7 fdatasync(5 <unfinished ...>",
                RETURNED.replace("7", "8", 1),
                "7 <... fdatasync resumed>) = 0",
            ],
            False,
        ),
        ([SYNCED, WRITTEN, RETURNED], False),
        ([WRITTEN, RETURNED, SYNCED], False),
        ([WRITTEN, RETURNED], False),
        ([WRITTEN, SYNCED.replace("5", "6"), RETURNED], False),
        ([WRITTEN, SYNCED.replace("= 0", "= -1 EIO (Input/output error)"), RETURNED], False),
    ],
)
def test_a_trace_in_another_order_is_told_apart(lines: list[str], *, right: bool) -> None:
    assert is_durable_before_result("\n".join(lines)) == right


def test_no_room_for_a_memfd_is_a_fault_of_the_host(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run(state)
    answer = run(state, preexec_fn=lambda: cap_files_at(4096))
    assert answer["kind"] == "host-fault"
    assert "stdout" not in answer


def test_a_log_that_cannot_be_opened_means_no_run(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run(state)
    (state / "audit").rename(state / "elsewhere")
    (state / "audit").symlink_to("elsewhere")
    answer = run(state)
    assert answer["error"] == "AuditError"


def test_a_state_folder_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o777)
    answer = run(state)
    assert answer["kind"] == "host-fault"
    assert "only this user" in str(answer["message"])


def test_a_key_that_others_can_read_is_refused_with_the_way_out(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run(state)
    (state / "keys" / "host.key").chmod(0o644)
    answer = run(state)
    assert answer["kind"] == "host-fault"
    assert "remove it" in str(answer["hint"])


@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_a_changed_byte_of_compiled_code_is_never_loaded_but_compiled_again(tmp_path: Path, where: str) -> None:
    state = tmp_path / "state"
    run(state)
    (compiled,) = [path for path in (state / "cache").iterdir() if not path.name.endswith(".filter")]
    sound = compiled.read_bytes()
    position = {"first": 0, "middle": len(sound) // 2, "last": len(sound) - 1}[where]
    compiled.write_bytes(sound[:position] + bytes([sound[position] ^ 1]) + sound[position + 1 :])
    assert run(state) == {"exit_code": 3, "stdout": "hello\n"}
    assert compiled.read_bytes() == sound


def test_a_missing_executable_is_named(tmp_path: Path) -> None:
    code = (
        "import branes, pathlib\n"
        "from branes import _executables\n"
        "_executables._PACKAGE = pathlib.Path('/nonexistent')\n"
        "try: branes.run(b'(component)')\n"
        "except branes.errors.HostFault as error: print(error.message, error.hint)"
    )
    env = os.environ | {"BRANES_STATE": str(tmp_path / "state")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert "is missing from this installation" in done.stdout
    assert "make build" in done.stdout
