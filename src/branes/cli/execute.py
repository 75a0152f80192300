"""Runs what is prepared, in a brane of its own, with the command's own streams. `run` and `python` share it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from branes.brane import Brane, Collected
from branes.cli import output, streams
from branes.drive import Caller, Nothing
from branes.errors import BranesError
from branes.launching import make_binding
from branes.outcome import usage_of

if TYPE_CHECKING:
    from branes.launching import Prepared
    from branes.manifest import Manifest
    from branes.outcome import Completed


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run, and how.

    Attributes:
        prepared: program and plan.
        manifest: what was asked for.
        words: the guest's command line, the program's name first.
        export: what to call.
        arguments: with what.
        has_input: whether the guest gets the command's standard input.
        as_json: whether its output is kept for one JSON object.
    """

    prepared: Prepared
    manifest: Manifest
    words: tuple[str, ...]
    export: str
    arguments: tuple[dict[str, object], ...] = ()
    has_input: bool = True
    as_json: bool = False


def execute(job: Job) -> int:
    """Run `job` to its end; the guest's own exit code.

    Raises:
        BranesError: it did not come to an end of its own.
        OutputClosedError: nobody reads its output any more; it was killed.
    """
    brane = Brane(job.prepared, make_binding(job.words, job.manifest))
    try:
        completed = _call(brane, job)
    except BranesError as error:
        brane.close()
        if error.completed is not None:
            error.completed = _with_end(error.completed, brane)
        raise
    finally:
        brane.close()
    if brane.conduct.fate is not None:  # what it tried while nobody looked, found when it was closed
        brane.conduct.fate.completed = completed
        raise brane.conduct.fate
    if job.as_json:
        output.put_json(output.exited(_with_end(completed, brane)))
    elif brane.conduct.denials and os.isatty(streams.STDERR):
        streams.say(_denied_in_words(len(brane.conduct.denials)))
    return completed.exit_code


def _call(brane: Brane, job: Job) -> Completed:
    from branes.api import with_code

    seconds = job.manifest.limits.timeout
    writers = {1: streams.Writer(streams.STDOUT, seconds), 2: streams.Writer(streams.STDERR, seconds)}
    collected = Collected() if job.as_json else Collected(writers[1].write, writers[2].write)
    source = streams.StandardInput() if job.has_input else Nothing()
    caller = Caller(source=source, emit=collected.emit)
    try:
        value, completed = brane.call(job.export, list(job.arguments), caller, collected)
    finally:
        _finish(writers)
    return with_code(completed, value, brane.conduct) if _has_code(value) else completed


def _finish(writers: dict[int, streams.Writer]) -> None:
    for writer in writers.values():
        writer.finish()


def _has_code(value: Any) -> bool:
    return isinstance(value, dict) and "u8" in value


def _with_end(completed: Completed, brane: Brane) -> Completed:
    """With what is known only once the process has ended."""
    usage = usage_of(completed.usage.wall, brane.died)
    return replace(completed, denials=tuple(brane.conduct.denials), usage=usage)


def _denied_in_words(count: int) -> str:
    attempts = f"{count} attempts were" if count > 1 else "1 attempt was"
    return f"brane: {attempts} refused and recorded; `brane audit tail` shows what\n"
