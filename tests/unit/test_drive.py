"""The driver against a process that stands in for a brane: pipes and pidfd are real, what it says is the test's."""

from __future__ import annotations

import contextlib
import hashlib
import os
import select
import subprocess
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from branes import errors, wire
from branes.audit import AuditLog, tail, verify
from branes.calling import run_code
from branes.conduct import Conduct
from branes.drive import NOBODY, Caller, Driver
from branes.inputs import source
from branes.jailed import Jailed
from branes.layers import process
from branes.limits import Limits
from branes.outcome import Died, Usage, Used, usage_of
from branes.plan import Binding
from branes.session import Session
from branes.values.packed import pack

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEN = process.Enforced(status={}, namespaces={}, descriptors={}, root=(), uid=0)
LIMITS = Limits(timeout=60.0, refusals=3)
DENIED = wire.frame(wire.encode("denied", interface="wasi:sockets/tcp", function="start-connect", tried=""))
OUTPUT = wire.frame(wire.encode("output", stream=1, data=b"hi"))
RETURNED = wire.frame(wire.encode("returned", value=pack(0)))
ASKED = wire.frame(wire.encode("asked", name="search", arguments=b'{"args":[1],"kwargs":{}}'))
OTHER = wire.frame(wire.encode("asked", name="other", arguments=b'{"args":[1],"kwargs":{}}'))
PULL = wire.frame(wire.encode("pull", max=100))


class Puppet:
    """A brane whose strings the test pulls; whatever is written to it can be heard, and it dies when it is killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._wait_until_parked()
        self.commands, commands = os.pipe()
        events, self._events = os.pipe()
        self.listener, self._other_listener = os.pipe()
        status, self._status = os.pipe()
        known = {"pid": self._process.pid, "pidfd": os.pidfd_open(self._process.pid), "enforced": SEEN}
        pipes = {"commands": commands, "events": events, "listener": self.listener, "status": status}
        sizes = dict.fromkeys((field.name for field in fields(Jailed)), 1 << 40)
        self.jailed = Jailed(**sizes | known | pipes)  # type: ignore[arg-type]
        self.conduct = Conduct(Session(), "run1", "", LIMITS)
        self.driver = Driver(self.jailed, self.conduct, AuditLog(folder))
        self._reaper = threading.Thread(target=self._reap)
        self._reaper.start()
        self._begin()

    def _wait_until_parked(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        os.write(self._process.stdin.fileno(), b".")
        assert os.read(self._process.stdout.fileno(), 1) == b"."

    def _begin(self) -> None:
        session = self.conduct.session
        go = session.go(Binding(args=(), env={}, limits=LIMITS, tools=("search",)), 0)
        session.call(run_code("", "app", []))
        self.say(wire.frame(wire.encode("started", go=hashlib.sha256(go[4:]).digest())))

    def _reap(self) -> None:
        """As a template does: report how it ended, after its pipe is closed."""
        code = self._process.wait()
        os.close(self._events)
        died = {"code": max(code, 0), "signal": max(-code, 0), "user_us": 0, "system_us": 0, "max_rss_kib": 0}
        os.write(self._status, wire.frame(wire.pack(died)))

    def hold_events(self) -> int:
        """What a fork of this process would keep: another descriptor of the brane's end of the events."""
        return os.dup(self._events)

    def say(self, data: bytes) -> None:
        os.write(self._events, data)

    def hear(self) -> Any:
        size = int.from_bytes(os.read(self.commands, 4), "little")
        return wire.unpack(os.read(self.commands, size))

    def recorded(self) -> list[str]:
        return [record.event for record in tail(self.folder, 100)]

    @property
    def alive(self) -> bool:
        return not select.select([self.jailed.pidfd], [], [], 0)[0]

    def close(self) -> None:
        self.jailed.kill()
        self._reaper.join()
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        jailed = self.jailed
        for descriptor in (self.commands, self._status, self._other_listener, jailed.pidfd, jailed.commands):
            os.close(descriptor)
        for descriptor in (jailed.events, jailed.listener, jailed.status):
            os.close(descriptor)


@pytest.fixture
def puppet(tmp_path: Path) -> Iterator[Puppet]:
    with contextlib.closing(Puppet(tmp_path / "audit")) as made:
        yield made


def collecting(into: list[bytes], stdin: Any = None) -> Caller:
    return Caller(source=source(stdin), emit=lambda _stream, data: into.append(data))


def test_output_comes_in_order_and_a_call_ends_when_it_returns(puppet: Puppet) -> None:
    got: list[bytes] = []
    puppet.say(OUTPUT * 3 + RETURNED)
    puppet.driver.call(collecting(got), 60.0)
    assert got == [b"hi"] * 3
    assert puppet.driver.result is not None
    assert puppet.driver.died is None
    assert puppet.alive


def test_a_fork_of_the_owner_that_holds_the_events_open_keeps_nobody_waiting(puppet: Puppet) -> None:
    held, got = puppet.hold_events(), []  # type: ignore[var-annotated]
    puppet.say(OUTPUT)
    puppet.jailed.kill()
    started = time.process_time()
    puppet.driver.call(collecting(got), 60.0)
    assert got == [b"hi"]
    assert puppet.driver.died is not None
    assert time.process_time() - started < 5
    os.close(held)


def test_a_refusal_that_was_not_read_yet_is_recorded_when_the_call_is_abandoned(puppet: Puppet) -> None:
    def fail(_stream: int, _data: bytes) -> None:
        puppet.say(DENIED)
        raise KeyError

    puppet.say(OUTPUT)
    with pytest.raises(KeyError):
        puppet.driver.call(Caller(source=NOBODY.source, emit=fail), 60.0)
    puppet.driver.end()
    assert puppet.recorded() == ["wasi.denied", "run.cancelled", "run.ended"]


def test_a_refusal_is_durable_when_its_answer_is_heard(puppet: Puppet) -> None:
    heard: list[Any] = []

    def guest() -> None:
        puppet.say(DENIED)
        heard.append((puppet.hear(), puppet.recorded()))
        puppet.say(RETURNED)

    thread = threading.Thread(target=guest)
    thread.start()
    puppet.driver.call(NOBODY, 60.0)
    thread.join()
    assert heard == [({"recorded": {}}, ["wasi.denied"])]
    assert puppet.conduct.denials[0].seq == 1


def test_input_is_given_when_it_is_asked_for(puppet: Puppet) -> None:
    heard: list[Any] = []

    def guest() -> None:
        for _ in range(2):
            puppet.say(PULL)
            heard.append(puppet.hear())
        puppet.say(RETURNED)

    thread = threading.Thread(target=guest)
    thread.start()
    puppet.driver.call(collecting([], b"in"), 60.0)
    thread.join()
    assert heard == [{"stdin": {"data": b"in", "eof": False}}, {"stdin": {"data": b"", "eof": True}}]


def test_a_refusal_that_came_with_output_is_recorded_though_the_caller_fails(puppet: Puppet) -> None:
    def fail(_stream: int, _data: bytes) -> None:
        raise ZeroDivisionError

    puppet.say(OUTPUT + DENIED)
    with pytest.raises(ZeroDivisionError):
        puppet.driver.call(Caller(source=source(None), emit=fail), 60.0)
    puppet.driver.end()
    assert puppet.recorded() == ["wasi.denied", "run.cancelled", "run.ended"]
    assert not puppet.alive
    assert select.select([puppet.commands], [], [], 0)[0] == []


def test_without_a_log_a_refused_brane_is_killed_and_never_answered(puppet: Puppet, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    puppet.driver._log = AuditLog(tmp_path / "file")
    puppet.say(DENIED)
    with pytest.raises(errors.AuditError):
        puppet.driver.call(NOBODY, 60.0)
    assert select.select([puppet.jailed.pidfd], [], [], 30)[0]
    assert select.select([puppet.commands], [], [], 0)[0] == []


def test_time_that_is_up_kills_and_is_recorded(puppet: Puppet) -> None:
    puppet.driver.call(NOBODY, 0.01)
    assert isinstance(puppet.conduct.fate, errors.DeadlineExceeded)
    assert puppet.driver.died is not None
    assert puppet.driver.died.signal == 9
    assert puppet.recorded() == ["limit.time", "run.ended"]


def test_a_flood_of_output_does_not_keep_the_time_from_being_up(puppet: Puppet) -> None:
    def flood() -> None:
        with contextlib.suppress(OSError):
            while True:
                puppet.say(OUTPUT)

    thread = threading.Thread(target=flood)
    thread.start()
    puppet.driver.call(NOBODY, 0.2)
    assert isinstance(puppet.conduct.fate, errors.DeadlineExceeded)
    thread.join()


def test_what_the_brane_does_not_read_is_kept_until_it_does(puppet: Puppet) -> None:
    data = os.urandom(1 << 20)
    puppet.driver.send(data)
    assert puppet.driver.interest()[puppet.jailed.commands] == select.POLLOUT
    got = bytearray()

    def guest() -> None:
        while len(got) < len(data):
            got.extend(os.read(puppet.commands, 1 << 16))
        puppet.say(RETURNED)

    thread = threading.Thread(target=guest)
    thread.start()
    puppet.driver.call(NOBODY, 60.0)
    thread.join()
    assert got == data
    assert puppet.jailed.commands not in puppet.driver.interest()


def test_a_brane_that_dies_without_a_word_is_a_fault(puppet: Puppet) -> None:
    puppet.jailed.kill()
    puppet.driver.call(NOBODY, 60.0)
    assert isinstance(puppet.conduct.fate, errors.HostFault)
    assert puppet.recorded() == ["run.ended"]


def test_half_a_frame_and_then_death_is_no_event(puppet: Puppet) -> None:
    got: list[bytes] = []
    puppet.say(OUTPUT + OUTPUT[:-1])
    puppet.jailed.kill()
    puppet.driver.call(collecting(got), 60.0)
    assert got == [b"hi"]
    assert isinstance(puppet.conduct.fate, errors.HostFault)


def test_an_idle_brane_is_ended_once_and_its_log_is_sound(puppet: Puppet) -> None:
    puppet.say(RETURNED)
    puppet.driver.call(NOBODY, 60.0)
    puppet.driver.end()
    puppet.driver.end()
    assert puppet.recorded() == ["run.ended"]
    assert verify(puppet.folder).ok
    assert puppet.conduct.fate is None


def test_what_a_living_brane_has_used_is_looked_up_and_what_nobody_knows_is_none(puppet: Puppet) -> None:
    status = Path(f"/proc/{puppet.jailed.pid}/status").read_text(encoding="ascii")
    (peak,) = (int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM:"))
    alive = puppet.driver.usage(1.5)
    assert alive.wall == 1.5
    assert alive.user is not None
    assert alive.user > 0
    assert alive.max_rss == peak
    puppet.jailed.kill()
    assert select.select([puppet.jailed.pidfd], [], [], 30)[0]
    assert puppet.driver.usage(2.5) == Usage(wall=2.5)


def test_a_call_is_told_what_was_used_in_it_alone() -> None:
    before, after = Used(user=1.0, system=0.5, max_rss=10), Used(user=1.75, system=0.75, max_rss=20)
    assert usage_of(3.0, after, before) == Usage(wall=3.0, user=0.75, system=0.25, max_rss=20)
    assert usage_of(3.0, after) == Usage(wall=3.0, user=1.75, system=0.75, max_rss=20)
    assert usage_of(3.0, None, before) == Usage(wall=3.0)
    assert usage_of(3.0, after, None) == Usage(wall=3.0, max_rss=20)


def test_a_share_of_the_system_that_was_guessed_too_small_makes_no_time_negative() -> None:
    before, after = Used(user=1.0, system=0.0, max_rss=10), Died(code=0, signal=0, user=0.5, system=0.75, max_rss=20)
    assert usage_of(3.0, after, before) == Usage(wall=3.0, user=0.0, system=0.25, max_rss=20)


def test_a_tool_is_called_once_its_record_is_durable_and_answered_while_input_still_comes(puppet: Puppet) -> None:
    heard: list[Any] = []

    def search(number: int) -> list[Any]:
        return [number, puppet.recorded()]

    def guest() -> None:
        puppet.say(PULL + ASKED)
        heard.extend((puppet.hear(), puppet.hear()))
        puppet.say(RETURNED)

    thread = threading.Thread(target=guest)
    thread.start()
    puppet.driver.tools = {"search": search}
    puppet.driver.call(collecting([], b"in"), 60.0)
    thread.join()
    given = {"stdin": {"data": b"in", "eof": False}}
    answered = {"answered": {"result": {"Ok": b'[1,["tool.called"]]'}}}
    assert given in heard
    assert answered in heard


@pytest.mark.parametrize(
    "then", [ASKED, OTHER, OUTPUT, RETURNED, DENIED], ids=["again", "other", "output", "end", "no"]
)
def test_a_brane_that_does_anything_while_its_tool_runs_is_killed_and_the_tool_is_not_waited_for(
    puppet: Puppet, then: bytes
) -> None:
    called: list[int] = []
    go = threading.Event()

    def search(number: int) -> None:
        called.append(number)
        go.wait(60)

    puppet.driver.tools = {"search": search}
    puppet.say(ASKED + then)
    puppet.driver.call(NOBODY, 60.0)
    assert puppet.driver.died is not None
    assert puppet.driver.result is None
    assert isinstance(puppet.conduct.fate, errors.HostFault)
    assert puppet.recorded() == ["tool.called", "protocol.broken", "run.ended"]
    go.set()
    assert len(called) <= 1


def test_a_brane_that_asks_for_a_tool_that_it_was_not_given_is_killed_and_nothing_runs(puppet: Puppet) -> None:
    called: list[int] = []
    puppet.driver.tools = {"search": called.append, "other": called.append}
    puppet.say(OTHER)
    puppet.driver.call(NOBODY, 60.0)
    assert isinstance(puppet.conduct.fate, errors.HostFault)
    assert puppet.recorded() == ["protocol.broken", "run.ended"]
    assert called == []


def test_a_tool_does_not_keep_the_deadline_from_coming(puppet: Puppet) -> None:
    go = threading.Event()
    puppet.driver.tools = {"search": lambda _number: go.wait(60)}
    puppet.say(ASKED)
    puppet.driver.call(NOBODY, 0.2)
    go.set()
    assert isinstance(puppet.conduct.fate, errors.DeadlineExceeded)
    assert puppet.recorded() == ["tool.called", "limit.time", "run.ended"]
