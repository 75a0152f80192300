"""Stage 3: a template comes up in its cage, and each brane as a fork of it, looked at from outside before any "go".

The order of steps, and why each stands where it does, is in docs/layers/2-process.md; the other side is `crates/cage`.
Nothing here decides: it carries out, looks, and refuses to go on when what it sees is not what must be.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from branes import _executables, _kernel, ids, wire
from branes.errors import BranesError, HostFault, MissingMechanism, UsageError
from branes.layers import process
from branes.outcome import Died

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: Seconds that each answer of a template or a brane may take before "go".
PATIENCE: Final = 60.0
#: Seconds between two looks at the memory of what runs.
LOOK: Final = 0.05
_COMMANDS: Final = 3
_EVENTS: Final = 4
_MAX_MESSAGE: Final = 192 << 10
_STATUS_SIZE: Final = 4096
_CLOSE_ON_EXEC: Final = socket.MSG_CMSG_CLOEXEC


class TemplateRefused(BranesError):  # noqa: N818 -- whose fault it is, is the name
    """The template will not do its job; `reasons` has one entry a reason. Callers turn it into what their user sees."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(f"the template refuses its job for {len(reasons)} reasons")
        self.reasons = tuple(reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Compiled seccomp programs: stage 1 for the template, stage 2 for each brane."""

    first: bytes
    second: bytes


@dataclass(slots=True, kw_only=True)
class Jailed:
    """A brane that is sealed, looked at and parked; the next thing it hears is "go".

    Attributes:
        pid: its number in the owner's pid namespace, valid while `pidfd` is open and it lives.
        pidfd: a descriptor of it.
        commands: where the owner writes frames.
        events: where it reads them.
        listener: the seccomp listener of its filter.
        status: where its template writes how it ended.
        id: its user and group, as the template's user namespace numbers them.
        enforced: what was seen of it.
        data_at_birth: bytes of its data segments (VmData) when it was looked at.
        held_at_birth: bytes of the machine's memory that it held then (see `growth`).
    """

    pid: int
    pidfd: int
    commands: int
    events: int
    listener: int
    status: int
    id: int
    enforced: process.Enforced
    data_at_birth: int
    held_at_birth: int

    def kill(self) -> None:
        """End it, if it has not ended."""
        _kill(self.pidfd)


class Template:
    """A process that forks branes. It dies with its owner, and all its branes with it."""

    def __init__(self, program: Path, artifact: int, filters: Filters, job: bytes) -> None:
        """Start one.

        Args:
            program: the executable, a body of `crates/cage`.
            artifact: a sealed memfd that the program works from; stays the caller's.
            filters: the seccomp programs.
            job: what the program is to prepare.

        Raises:
            TemplateRefused: the program refuses the job.
            MissingMechanism: the kernel refuses a step.
        """
        self._lock = threading.Lock()
        self._pid_of_owner = os.getpid()
        self._pidfd = -1
        self._artifact_name = os.readlink(f"/proc/self/fd/{artifact}")
        # Its own two, above those that it inherits.
        self._filters = process.own_filters() + 2
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._ids = ids.allocate()
        except BaseException:
            self._control.close()
            theirs.close()
            raise
        try:
            with theirs:
                _launch(program, theirs.fileno())
            self._set_up(artifact, filters, job)
        except BaseException:
            self.close()
            raise

    def _set_up(self, artifact: int, filters: Filters, job: bytes) -> None:
        _, (self._pidfd,) = self._receive("born", 1)
        self._write_maps(_pid_behind(self._pidfd))
        self._send("mapped", drop_groups=self._ids.privileged)
        owner = os.pidfd_open(os.getpid())
        try:
            self._send(
                "setup",
                descriptors=(owner, artifact),
                first_filter=filters.first,
                second_filter=filters.second,
                job=job,
            )
        finally:
            os.close(owner)
        self._receive("ready", 0)

    def _write_maps(self, pid: int) -> None:
        """Maps of the template's user namespace; an unprivileged owner must first give up setgroups(2)."""
        try:
            if not self._ids.privileged:
                Path(f"/proc/{pid}/setgroups").write_text("deny")
            Path(f"/proc/{pid}/gid_map").write_text(self._ids.gid_map)
            Path(f"/proc/{pid}/uid_map").write_text(self._ids.uid_map)
        except OSError as error:
            raise MissingMechanism(
                f"the id maps of a user namespace cannot be written: {error}", hint="run `brane doctor`"
            ) from error

    def fork(self, extra: Mapping[int, int] | None = None) -> Jailed:
        """One more brane: sealed, looked at, parked.

        Args:
            extra: further descriptors for it, the number it gets to the caller's descriptor.

        Raises:
            MissingMechanism: a step was refused, or what is seen of it is not what must be.
        """
        extra = extra or {}
        self.check_owner()
        with self._lock, contextlib.ExitStack() as on_error:
            self._drop_late_answers()
            number = self._ids.take()
            on_error.callback(self._ids.give_back, number)
            ours, theirs = _pipes(on_error)
            try:
                expected = _expected(theirs, extra)
                self._send("fork", descriptors=(*theirs, *extra.values()), id=number, extra=list(extra))
                _, (pidfd,) = self._receive("forked", 1)
            finally:
                _close(*theirs)
            on_error.callback(os.close, pidfd)
            on_error.callback(_kill, pidfd)
            jailed = self._park(pidfd, ours, expected, number)
            on_error.pop_all()
            return jailed

    def _drop_late_answers(self) -> None:
        """What a fork that was interrupted did not wait for would be taken for the answer to the next one."""
        try:
            while _kernel.readable([self._control.fileno()], 0):
                data, descriptors, _, _ = socket.recv_fds(self._control, _MAX_MESSAGE, 1, _CLOSE_ON_EXEC)
                _close(*descriptors)
                if not data:
                    raise HostFault("the template is gone")
        except (OSError, ValueError) as error:
            raise HostFault(f"the template is gone: {error}") from error

    def _park(self, pidfd: int, ours: tuple[int, int, int], expected: dict[int, str], number: int) -> Jailed:
        """Take the listener, let the brane close its copy, look."""
        commands, events, status = ours
        talk = _Talk(commands, events)
        listener_number = talk.expect("sealed")["listener"]
        try:
            listener = _kernel.pidfd_getfd(pidfd, listener_number)
        except OSError as error:
            raise MissingMechanism(
                f"the seccomp listener cannot be taken: {error}", hint="run `brane doctor`"
            ) from error
        try:
            talk.say("taken")
            talk.expect("parked")
            pid = _pid_behind(pidfd)
            seen = process.look(pid)
            self._judge(seen, expected)
            sizes = _sizes(pid)
        except BaseException:
            os.close(listener)
            raise
        return Jailed(
            pid=pid,
            pidfd=pidfd,
            commands=commands,
            events=events,
            listener=listener,
            status=status,
            id=number,
            enforced=seen,
            data_at_birth=sizes["VmData"],
            held_at_birth=_held(sizes),
        )

    def _judge(self, seen: process.Enforced, expected: dict[int, str]) -> None:
        # The artifact keeps the number under which the program opened it; everything else is at a number of ours.
        artifact = {
            n: link for n, link in seen.descriptors.items() if link == self._artifact_name and n not in expected
        }
        descriptors = expected | (artifact if len(artifact) == 1 else {})
        wrong = process.deviations(seen, process.namespaces("self"), descriptors, self._filters)
        if wrong:
            raise MissingMechanism(f"a brane is not caged as it must be: {'; '.join(wrong)}", hint="run `brane doctor`")

    def release(self, jailed: Jailed) -> None:
        """Close all that is held of a brane that has ended; what lives is killed."""
        jailed.kill()
        with self._lock:
            self._ids.give_back(jailed.id)
        _close(jailed.commands, jailed.events, jailed.listener, jailed.status, jailed.pidfd)

    def check_owner(self) -> None:
        """Refuse to be used by a fork of the process that started this.

        Raises:
            UsageError: this process is another.
        """
        if os.getpid() != self._pid_of_owner:
            raise UsageError("branes are not shared with a forked process", hint="open branes after the fork")

    def close(self) -> None:
        """End the template and every brane of it; wait until it is gone."""
        if os.getpid() != self._pid_of_owner:
            return
        with self._lock:
            self._control.close()
            if self._pidfd >= 0:
                _kill(self._pidfd)
                with contextlib.suppress(ChildProcessError):
                    os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
                os.close(self._pidfd)
                self._pidfd = -1
            self._ids.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._pidfd >= 0 and not _kernel.readable([self._pidfd], 0)

    def _send(self, kind: str, /, descriptors: Sequence[int] = (), **fields: object) -> None:
        try:
            socket.send_fds(self._control, [wire.encode(kind, **fields)], descriptors)
        except OSError as error:
            raise HostFault(f"the template is gone: {error}") from error

    def _receive(self, kind: str, count: int) -> tuple[wire.Fields, tuple[int, ...]]:
        """The next message, which must be of `kind` with `count` descriptors beside it."""
        self._control.settimeout(PATIENCE)
        try:
            data, descriptors, _, _ = socket.recv_fds(self._control, _MAX_MESSAGE, count, _CLOSE_ON_EXEC)
        except OSError as error:
            raise HostFault(f"the template does not answer while waiting for {kind}: {error}") from error
        with contextlib.ExitStack() as on_error:
            on_error.callback(_close, *descriptors)
            if not data:
                raise HostFault(f"the template died while its owner waited for {kind}", hint="run `brane doctor`")
            got, fields = _decoded(data, wire.FROM_TEMPLATE)
            if got != kind or len(descriptors) != count:
                raise _complaint(got, fields, kind)
            on_error.pop_all()
        return fields, tuple(descriptors)


class _Talk:
    """Frames with a brane before "go", one at a time."""

    def __init__(self, commands: int, events: int) -> None:
        self._commands = commands
        self._events = events
        self._deframer = wire.Deframer()

    def say(self, kind: str) -> None:
        os.write(self._commands, wire.frame(wire.encode(kind)))

    def expect(self, kind: str) -> wire.Fields:
        deadline = time.monotonic() + PATIENCE
        while True:
            if not _kernel.readable([self._events], deadline - time.monotonic()):
                raise HostFault(f"a brane does not answer while its owner waits for {kind}")
            data = os.read(self._events, 65536)
            if not data:
                raise HostFault(f"a brane died while its owner waited for {kind}")
            for payload in self._deframer.feed(data):
                got, fields = _decoded(payload, wire.FROM_SEALING)
                if got != kind:
                    raise _complaint(got, fields, kind)
                return fields


def _decoded(data: bytes, shapes: Mapping[str, Mapping[str, Callable[[Any], bool]]]) -> tuple[str, wire.Fields]:
    """A message of our own executables; one that is none is not a guest's doing, since no guest runs yet."""
    try:
        return wire.decode(data, shapes)
    except wire.WireError as error:
        message = f"the executables of this installation do not fit it: {error}"
        raise HostFault(message, hint="reinstall branes, or run `make build` in a checkout") from error


def _complaint(got: str, fields: wire.Fields, wanted: str) -> BranesError:
    if got == "refused":
        return TemplateRefused(fields["reasons"])
    if got == "failed":
        detail = fields["detail"].encode("unicode_escape").decode()
        return MissingMechanism(f"step {fields['step']!a} failed: {detail}", hint="run `brane doctor`")
    return HostFault(f"got message {got}, expected {wanted}")


def _launch(program: Path, control: int) -> None:
    """Start the program's birth and wait for its short-lived first process."""
    memfd = _executables.sealed(program)
    try:
        born = subprocess.run(
            [program.name, "birth", str(control), str(memfd)],
            executable=f"/proc/self/fd/{memfd}",
            pass_fds=(control, memfd),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
            check=False,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise HostFault(f"{program.name} cannot be started: {error}") from error
    if born.returncode != 0:
        raise MissingMechanism(
            "user and pid namespaces cannot be created", hint="run `brane doctor`, which names the setting to change"
        )


def _pipes(on_error: contextlib.ExitStack) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Commands, events and status: our ends, closed on error, and the brane's."""
    with contextlib.ExitStack() as half_made:
        made: list[tuple[int, int]] = []
        for _ in range(3):
            pair = os.pipe()
            half_made.callback(_close, *pair)
            made.append(pair)
        half_made.pop_all()
    (commands_r, commands_w), (events_r, events_w), (status_r, status_w) = made
    ours = (commands_w, events_r, status_r)
    on_error.callback(_close, *ours)
    return ours, (commands_r, events_w, status_w)


def _expected(theirs: tuple[int, int, int], extra: Mapping[int, int]) -> dict[int, str]:
    """What the brane's descriptors must point at, number to link."""
    commands, events, _ = theirs
    placed = {_COMMANDS: commands, _EVENTS: events, **extra}
    return {number: os.readlink(f"/proc/self/fd/{descriptor}") for number, descriptor in placed.items()}


def _pid_behind(pidfd: int) -> int:
    """The process number of a pidfd in this process's pid namespace (proc(5), fdinfo)."""
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Pid:"):
                pid = int(line.split()[1])
                if pid > 0:
                    return pid
    raise HostFault("a process ended before it could be looked at")


#: Lines of /proc/PID/status: what RLIMIT_DATA is compared with, and all memory that is the process's own. The second
#: sees what the first does not: shared and read-only pages, and tables of pages that are all the one page of zeros.
_DATA: Final = "VmData"
_HELD: Final = ("RssAnon", "RssShmem", "VmSwap", "VmPTE")


def growth(jailed: Jailed) -> int:
    """Bytes that a brane has taken since its birth, by the measure that shows more (proc(5)).

    Raises:
        OSError, HostFault: it is gone.
    """
    sizes = _sizes(jailed.pid)
    return max(sizes[_DATA] - jailed.data_at_birth, _held(sizes) - jailed.held_at_birth)


def _held(sizes: Mapping[str, int]) -> int:
    return sum(sizes[name] for name in _HELD)


def _sizes(pid: int) -> dict[str, int]:
    """The sizes of `pid` in bytes, by name."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
        words = [line.split() for line in lines]
    sizes = {line[0][:-1]: int(line[1]) << 10 for line in words if line[-1:] == ["kB"]}
    if not sizes.keys() >= {_DATA, *_HELD}:
        raise HostFault("a process ended before it could be looked at")
    return sizes


def read_status(descriptor: int) -> Died:
    """How a brane ended.

    Raises:
        HostFault: its template died before it could say.
    """
    payloads = list(wire.Deframer().feed(os.read(descriptor, _STATUS_SIZE)))
    if len(payloads) != 1:
        raise HostFault("the template died, and its branes with it")
    fields = wire.check_fields("died", wire.unpack(payloads[0]), wire.DIED)
    return Died(
        code=fields["code"],
        signal=fields["signal"],
        user=fields["user_us"] / 1e6,
        system=fields["system_us"] / 1e6,
        max_rss=fields["max_rss_kib"] << 10,
    )


def _kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        # One that somebody closed by force must not keep the others open.
        with contextlib.suppress(OSError):
            os.close(descriptor)
