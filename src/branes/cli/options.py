"""Options that more than one command has."""

from __future__ import annotations

from typing import Annotated

import typer

from branes.errors import UsageError

Preset = Annotated[
    str, typer.Option("--preset", metavar="P", help="Named set of interfaces; `brane plan` prints them.")
]
Grants = Annotated[
    list[str] | None,
    typer.Option("--grant", metavar="I", help="Grant an interface, or a package, beyond the preset. Repeatable."),
]
Denials = Annotated[
    list[str] | None,
    typer.Option("--deny", metavar="I", help="Link an interface so that each use is refused and recorded. Repeatable."),
]
Env = Annotated[
    list[str] | None, typer.Option("--env", metavar="K=V", help="A variable of its environment. Repeatable.")
]
Memory = Annotated[str, typer.Option("--memory", metavar="SIZE", help="Such as 64MiB or 1GiB.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="TIME", help="Such as 500ms, 30s or 5m.")]
Output = Annotated[str, typer.Option("--output", metavar="SIZE", help="Most that it may print in all.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, with what it printed in it.")]
JsonOnly = Annotated[bool, typer.Option("--json", help="Print JSON.")]

PRESET = "command"
MEMORY = "256MiB"
TIMEOUT = "30s"
OUTPUT = "64MiB"


def variables(pairs: list[str] | None) -> dict[str, str]:
    """The environment that `K=V` words mean.

    Raises:
        UsageError: one has no `=`.
    """
    for pair in pairs or []:
        if "=" not in pair:
            raise UsageError(f"--env {pair!a} has no value", hint="write it like --env NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs or [])
