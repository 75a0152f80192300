"""The start of a template's process: the one place where this package starts any.

What would show only when a guest's code runs is looked at before. What the kernel refuses on the way is said by the
process itself, over the control channel, with the step and the errno.
"""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from branes import _executables, channel, demands
from branes.errors import HostFault, MissingMechanism
from branes.jailed import pid_behind, same_process

if TYPE_CHECKING:
    from branes.channel import Control
    from branes.ids import Ids


def born(program: Path, control: Control) -> int:
    """Start a template; a pidfd of it, which waits for the maps of its user namespace.

    Args:
        program: the executable, a body of `crates/cage`.
        control: the channel to it, whose other end is closed here.

    Raises:
        MissingMechanism: a limit is too low, or the kernel refuses a step.
        HostFault: it cannot be started.
    """
    _require_address_space()
    with control.theirs as theirs:
        _launch(program, theirs.fileno(), control)
    _, (pidfd,) = control.receive("born", 1)
    return pidfd


def _require_address_space() -> None:
    """Ahead, for a reservation that fails later looks like a fault of the guest that asks for it."""
    lacking = demands.SPACE.lacking(*resource.getrlimit(demands.SPACE.number))
    if lacking:
        message = f"the limit of address space is too low for a guest's memories: {lacking}"
        raise MissingMechanism(message, hint=demands.SPACE.way_out)


def _launch(program: Path, theirs: int, control: Control) -> None:
    """Run the birth to its end, which is when the template was cloned, or something failed that it told."""
    with channel.own_step(f"seal {program.name}"):
        memfd = _executables.sealed(program)
    try:
        with channel.own_step(f"start {program.name}"):
            done = subprocess.run(
                [program.name, "birth", str(theirs), str(memfd)],
                executable=f"/proc/self/fd/{memfd}",
                pass_fds=(theirs, memfd),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                check=False,
                timeout=channel.PATIENCE,
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise HostFault(f"{program.name} cannot be started: {error}") from error
    if done.returncode != 0 and not control.has_word:
        ended = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        raise HostFault(f"{program.name} died at birth without a word: {ended}", hint="run `brane doctor`")


def write_maps(pidfd: int, ids: Ids) -> None:
    """Maps of the template's user namespace; an unprivileged owner must first give up setgroups(2).

    Raises:
        MissingMechanism: the kernel refuses. HostFault: the template has ended.
    """
    pid = pid_behind(pidfd)
    try:
        with same_process(pidfd):
            if not ids.privileged:
                Path(f"/proc/{pid}/setgroups").write_text("deny")
            Path(f"/proc/{pid}/gid_map").write_text(ids.gid_map)
            Path(f"/proc/{pid}/uid_map").write_text(ids.uid_map)
    except OSError as error:
        raise MissingMechanism(
            f"the id maps of a user namespace cannot be written: {error}", hint="run `brane doctor`"
        ) from error
