"""`brane plan APP`: what a program imports, what each layer would hold, and whether it would start. Starts nothing.

The program is compiled, in its jail, to learn what it imports. Nothing is recorded but what the compiler refuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from branes.cli import options, output, streams

if TYPE_CHECKING:
    from branes.cli.preview import Preview
    from branes.manifest import Manifest


def command(
    app: Annotated[str | None, typer.Argument(metavar="[APP]", help="The program; without it, the presets.")] = None,
    *,
    preset: options.Preset = options.PRESET,
    grant: options.Grants = None,
    deny: options.Denials = None,
    memory: options.Memory = options.MEMORY,
    timeout: options.Timeout = options.TIMEOUT,
    output_limit: options.Output = options.OUTPUT,
    tree: options.Trees = None,
    scratch: options.Scratch = None,
    file: options.Files = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Each allowed system call, with its reason.")
    ] = False,
    as_json: options.JsonOnly = False,
) -> int:
    """Show what a program wants and what would be enforced, without running it.

    Exit code 0 if it would start, 126 if it would be refused, 2 if it is no program to run.
    """

    def body() -> int:
        from branes.asking import make_manifest

        places = options.Places(trees=tree or [], scratch=scratch or [], files=file or [])
        manifest = make_manifest(
            preset,
            grant or (),
            deny or (),
            None,
            memory=memory,
            timeout=timeout,
            output=output_limit,
            mounts=places.mounts(),
        )
        return _presets(as_json=as_json) if app is None else _show(app, manifest, verbose=verbose, as_json=as_json)

    return output.guarded(body, as_json=as_json)


def _presets(*, as_json: bool) -> int:
    from branes.cli import preview

    if as_json:
        output.put_json({"presets": preview.presets()})
    else:
        streams.put("\n".join(_preset_lines(preview.presets())) + "\n")
    return 0


def _show(app: str, manifest: Manifest, *, verbose: bool, as_json: bool) -> int:
    from branes import runtime
    from branes.cli import preview
    from branes.cli.progress import compiling, reading
    from branes.launching import read_app
    from branes.text import escape

    name, program = read_app(app)
    with compiling(escape(app)) as progress:
        artifact = runtime.runtime().artifact(lambda: program, progress)
    with reading() as bar:
        seen = preview.preview(name, artifact.component, manifest, bar)
    if as_json:
        output.put_json(seen.as_json())
    else:
        streams.put("\n".join(_lines(seen, verbose=verbose)) + "\n")
    return seen.exit_code


def _lines(seen: Preview, *, verbose: bool) -> list[str]:
    facts = {
        "program": seen.name,
        "sha256": seen.digest,
        "kind": "a WASI preview-1 module, adapted to a component" if seen.adapted else "a component",
        "preset": f"{seen.preset}: {seen.presets[seen.preset]['why']}",
        "verdict": seen.verdict,
    }
    return [
        *(f"{name:9}{value}" for name, value in facts.items()),
        "",
        "layer 1, language: what it imports",
        *_import_lines(seen.imports),
        "",
        "layer 2, process: the system calls that are left to it; any other is recorded and ends the brane",
        *_syscall_lines(seen.syscalls, verbose=verbose),
        *(f"  policy {stage}: sha256 {digest}" for stage, digest in seen.filters.items()),
        "",
        "directories",
        *_mount_lines(seen.mounts),
        "",
        "limits",
        *(f"  {name:9}{value}" for name, value in seen.limits.items()),
        "",
        f"template {seen.template or 'none: it would not start'}",
        "",
        *_preset_lines(seen.presets),
    ]


def _mount_lines(mounts: list[dict[str, str]]) -> list[str]:
    if not mounts:
        return ["  none"]
    return [f"  {item['kind']:9}{item['path']}  {item['digest'] or item['means']}" for item in mounts]


def _import_lines(imports: list[dict[str, str]]) -> list[str]:
    if not imports:
        return ["  nothing"]
    return [f"  {item['state']:8} {item['name']}\n           {_meaning(item)}" for item in imports]


def _meaning(item: dict[str, str]) -> str:
    if item["state"] == "denied":
        return f"it would {item['allows']}; every use is refused and recorded" if item["allows"] else "always refused"
    if item["state"] == "granted":
        return f"lets it {item['allows']}"
    would = f"it would {item['allows']}" if item["allows"] else "not known here"
    return f"{would}; {item['change'] + ' lets it start' if item['change'] else 'nothing allows it'}"


def _syscall_lines(syscalls: dict[str, str], *, verbose: bool) -> list[str]:
    if verbose:
        return [f"  {name:14} {reason}" for name, reason in syscalls.items()]
    return [f"  {', '.join(syscalls)}"]


def _preset_lines(presets: dict[str, dict[str, Any]]) -> list[str]:
    lines = ["presets"]
    for name, preset in presets.items():
        lines.append(f"  {name:9}{preset['why']}")
        lines += [f"           {state}: {', '.join(words)}" for state, words in preset["words"].items() if words]
    return lines
