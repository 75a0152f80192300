"""`brane run APP [ARGS]...`: a program in a fresh brane, with this command's standard streams."""

from __future__ import annotations

from typing import Annotated

import typer

from branes.cli import options


@options.for_a_guest
def command(
    guest: options.Guest,
    app: Annotated[str, typer.Argument(metavar="APP", help="A component, a WASI preview-1 module, or .wat text.")],
    args: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="The guest's, options included.")
    ] = None,
    *,
    preset: options.Preset = options.PRESET,
) -> int:
    """Run a program that you do not trust. Its own exit code comes back."""
    from branes.calling import COMMAND
    from branes.cli.execute import Job, execute
    from branes.cli.progress import compiling, reading
    from branes.cli.taking import wanted
    from branes.errors import InputError
    from branes.launching import not_a_command, prepare
    from branes.text import escape

    manifest = guest.manifest(preset)
    takes = wanted(guest.takes, manifest, force=guest.force)
    with compiling(escape(app)) as progress, reading() as bar:
        try:
            prepared = prepare(app, manifest, progress, bar)
        except InputError as error:
            if app.endswith(".py") and "cannot be read" not in error.message:
                raise InputError(error.message, hint=f"use `brane python {escape(app)}`") from error
            raise
    not_a_command(prepared)
    words = (prepared.name, *(args or []))
    return execute(
        Job(
            prepared=prepared,
            manifest=manifest,
            words=words,
            request=COMMAND,
            takes=takes,
            as_json=guest.as_json,
        )
    )
