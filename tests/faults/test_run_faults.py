"""A host that fails: no brane runs unprotected, nothing hangs, nothing is returned that is not recorded."""

import json
import os
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


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_log_that_does_not_become_durable_means_no_result(tmp_path: Path, error: str) -> None:
    state = tmp_path / "state"
    run(state)
    answer = run(state, under=failing("fdatasync", error))
    assert answer["error"] == "AuditError"
    assert "stdout" not in answer


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
