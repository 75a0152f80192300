"""`brane audit tail | verify`: reading the record. Both only read, and write nothing into the log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from branes.cli import options, output, streams
from branes.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from branes.audit import Record, Verdict

app = typer.Typer(help="Read the record of all that happened.", rich_markup_mode=None, no_args_is_help=False)

Log = Annotated[str, typer.Option("--log", metavar="FOLDER", help="Another log, such as a copy; default: your own.")]

#: Seconds between two looks at a log that is followed.
_LOOK: Final = 0.2
_MAX_DETAIL: Final = 240
_NARROWEST: Final = 40
_INDENT: Final = 13
_RED, _DIM, _RESET = "\x1b[31m", "\x1b[2m", "\x1b[0m"
_BAD: Final = ("denied", "rejected", "lost", "broken", "trap", "limit.", "full", "recovered")


@app.command()
def tail(
    *,
    count: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many records.")] = 20,
    run: Annotated[str, typer.Option("--run", metavar="ID", help="Of this run only.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is recorded from now on.")] = False,
    log: Log = "",
    as_json: Annotated[bool, typer.Option("--json", help="The lines of the log, byte by byte.")] = False,
) -> int:
    """Show the last records, oldest first: number, time, run, layer, event, what was tried > what was done."""

    def body() -> int:
        folder, show = _folder(log), _canonical if as_json else _lines
        for record in _records(folder, run, count, follow=follow):
            streams.put(show(record))
        return 0

    return output.guarded(body, as_json=as_json)


@app.command()
def verify(*, log: Log = "", as_json: options.JsonOnly = False) -> int:
    """Check every line of the record: exit code 0 if it is whole, 1 if not, and then the first line that is wrong."""

    def body() -> int:
        from branes.audit import verify as check

        folder = _folder(log)
        verdict = check(folder)
        if as_json:
            output.put_json(_verdict_json(folder, verdict))
        else:
            streams.put(_verdict_text(folder, verdict))
        return 0 if verdict.ok else 1

    return output.guarded(body, as_json=as_json)


def _folder(named: str) -> Path:
    """The log's folder.

    Raises:
        AuditError: there is no log in it.
    """
    from branes import state
    from branes.errors import AuditError

    folder = Path(named) if named else state.named().audit
    try:
        if folder.is_dir() and any(name.endswith(".jsonl") for name in os.listdir(folder)):
            return folder
    except PermissionError as error:
        message = f"the audit log in {escape(str(folder))} cannot be read: permission denied"
        raise AuditError(message, hint="it belongs to another user: read it as that one, or a copy") from error
    hint = "is it the folder that has 000001.jsonl?" if named else "nothing has run yet, or BRANES_STATE names another"
    raise AuditError(f"there is no audit log in {escape(str(folder))}", hint=hint)


def _records(folder: Path, run: str, count: int, *, follow: bool) -> Iterator[Record]:
    """The last `count` records, of `run` if that is not empty; then those that come.

    Raises:
        UsageError: there is none of `run`.
    """
    import time

    from branes.audit import tail as last
    from branes.errors import UsageError

    records = last(folder, count)
    seen = records[-1].seq if records else 0
    found = _of_run(folder, run, count, seen) if run else records
    if run and not found and not follow:
        raise UsageError(f"no record of a run {run!a}", hint="`brane audit tail` shows the ids of the last runs")
    yield from found
    while follow:
        time.sleep(_LOOK)
        for record in _since(folder, seen):
            seen = record.seq
            if run in ("", record.run):
                yield record


def _of_run(folder: Path, run: str, count: int, newest: int) -> list[Record]:
    """The last `count` records of `run`, up to number `newest`. Looks further and further back, for most ask soon."""
    from branes.audit import tail as last

    looked_at = 64
    while True:
        records = last(folder, looked_at)
        found = [record for record in records if record.run == run and record.seq <= newest]
        if len(found) >= count or len(records) < looked_at:
            return found[-count:]
        looked_at *= 8


def _since(folder: Path, seen: int) -> list[Record]:
    """All records after number `seen`."""
    from branes.audit import tail as last

    count = 16
    while True:
        records = last(folder, count)
        if not records or records[0].seq <= seen + 1:
            return [record for record in records if record.seq > seen]
        count *= 4


def _canonical(record: Record) -> str:
    """The record's line. There is one spelling of each, which is the one that was read."""
    from dataclasses import asdict

    import rfc8785

    fields = asdict(record)
    del fields["digest"]
    return rfc8785.dumps(fields).decode() + "\n"


def _lines(record: Record) -> str:
    """One line; on a terminal, a head and below it what was tried and done, in lines that fit."""
    tried, done = _words(record.tried), _words(record.done)
    if not os.isatty(streams.STDOUT):
        details = f"{_cut(tried)}{' > ' if tried and done else ''}{_cut(done)}"
        return f"{record.seq:6} {_when(record)} {record.run or '-':16} {record.layer:8} {record.event}  {details}\n"
    dim, red, reset = _colours(record)
    head = f"{dim}{record.seq:6} {_when(record)[:-4]} {record.run or '-':16}{reset} {red}{record.layer} {record.event}"
    return f"{head}{reset}\n" + _below("tried", _cut(tried)) + _below("done", _cut(done))


def _when(record: Record) -> str:
    return record.wall.replace("T", " ")[:-4]


def _colours(record: Record) -> tuple[str, str, str]:
    if not streams.coloured(streams.STDOUT):
        return "", "", ""
    is_bad = any(word in record.event for word in _BAD)
    return _DIM, _RED if is_bad else "", _RESET


def _below(name: str, text: str) -> str:
    import textwrap

    # A terminal that does not tell its width is as wide as they used to be.
    columns = max(os.get_terminal_size(streams.STDOUT).columns or 80, _NARROWEST)
    lines = textwrap.wrap(text, columns - _INDENT, break_on_hyphens=False)
    heads = [name, *[""] * len(lines)]
    return "".join(f"       {head:6}{line}\n" for head, line in zip(heads, lines, strict=False))


def _words(values: Mapping[str, Any]) -> str:
    import json

    words = [
        f"{name}={value if isinstance(value, str) else json.dumps(value, separators=(',', ':'), ensure_ascii=False)}"
        for name, value in values.items()
    ]
    return escape(" ".join(words))


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_DETAIL else f"{text[:_MAX_DETAIL]}..."


def _verdict_json(folder: Path, verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    outcome = "whole" if verdict.ok else "broken"
    return {"outcome": outcome, "exit_code": 0 if verdict.ok else 1, "log": str(folder), **asdict(verdict)}


def _verdict_text(folder: Path, verdict: Verdict) -> str:
    fault = verdict.first_fault
    if fault is None:
        return f"whole: {verdict.records} records in {verdict.segments} files, head {verdict.head}\n"
    place = escape(str(folder / fault.file))
    return (
        f"broken: {place}, line {fault.line}: {fault.reason}: {fault.detail}\n"
        f"  the {verdict.records} records before it are sound, head {verdict.head}\n"
        "  hint: keep the folder as it is and move it aside; a new log begins with the next run\n"
    )
