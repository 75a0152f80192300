"""Layer 2 from outside: what a live brane is, and that its owner and its sensor cannot be lost quietly."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import select
import signal
import subprocess
import time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from branes import audit, errors
from branes.jailed import growth, same_process
from branes.layers import process

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.jailed import Jailed
    from conftest import Owner
    from escapes.lab import Ended, Lab

WORDS = ["n01", "openat", "nonce", "/etc/passwd"]
STATUS = {**process.STATUS, "Seccomp_filters": "2"}


@contextlib.contextmanager
def parked(lab: Lab, count: int) -> Iterator[list[Jailed]]:
    """That many branes of one template, sealed and waiting."""
    template, branes = lab.template, []
    try:
        branes.extend(template.fork() for _ in range(count))
        yield branes
    finally:
        for jailed in branes:
            template.release(jailed)


def status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def namespaces(pid: int | str) -> dict[str, str]:
    return {kind: os.readlink(f"/proc/{pid}/ns/{kind}") for kind in process.NAMESPACES}


def test_no_two_live_branes_and_not_the_host_share_any_of_seven_namespaces(lab: Lab) -> None:
    assert len(process.NAMESPACES) == 7
    with parked(lab, 3) as branes:
        everybody = [namespaces(jailed.pid) for jailed in branes] + [namespaces("self")]
        for one, other in combinations(everybody, 2):
            assert not set(one.values()) & set(other.values())


def test_a_brane_has_no_privilege_left_and_no_way_to_gain_any(lab: Lab) -> None:
    with parked(lab, 1) as (jailed,):
        seen = status(jailed.pid)
        assert (seen["Seccomp"], seen["NoNewPrivs"], seen["Threads"]) == ("2", "1", "1")
        assert {int(seen[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
        assert int(seen["Seccomp_filters"]) == process.own_filters() + 2
        assert not seen["Groups"] or os.geteuid() != 0


def test_as_root_every_brane_has_an_id_of_its_own_that_is_no_users(lab: Lab) -> None:
    with parked(lab, 3) as branes:
        ids = [set(status(jailed.pid)["Uid"].split()) for jailed in branes]
        assert all(len(each) == 1 for each in ids)
        if os.geteuid() == 0:
            assert len(set.union(*ids)) == 3
            assert all(int(number) > 1_000_000 for each in ids for number in each)
        else:
            assert set.union(*ids) == {str(os.geteuid())}


def test_a_brane_has_its_pipes_and_an_empty_root_and_nothing_else(lab: Lab) -> None:
    with parked(lab, 1) as (jailed,):
        assert sorted(os.listdir(f"/proc/{jailed.pid}/fd")) == ["3", "4"]
        assert os.listdir(f"/proc/{jailed.pid}/root/") == []
        assert os.readlink(f"/proc/{jailed.pid}/cwd") == "/"
        mounts = Path(f"/proc/{jailed.pid}/mounts").read_text().splitlines()
        assert [line.split()[1:3] for line in mounts] == [["/", "tmpfs"]]
        assert {"ro", "nosuid", "nodev", "noexec"} <= set(mounts[0].split()[3].split(","))


def test_what_was_seen_is_in_the_record_of_the_spawn(owner: Owner) -> None:
    done = owner.run("import branes\nwith branes.python() as py: print(py.eval('1'))")
    assert done.stdout == "1\n", done.stderr
    spawned = [record for record in audit.tail(owner.state / "audit", 100) if record.event == "run.spawned"][-1]
    enforced = spawned.done["enforced"]
    assert enforced["status"]["Seccomp"] == "2"
    assert sorted(enforced["namespaces"]) == sorted(process.NAMESPACES)
    assert enforced["root"] == []
    assert spawned.done["filters"]["allowed"] == list(process.allowed("brane"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": {**STATUS, "Seccomp": "0"}}, "Seccomp is 0, expected 2"),
        ({"status": {**STATUS, "NoNewPrivs": "0"}}, "NoNewPrivs is 0, expected 1"),
        ({"status": {**STATUS, "CapEff": "0000000000000001"}}, "CapEff is 0000000000000001"),
        ({"status": {**STATUS, "Seccomp_filters": "1"}}, "Seccomp_filters is 1, expected 2"),
        ({"status": process.STATUS}, "Seccomp_filters is not shown"),
        ({"status": {}}, "Threads is not shown"),
        ({"root": ("etc",)}, "the root has 1 entries"),
        ({"descriptors": {3: "a", 4: "b", 5: "c"}}, "open descriptors are"),
        ({"descriptors": {3: "a"}}, "open descriptors are"),
        ({"descriptors": {3: "a", 4: "x"}}, "open descriptors are"),
        *(
            (
                {"namespaces": {other: 7 if other == kind else 8 for other in process.NAMESPACES}},
                f"the {kind} namespace",
            )
            for kind in process.NAMESPACES
        ),
    ],
)
def test_a_brane_that_is_not_as_it_must_be_is_named_as_such(change: dict[str, object], said: str) -> None:
    right = {
        "status": STATUS,
        "namespaces": dict.fromkeys(process.NAMESPACES, 8),
        "descriptors": {3: "a", 4: "b"},
        "root": (),
        "uid": 1,
    }
    own = dict.fromkeys(process.NAMESPACES, 7)
    assert process.deviations(process.Enforced(**right), own, {3: "a", 4: "b"}, 2) == []
    found = process.deviations(process.Enforced(**{**right, **change}), own, {3: "a", 4: "b"}, 2)
    assert any(said in each for each in found)


def test_the_answer_to_a_fork_that_was_interrupted_is_not_taken_for_that_of_the_next(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with contextlib.closing(lab.new_template()) as template:
        with monkeypatch.context() as patched:
            patched.setattr(template._control, "receive", interrupt)
            with pytest.raises(KeyboardInterrupt):
                template.fork()
        template.release(template.fork())
        assert template._unanswered == []


def test_an_id_is_another_branes_only_once_its_brane_is_dead(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    with contextlib.closing(lab.new_template()) as template:
        monkeypatch.setattr(template, "_give_back", given.append)
        made = template.fork()
        kept = os.dup(made.pidfd)
        commands = os.dup(made.commands)  # or it would end by itself, with the pipe
        with monkeypatch.context() as patched:
            # A process that does not die of what kills it: one in the kernel's hands.
            patched.setattr("branes.spawn.kill", lambda _pidfd: None)
            patched.setattr("branes.jailed.DEATH", 0.1)
            template.release(made)
        assert not select.select([kept], [], [], 0)[0]
        assert given == []
        other = template.fork()
        template.release(other)
        assert given == [other.id]
        os.close(kept)
        os.close(commands)


def test_a_fork_that_fails_leaves_no_process_under_the_id_that_it_gives_back(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    with contextlib.closing(lab.new_template()) as template:

        def give_back(_number: int) -> None:
            ended.append(all(select.select([pidfd], [], [], 0)[0] for pidfd in pidfds))

        def judge(_seen: process.Enforced, _expected: dict[int, str]) -> None:
            raise errors.MissingMechanism("not as it must be")

        pidfds: list[int] = []
        answer = template._answer
        monkeypatch.setattr(template, "_answer", lambda: pidfds.append(os.dup(made := answer())) or made)
        monkeypatch.setattr(template, "_give_back", give_back)
        monkeypatch.setattr(template, "_judge", judge)
        with pytest.raises(errors.MissingMechanism, match="not as it must be"):
            template.fork()
        assert ended == [True]
        os.close(*pidfds)


@pytest.mark.parametrize("use", ["limit", "growth"])
def test_a_process_that_got_a_dead_branes_number_is_neither_limited_nor_read_as_the_brane(lab: Lab, use: str) -> None:
    with parked(lab, 1) as (jailed,), subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        before = resource.prlimit(other.pid, resource.RLIMIT_DATA)
        jailed.kill()
        assert select.select([jailed.pidfd], [], [], 30)[0]
        # As if the number had been given out again.
        jailed.pid = other.pid
        with pytest.raises(errors.HostFault, match="a process ended before"):
            jailed.limit_data(1 << 30) if use == "limit" else growth(jailed)
        assert resource.prlimit(other.pid, resource.RLIMIT_DATA) == before


def test_what_was_read_while_a_brane_died_does_not_count(lab: Lab) -> None:
    def die() -> None:
        with same_process(jailed.pidfd):
            jailed.kill()
            assert select.select([jailed.pidfd], [], [], 30)[0]

    with parked(lab, 1) as (jailed,), pytest.raises(errors.HostFault, match="a process ended before"):
        die()


ATTACK = f"""
import sys
from pathlib import Path
from escapes.lab import Lab
with Lab.private(Path(sys.argv[1])) as lab:
    print(lab.caged({WORDS}).fate.kind)
"""


def test_a_refused_system_call_is_on_the_disk_before_the_brane_is_killed(owner: Owner, tmp_path: Path) -> None:
    trace, state = tmp_path / "trace", tmp_path / "state"
    state.mkdir()
    calls = "trace=ioctl,pwrite64,fdatasync,pidfd_send_signal"
    strace = ("strace", "-f", "-s", "4096", "-o", str(trace), "-e", calls, "-e", "signal=none")
    done = owner.run(ATTACK, str(state), before=strace)
    assert done.stdout == "escape\n", done.stderr
    lines = trace.read_text().splitlines()
    steps = [
        next(index for index, line in enumerate(lines) if wanted(line))
        for wanted in (
            lambda line: "SECCOMP_IOCTL_NOTIF_RECV" in line,
            lambda line: "pwrite64" in line and "seccomp.denied" in line,
            lambda line: "pidfd_send_signal" in line and "SIGKILL" in line,
        )
    ]
    received, written, killed = steps
    synced = [index for index, line in enumerate(lines) if re.search(r"fdatasync\(\d+\) += 0", line)]
    assert received < written < killed
    assert any(written < index < killed for index in synced), "\n".join(lines)


FIFTY = """
import sys, branes
opened = []
for _ in range(50):
    py = branes.python()
    py.__enter__()
    assert py.eval("1") == 1
    opened.append(py)
print(*(py._brane._launched.jailed.pid for py in opened), flush=True)
sys.stdin.read()
"""


def test_an_owner_that_is_killed_leaves_no_brane_and_a_log_that_verifies(owner: Owner) -> None:
    with owner.start(FIFTY) as victim:
        assert victim.stdout is not None
        pids = [int(word) for word in victim.stdout.readline().split()]
        assert len(pids) == 50
        alive = {os.pidfd_open(pid) for pid in pids}
        victim.kill()
        deadline = time.monotonic() + 1.0
        while alive and time.monotonic() < deadline:
            for pidfd in select.select(alive, [], [], deadline - time.monotonic())[0]:
                alive.remove(pidfd)
                os.close(pidfd)
        assert not alive, f"{len(alive)} branes live on"
    assert audit.verify(owner.state / "audit").first_fault is None


def broken_pipe() -> int:
    """A descriptor that poll(2) says is in error."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize("words", [WORDS, ["r05", "spin", "nonce", "20"]], ids=["refused", "silent"])
def test_a_sensor_that_is_lost_ends_the_brane(lab: Lab, words: list[str]) -> None:
    def lose(jailed: Jailed) -> None:
        other = broken_pipe()
        os.dup2(other, jailed.listener)
        os.close(other)

    check_lost(lab.caged(words, look=lose))


def test_a_sensor_that_is_closed_ends_the_brane(lab: Lab) -> None:
    lost: list[int] = []

    def close(jailed: Jailed) -> None:
        lost.append(os.dup(jailed.listener))
        # A number that is not open, and is not used again before the end.
        os.close(jailed.listener)
        jailed.listener = 900

    check_lost(lab.caged(["r05", "spin", "nonce", "20"], look=close))
    (copy,) = lost
    os.close(copy)


def check_lost(ended: Ended) -> None:
    assert ended.fate is not None
    assert ended.fate.kind == "host-fault"
    assert ended.died is not None
    # One that asks gets ENOSYS and may end by itself; one that does not is killed.
    assert (ended.died.code, ended.died.signal) in {(0, signal.SIGKILL), (1, 0)}
    assert b"nonce" not in ended.output
    assert [record.event for record in ended.records if record.layer == "process"] == ["sensor.lost"]
    assert ended.verify().first_fault is None
