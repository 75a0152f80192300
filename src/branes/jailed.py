"""A brane that lives, as its owner holds it: its descriptors, its limits, its size, its end.

A process is known by its pidfd. Its number is used only where the kernel takes nothing else (/proc, prlimit(2)), and
then under `same_process`, which does not let another process be taken for it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from branes import _kernel, wire
from branes.errors import HostFault, MissingMechanism
from branes.outcome import Died
from branes.trees.held import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from branes.layers import process

#: Seconds between two looks at the memory of what runs.
LOOK: Final = 0.05
#: Seconds that a killed process may take to die.
DEATH: Final = 10.0
_COMMANDS: Final = 3
_EVENTS: Final = 4
_STATUS_SIZE: Final = 4096
#: Lines of /proc/PID/status: what RLIMIT_DATA is compared with, and all memory that is the process's own. The second
#: sees what the first does not: shared and read-only pages, and tables of pages that are all the one page of zeros.
_DATA: Final = "VmData"
_SHARED: Final = "RssShmem"
_HELD: Final = ("RssAnon", _SHARED, "VmSwap", "VmPTE")


@dataclass(slots=True, kw_only=True)
class Jailed:
    """A brane that is sealed, looked at and parked; the next thing it hears is "go".

    Attributes:
        pid: its number in the owner's pid namespace, to be used under `same_process` alone.
        pidfd: a descriptor of it.
        commands: where the owner writes frames.
        events: where it reads them.
        listener: the seccomp listener of its filter.
        status: where its template writes how it ended.
        template: a pidfd of its template, which outlives it.
        id: its user and group, as the template's user namespace numbers them.
        enforced: what was seen of it.
        data_at_birth: bytes of its data segments (VmData) when it was looked at.
        held_at_birth: bytes of the machine's memory that it held then (see `growth`).
        late: the memfd of the files that it brings along, until they are written; empty where there are none.
        images: bytes of trees and late files, which it maps and which are its owner's memory, not its own.
    """

    pid: int
    pidfd: int
    commands: int
    events: int
    listener: int
    status: int
    template: int
    id: int
    enforced: process.Enforced
    data_at_birth: int
    held_at_birth: int
    late: Held = field(default_factory=Held)
    images: int = 0

    def kill(self) -> None:
        """End it, if it has not ended."""
        kill(self.pidfd)

    def kill_template(self) -> None:
        """End its template, and with that every brane of it (pid_namespaces(7))."""
        kill(self.template)

    def limit_data(self, most: int) -> None:
        """Limit its data segments to `most` bytes, which the kernel counts (RLIMIT_DATA, prlimit(2)).

        Raises:
            MissingMechanism: the kernel refuses. HostFault: it has ended.
        """
        try:
            with same_process(self.pidfd):
                resource.prlimit(self.pid, resource.RLIMIT_DATA, (most, most))
        except ProcessLookupError as error:
            raise HostFault("a process ended before it could be limited") from error
        except (OSError, ValueError) as error:
            message = f"a brane's memory cannot be limited to {most} bytes: {error}"
            raise MissingMechanism(message, hint="ulimit -d unlimited") from error


def pipes(on_error: contextlib.ExitStack) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Commands, events and status: our ends, closed on error, and the brane's."""
    with contextlib.ExitStack() as half_made:
        made: list[tuple[int, int]] = []
        for _ in range(3):
            pair = os.pipe()
            half_made.callback(close, *pair)
            made.append(pair)
        half_made.pop_all()
    (commands_r, commands_w), (events_r, events_w), (status_r, status_w) = made
    ours = (commands_w, events_r, status_r)
    on_error.callback(close, *ours)
    return ours, (commands_r, events_w, status_w)


def descriptors(theirs: tuple[int, int, int], extra: Mapping[int, int]) -> dict[int, str]:
    """What the brane's descriptors must point at, number to link."""
    commands, events, _ = theirs
    placed = {_COMMANDS: commands, _EVENTS: events, **extra}
    return {number: os.readlink(f"/proc/self/fd/{descriptor}") for number, descriptor in placed.items()}


@contextlib.contextmanager
def same_process(pidfd: int) -> Iterator[None]:
    """For what is done meanwhile to a process by its number.

    A number becomes free when its process is reaped, never before it has ended, and goes to another process only after
    all others were given out. So one that lives before is the one that is meant; and one that still lives afterwards
    has been it all the while, so that what was read is its own.

    Raises:
        HostFault: it has ended.
    """
    _require_alive(pidfd)
    yield
    _require_alive(pidfd)


def _require_alive(pidfd: int) -> None:
    if has_ended(pidfd):
        raise HostFault("a process ended before it could be looked at")


def has_ended(pidfd: int, seconds: float = 0.0) -> bool:
    """Whether a process has ended within `seconds`, reaped or not (pidfd_open(2))."""
    return bool(_kernel.readable([pidfd], seconds))


def kill(pidfd: int) -> None:
    """End a process, if it has not ended."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def pid_behind(pidfd: int) -> int:
    """The process number of a pidfd in this process's pid namespace (proc(5), fdinfo).

    Raises:
        HostFault: it has ended, and was reaped.
    """
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("Pid:"):
                pid = int(line.split()[1])
                if pid > 0:
                    return pid
    raise HostFault("a process ended before it could be looked at")


def is_unreaped(pidfd: int) -> bool:
    """Whether a process is there: alive, or dead without its parent having looked."""
    try:
        return pid_behind(pidfd) > 0
    except HostFault:
        return False


def is_stopped(pidfd: int) -> bool:
    """Whether a process is stopped by a signal (proc(5), State), and not by a debugger, which lets it go on."""
    try:
        with same_process(pidfd), open(f"/proc/{pid_behind(pidfd)}/status", encoding="utf-8") as lines:
            return any(line.split()[:2] == ["State:", "T"] for line in lines)
    except (OSError, HostFault):
        return False


def growth(jailed: Jailed) -> int:
    """Bytes that a brane has taken since its birth, by the measure that shows more (proc(5)).

    Raises:
        OSError, HostFault: it is gone.
    """
    with same_process(jailed.pidfd):
        data, held = sizes(jailed.pid, jailed.images)
    return max(data - jailed.data_at_birth, held - jailed.held_at_birth)


def sizes(pid: int, images: int = 0) -> tuple[int, int]:
    """Bytes of the data segments of `pid`, and of all memory that is its own.

    Of shared memory it can have nothing else than `images` bytes of its owner's, and their pages have tables.

    Raises:
        OSError, HostFault: it is gone.
    """
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
        words = [line.split() for line in lines]
    found = {line[0][:-1]: int(line[1]) << 10 for line in words if line[-1:] == ["kB"]}
    if not found.keys() >= {_DATA, *_HELD}:
        raise HostFault("a process ended before it could be looked at")
    # One table entry of eight bytes for each page of 4 KiB.
    owners = min(found[_SHARED], images) + images // 512
    return found[_DATA], sum(found[name] for name in _HELD) - owners


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


def close(*descriptors: int) -> None:
    """Close each of `descriptors`."""
    for descriptor in descriptors:
        # One that somebody closed by force must not keep the others open.
        with contextlib.suppress(OSError):
            os.close(descriptor)
