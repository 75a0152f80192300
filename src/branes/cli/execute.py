"""Runs what is prepared, in a brane of its own, with the command's own streams. `run` and `python` share it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from branes import wave, wit
from branes.brane import Brane, Collected
from branes.cli import output, signals, streams, taking
from branes.cli.shapes import jsonable
from branes.drive import Caller, Nothing
from branes.errors import BranesError, DeadlineExceeded
from branes.launching import make_binding
from branes.outcome import usage_of
from branes.text import escape

if TYPE_CHECKING:
    from branes.calling import Request
    from branes.launching import Prepared
    from branes.manifest import Manifest
    from branes.outcome import Completed
    from branes.wit import Type

#: Most names of what was refused in one line, and the longest of them.
_MAX_NAMES: Final = 3
_MAX_NAME: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to run, and how.

    Attributes:
        prepared: program and plan.
        manifest: what was asked for.
        words: the guest's command line, the program's name first.
        request: what to call, and with what.
        is_typed: whether what it returns is printed, and what it prints goes to standard error.
        has_input: whether the guest gets the command's standard input.
        takes: what is copied out once it has ended by itself.
        as_json: whether its output is kept for one JSON object.
    """

    prepared: Prepared
    manifest: Manifest
    words: tuple[str, ...]
    request: Request
    is_typed: bool = False
    has_input: bool = True
    takes: tuple[taking.Take, ...] = ()
    as_json: bool = False


class _Brane(Brane):
    """A brane whose output goes to readers that may not read; it is looked after meanwhile."""

    def attend(self) -> bool:
        """See `Driver.attend`."""
        return self._driver.attend()


def execute(job: Job) -> int:
    """Run `job` to its end; the guest's own exit code.

    Raises:
        BranesError: it did not come to an end of its own.
        OutputClosedError: nobody reads its output any more; it was killed.
    """
    brane = _Brane(job.prepared, make_binding(job.words, job.manifest, stays=bool(job.takes)))
    collected = Collected()
    started = time.monotonic()
    try:
        value, completed = _call(brane, job, collected)
        taken = taking.take_all(brane, job.takes, completed)
    except BranesError as error:
        brane.close()
        if error.completed is not None:
            error.completed = _with_end(error.completed, brane)
        raise
    except signals.Interrupted as stop:
        brane.close()
        usage = usage_of(time.monotonic() - started, brane.died)
        code = 128 + stop.number
        stop.completed = brane.conduct.completed(code, bytes(collected.stdout), bytes(collected.stderr), usage)
        raise
    finally:
        brane.close()
        for take in job.takes:
            take.taker.close()
        if not job.as_json and brane.conduct.denials and os.isatty(streams.STDERR):
            streams.say(_denied_in_words(brane))
    if brane.conduct.fate is not None:  # what it tried while nobody looked, found when it was closed
        brane.conduct.fate.completed = completed
        raise brane.conduct.fate
    if job.as_json:
        output.put_json(output.exited(_with_end(completed, brane), taken) | _as_json(job, value))
    elif job.is_typed and (of := _printed(job)) is not None:
        streams.put(wave.text(of, value) + "\n")
    return completed.exit_code


def _printed(job: Job) -> Type | None:
    """The type of what is printed."""
    of = job.request.function.result
    return of.ok if isinstance(of, wit.Result) else of


def _as_json(job: Job, value: Any) -> dict[str, Any]:
    if not job.is_typed:
        return {}
    of = _printed(job)
    return {"value": jsonable(of, value), "wave": None if of is None else wave.text(of, value)}


def _call(brane: _Brane, job: Job, collected: Collected) -> tuple[Any, Completed]:
    from branes.api import with_code
    from branes.app import value_of

    stdout = streams.STDERR if job.is_typed else streams.STDOUT
    writers = {1: streams.Writer(stdout, brane.attend), 2: streams.Writer(streams.STDERR, brane.attend)}
    sinks = collected if job.as_json else Collected(writers[1].write, writers[2].write)
    source = streams.StandardInput() if job.has_input else Nothing()
    caller = Caller(source=source, emit=sinks.emit)
    try:
        value, completed = brane.call(job.request, caller, sinks)
    except DeadlineExceeded as error:
        if any(writer.dropped for writer in writers.values()):
            error.message += ", in which its output was not read"
            error.hint = f"read it, or {error.hint}"
        raise
    finally:
        for writer in writers.values():
            writer.finish()
    if job.is_typed:
        return value_of(job.request.function, value, completed, brane.conduct.exit_code), completed
    return value, with_code(completed, value, brane.conduct) if job.request.gives_code else completed


def _with_end(completed: Completed, brane: Brane) -> Completed:
    """With what is known only once the process has ended."""
    usage = usage_of(completed.usage.wall, brane.died)
    return replace(completed, denials=tuple(brane.conduct.denials), usage=usage)


def _denied_in_words(brane: Brane) -> str:
    """One line about what was refused: how often, what, and where to read more."""
    denials = brane.conduct.denials
    attempts = f"{len(denials)} attempts" if len(denials) > 1 else "1 attempt"
    names = list(dict.fromkeys(escape(denial.tried.partition(" ")[0])[:_MAX_NAME] for denial in denials))
    shown = ", ".join(names[:_MAX_NAMES]) + (", ..." if len(names) > _MAX_NAMES else "")
    return f"brane: refused {attempts} ({shown}); see `brane audit tail --run {brane.conduct.run}`\n"
