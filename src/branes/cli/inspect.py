"""`brane inspect APP` and `brane diff OLD NEW`: what components import and export. Runs nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from branes.cli import options, output, streams

if TYPE_CHECKING:
    from branes.component import Component
    from branes.surface import Side


def inspect(
    app: Annotated[str, typer.Argument(metavar="APP", help="The program.")], *, as_json: options.JsonOnly = False
) -> int:
    """Show what a program imports, what that would let it do, and what it exports, with types. Runs nothing."""

    def body() -> int:
        from branes.surface import surface

        name, component = read(app)
        seen = surface(component)
        if as_json:
            output.put_json({"name": name, "digest": component.digest, **asdict(seen)})
        else:
            streams.put("\n".join(_lines(name, component, seen.imports, seen.exports)) + "\n")
        return 0

    return output.guarded(body, as_json=as_json)


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The program as it was.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The program as it is to be.")],
    *,
    as_json: options.JsonOnly = False,
) -> int:
    """Show what a new version of a program could do that the old one could not. Runs nothing.

    Exit code 0 if there is nothing new, 1 if there is.
    """

    def body() -> int:
        from branes.surface import changes, surface

        found = changes(*(surface(read(app)[1]) for app in (old, new)))
        if as_json:
            output.put_json(asdict(found))
        else:
            lines = [f"+ {line}" for line in found.gained] + [f"- {line}" for line in found.lost]
            streams.put("\n".join(lines or ["nothing differs"]) + "\n")
        return 1 if found.gained else 0

    return output.guarded(body, as_json=as_json)


def stubs(app: Annotated[str, typer.Argument(metavar="APP", help="The component.")]) -> int:
    """Print what type checkers need for `branes.open(APP)`: the text of a .pyi."""

    def body() -> int:
        from branes.stubs import stub

        streams.put(stub(read(app)[1].functions))
        return 0

    return output.guarded(body, as_json=False)


def read(app: str) -> tuple[str, Component]:
    """Name and description of a program; it is compiled, in its jail, for that."""
    from branes import runtime
    from branes.cli.progress import compiling
    from branes.launching import read_app
    from branes.text import escape

    name, program = read_app(app)
    with compiling(escape(app)) as progress:
        return name, runtime.runtime().artifact(lambda: program, progress).component


def _lines(name: str, component: Component, imports: tuple[Side, ...], exports: tuple[Side, ...]) -> list[str]:
    facts: dict[str, Any] = {"program": name, "sha256": component.digest}
    return [
        *(f"{fact:9}{value}" for fact, value in facts.items()),
        "",
        "imports: what it could do, where it is granted",
        *(_side_lines(imports) or ["  nothing"]),
        "",
        "exports: what can be called",
        *(_side_lines(exports) or ["  nothing"]),
    ]


def _side_lines(sides: tuple[Side, ...]) -> list[str]:
    lines = []
    for side in sides:
        lines.append(f"  {side.name}")
        lines += [f"    {side.allows}"] if side.allows else []
        lines += [f"    {function}" for function in side.functions]
    return lines
