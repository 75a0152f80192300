"""`brane audit tail | verify`: reading the record. Both only read, and write nothing into the log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from branes.cli import options, output, streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from branes.audit import Record, Verdict

app = typer.Typer(help="Read the record of all that happened.", rich_markup_mode=None, no_args_is_help=False)

Log = Annotated[str, typer.Option("--log", metavar="FOLDER", help="Another log, such as a copy; default: your own.")]

#: Seconds between two looks at a log that is followed.
_LOOK: Final = 0.2
_MAX_DETAIL: Final = 240
_RED, _DIM, _RESET = "\x1b[31m", "\x1b[2m", "\x1b[0m"
_BAD: Final = ("denied", "rejected", "lost", "broken", "trap", "limit.", "full", "recovered")


@app.command()
def tail(
    *,
    count: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many records.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is recorded from now on.")] = False,
    log: Log = "",
    as_json: Annotated[bool, typer.Option("--json", help="The lines of the log, byte by byte.")] = False,
) -> int:
    """Show the last records, oldest first: number, time, run, layer, event, what was tried > what was done."""

    def body() -> int:
        show = _canonical if as_json else _line
        for record in _records(_folder(log), count, follow=follow):
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
        AuditError: there is none.
    """
    from branes import state
    from branes.errors import AuditError

    folder = Path(named) if named else state.default().audit
    if not folder.is_dir():
        raise AuditError(
            f"there is no audit log in {folder}", hint="nothing has run yet, or BRANES_STATE names another"
        )
    return folder


def _records(folder: Path, count: int, *, follow: bool) -> Iterator[Record]:
    import time

    from branes.audit import tail as last

    records = last(folder, count)
    yield from records
    seen = records[-1].seq if records else 0
    while follow:
        time.sleep(_LOOK)
        for record in _since(folder, seen):
            yield record
            seen = record.seq


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


def _line(record: Record) -> str:
    is_bad = any(word in record.event for word in _BAD)
    dim, red, reset = ("", "", "")
    if streams.coloured(streams.STDOUT):
        dim, red, reset = _DIM, _RED if is_bad else "", _RESET
    when = record.wall.replace("T", " ")[:-4]
    head = f"{record.seq:6} {dim}{when} {record.run or '-':16}{reset} {red}{record.layer:8} {record.event}{reset}"
    return f"{head}  {_detail(record.tried)}{' > ' if record.tried and record.done else ''}{_detail(record.done)}\n"


def _detail(values: Mapping[str, Any]) -> str:
    import json

    from branes.text import escape

    words = [
        f"{name}={value if isinstance(value, str) else json.dumps(value, separators=(',', ':'), ensure_ascii=False)}"
        for name, value in values.items()
    ]
    text = escape(" ".join(words))
    return text if len(text) <= _MAX_DETAIL else f"{text[:_MAX_DETAIL]}..."


def _verdict_json(folder: Path, verdict: Verdict) -> dict[str, Any]:
    from dataclasses import asdict

    outcome = "whole" if verdict.ok else "broken"
    return {"outcome": outcome, "exit_code": 0 if verdict.ok else 1, "log": str(folder), **asdict(verdict)}


def _verdict_text(folder: Path, verdict: Verdict) -> str:
    from branes.text import escape

    fault = verdict.first_fault
    if fault is None:
        return f"whole: {verdict.records} records in {verdict.segments} files, head {verdict.head}\n"
    place = escape(str(folder / fault.file))
    return (
        f"broken: {place}, line {fault.line}: {fault.reason}: {fault.detail}\n"
        f"  the {verdict.records} records before it are sound, head {verdict.head}\n"
        "  hint: keep the folder as it is and move it aside; a new log begins with the next run\n"
    )
