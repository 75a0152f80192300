"""`brane call APP 'f(1, "x")'`: one function of a component, with arguments and result in WAVE."""

from __future__ import annotations

from typing import Annotated

import typer

from branes.cli import options


@options.for_a_guest
def command(
    guest: options.Guest,
    app: Annotated[str, typer.Argument(metavar="APP", help="A component, or .wat text.")],
    call: Annotated[
        str, typer.Argument(metavar="CALL", help="Such as 'f(1, \"x\")'; docs/values.md has the notation.")
    ],
    *,
    preset: options.Preset = "library",
) -> int:
    """Call a function of a component that you do not trust; its value is printed.

    What it writes to standard output and error is printed on standard error. Exit code 1 if it returns an error.
    """
    from branes.calling import request
    from branes.cli.execute import Job, execute
    from branes.cli.progress import compiling, reading
    from branes.cli.taking import wanted
    from branes.launching import prepare
    from branes.text import escape
    from branes.wave import parse_call

    manifest = guest.manifest(preset)
    takes = wanted(guest.takes, manifest, force=guest.force)
    with compiling(escape(app)) as progress, reading() as bar:
        prepared = prepare(app, manifest, progress, bar)
    function, args = parse_call(call, prepared.artifact.component.functions)
    return execute(
        Job(
            prepared=prepared,
            manifest=manifest,
            words=(prepared.name,),
            request=request(function, args),
            is_typed=True,
            takes=takes,
            as_json=guest.as_json,
        )
    )
