"""`brane run APP [ARGS]...`: a program in a fresh brane, with this command's standard streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from branes.cli import options, output

if TYPE_CHECKING:
    from branes.manifest import Manifest


def command(
    app: Annotated[str, typer.Argument(metavar="APP", help="A component, a WASI preview-1 module, or .wat text.")],
    args: Annotated[
        list[str] | None, typer.Argument(metavar="[ARGS]...", help="The guest's, options included.")
    ] = None,
    *,
    preset: options.Preset = options.PRESET,
    grant: options.Grants = None,
    deny: options.Denials = None,
    env: options.Env = None,
    memory: options.Memory = options.MEMORY,
    timeout: options.Timeout = options.TIMEOUT,
    output_limit: options.Output = options.OUTPUT,
    as_json: options.Json = False,
) -> int:
    """Run a program that you do not trust. Its own exit code comes back."""

    def body() -> int:
        from branes.api import make_manifest

        manifest = make_manifest(
            preset,
            grant or (),
            deny or (),
            options.variables(env),
            memory=memory,
            timeout=timeout,
            output=output_limit,
        )
        return _run(app, args or [], manifest, as_json=as_json)

    return output.guarded(body, as_json=as_json)


def _run(app: str, args: list[str], manifest: Manifest, *, as_json: bool) -> int:
    from branes.cli.execute import Job, execute
    from branes.cli.progress import compiling
    from branes.launching import not_a_command, prepare
    from branes.text import escape

    with compiling(escape(app)) as progress:
        prepared = prepare(app, manifest, progress)
    not_a_command(prepared)
    words = (prepared.name, *args)
    return execute(Job(prepared=prepared, manifest=manifest, words=words, export="wasi:cli/run", as_json=as_json))
