"""Stage 3: a template comes up in its cage, and each brane as a fork of it, looked at from outside before any "go".

The order of steps, and why each stands where it does, is in docs/layers/2-process.md; the other side is `crates/cage`.
Nothing here decides: it carries out, looks, and refuses to go on when what it sees is not what must be. How a process
starts is in `birth`, what is said to it in `channel`, what an owner holds of a brane in `jailed`.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from branes import _kernel, birth, ids, jailed
from branes.channel import Control, Cut, NoAnswer, Talk, own_step, refused
from branes.errors import MissingMechanism, UsageError
from branes.jailed import (
    Jailed,
    close,
    descriptors,
    has_ended,
    is_stopped,
    is_unreaped,
    kill,
    pid_behind,
    pipes,
    same_process,
)
from branes.layers import process
from branes.trees.blobs import new_memfd
from branes.trees.held import Held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path


#: waitid(2), __WALL: until its exec a template is a child that ends without a signal.
_WALL: Final = 0x40000000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Compiled seccomp programs: stage 1 for the template, stage 2 for each brane."""

    first: bytes
    second: bytes


class Template:
    """A process that forks branes. It dies with its owner, and all its branes with it."""

    def __init__(self, program: Path, artifact: int, filters: Filters, job: bytes, trees: Sequence[int] = ()) -> None:
        """Start one.

        Args:
            program: the executable, a body of `crates/cage`.
            artifact: a sealed memfd that the program works from; stays the caller's.
            filters: the seccomp programs.
            job: what the program is to prepare.
            trees: sealed memfds of the job's trees, in its order; they stay the caller's.

        Raises:
            TemplateRefused: the program refuses the job.
            MissingMechanism: the kernel refuses a step.
        """
        self._lock = threading.Lock()
        # Apart from the other, which is held while a fork is waited for; a release does not wait for that.
        self._ids_lock = threading.Lock()
        self._pid_of_owner = os.getpid()
        self._pidfd = -1
        #: Ids of branes that were asked for and whose answer was not waited for, oldest first.
        self._unanswered: list[int] = []
        # Its own two, above those that it inherits.
        self._filters = process.own_filters() + 2
        with own_step("open control channel"):
            self._artifact_name = os.readlink(f"/proc/self/fd/{artifact}")
            self._control = Control()
        try:
            self._ids = ids.allocate()
        except BaseException:
            self._control.close()
            raise
        try:
            with own_step("start template"):
                self._pidfd = birth.born(program, self._control)
                self._set_up((artifact, *trees), filters, job)
        except BaseException:
            self.close()
            raise

    def _set_up(self, content: tuple[int, ...], filters: Filters, job: bytes) -> None:
        birth.write_maps(self._pidfd, self._ids)
        self._control.send("mapped", drop_groups=self._ids.privileged)
        owner = os.pidfd_open(os.getpid())
        try:
            self._control.send(
                "setup",
                descriptors=(owner, *content),
                first_filter=filters.first,
                second_filter=filters.second,
                job=job,
            )
        finally:
            os.close(owner)
        self._control.receive("ready", 0)

    def fork(self, extra: Mapping[int, int] | None = None, *, late: bool = False) -> Jailed:
        """One more brane: sealed, looked at, parked.

        Args:
            extra: further descriptors for it, the number it gets to the caller's descriptor.
            late: whether it gets a memfd for files, empty so far.

        Raises:
            MissingMechanism: a step was refused, or what is seen of it is not what must be.
            HostFault: the template is gone, or does not answer and was ended.
        """
        self.check_owner()
        with self._lock, self._ended_if_silent(), own_step("start brane"), contextlib.ExitStack() as on_error:
            self._settle()
            ours, theirs = pipes(on_error)
            image = Held()
            on_error.callback(image.close)
            if late:
                new_memfd(image, "branes-late")
            try:
                expected = descriptors(theirs, extra or {})
                number, pidfd = self._ask(theirs, extra or {}, image.last())
            finally:
                close(*theirs)
            on_error.callback(os.close, pidfd)
            on_error.callback(self._end, pidfd, number)
            made = self._park(pidfd, ours, expected, number)
            made.late = image
            on_error.pop_all()
            return made

    def _ask(self, theirs: tuple[int, int, int], extra: Mapping[int, int], late: int | None) -> tuple[int, int]:
        """Have a brane forked; its id and a pidfd of it."""
        with self._ids_lock:
            number = self._ids.take()
        # From here on there may be a process with this id, whatever happens to us.
        self._unanswered.append(number)
        try:
            content = () if late is None else (late,)
            given = (*theirs, *content, *extra.values())
            self._control.send("fork", descriptors=given, id=number, extra=list(extra), late=late is not None)
        except OSError:
            self._give_back(self._unanswered.pop())
            raise
        return number, self._answer()

    def _answer(self) -> int:
        """The pidfd in the answer to the oldest fork that has none; where there is none in it, its id is free again."""
        try:
            _, (pidfd,) = self._control.receive("forked", 1)
        except Cut:
            # A brane of which nothing is known, whose pipes are closed: it ends, but nobody can say when.
            self._unanswered.pop(0)
            raise
        except MissingMechanism:
            self._give_back(self._unanswered.pop(0))
            raise
        self._unanswered.pop(0)
        return pidfd

    def _settle(self) -> None:
        """What a fork that was interrupted did not wait for would be taken for the answer to the next one."""
        while self._unanswered:
            number = self._unanswered[0]
            with contextlib.suppress(MissingMechanism):
                pidfd = self._answer()
                self._end(pidfd, number)
                os.close(pidfd)

    @contextlib.contextmanager
    def _ended_if_silent(self) -> Iterator[None]:
        """A template that does not answer in time makes nobody else wait: it is ended, and another takes its place."""
        try:
            yield
        except NoAnswer:
            self._kill()
            raise

    def _kill(self) -> None:
        kill(self._pidfd)
        has_ended(self._pidfd, jailed.DEATH)

    def _park(self, pidfd: int, ours: tuple[int, int, int], expected: dict[int, str], number: int) -> Jailed:
        """Take the listener, let the brane close its copy, look."""
        commands, events, status = ours
        talk = Talk(commands, events)
        listener_number = talk.expect("sealed")["listener"]
        try:
            listener = _kernel.pidfd_getfd(pidfd, listener_number)
        except OSError as error:
            detail = f"the seccomp listener cannot be taken: {error.strerror}"
            raise refused("take listener", error.errno or 0, detail) from error
        try:
            talk.say("taken")
            talk.expect("parked")
            pid = pid_behind(pidfd)
            with same_process(pidfd):
                seen = process.look(pid)
                data, held = jailed.sizes(pid)
            self._judge(seen, expected)
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
            template=self._pidfd,
            id=number,
            enforced=seen,
            data_at_birth=data,
            held_at_birth=held,
        )

    def _judge(self, seen: process.Enforced, expected: dict[int, str]) -> None:
        # The artifact keeps the number under which the program opened it; everything else is at a number of ours.
        artifact = {
            n: link for n, link in seen.descriptors.items() if link == self._artifact_name and n not in expected
        }
        wanted = expected | (artifact if len(artifact) == 1 else {})
        wrong = process.deviations(seen, process.namespaces("self"), wanted, self._filters)
        if wrong:
            raise MissingMechanism(f"a brane is not caged as it must be: {'; '.join(wrong)}", hint="run `brane doctor`")

    def release(self, made: Jailed) -> None:
        """Close all that is held of a brane; what lives is killed, and waited for."""
        self._end(made.pidfd, made.id)
        if is_unreaped(made.pidfd) and is_stopped(self._pidfd):
            # It would never say how its branes end, and would make the next caller wait.
            self._kill()
        close(made.commands, made.events, made.listener, made.status, made.pidfd)
        made.late.close()

    def _end(self, pidfd: int, number: int) -> None:
        """Kill a brane; its id is another's only once nothing runs under it."""
        kill(pidfd)
        if has_ended(pidfd, jailed.DEATH):
            self._give_back(number)

    def _give_back(self, number: int) -> None:
        with self._ids_lock:
            self._ids.give_back(number)

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
                kill(self._pidfd)
                with contextlib.suppress(ChildProcessError):
                    os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | _WALL)
                os.close(self._pidfd)
                self._pidfd = -1
            self._ids.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._pidfd >= 0 and not has_ended(self._pidfd)
