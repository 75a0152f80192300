"""Options that more than one command has; `for_a_guest` gives a command all those of running one."""

from __future__ import annotations

import functools
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from branes.cli import output
from branes.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from branes.filework import Mounts
    from branes.manifest import Manifest


def _presets(incomplete: str) -> list[tuple[str, str]]:
    """Names of presets and what they are for, for a shell that completes."""
    from branes.layers.wasi import policy

    return [(name, preset.why) for name, preset in policy().presets.items() if name.startswith(incomplete)]


Preset = Annotated[
    str,
    typer.Option(
        "--preset", metavar="P", autocompletion=_presets, help="Named set of interfaces; `brane plan` prints them."
    ),
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
Trees = Annotated[
    list[str] | None,
    typer.Option("--tree", metavar="DIR:/PATH", help="What is in DIR, to be read as /PATH. Repeatable."),
]
Scratch = Annotated[
    list[str] | None,
    typer.Option("--scratch", metavar="/PATH[=DIR]", help="To be written, in memory; at first as DIR. Repeatable."),
]
Files = Annotated[
    list[str] | None,
    typer.Option("--file", metavar="NAME=FILE", help="FILE, to be read as /data/NAME. Repeatable."),
]
Takes = Annotated[
    list[str] | None,
    typer.Option("--take", metavar="/PATH:DEST", help="Copy /PATH to DEST once it has ended by itself. Repeatable."),
]
Force = Annotated[bool, typer.Option("--force", help="--take replaces a file that is there.")]
Memory = Annotated[str, typer.Option("--memory", metavar="SIZE", help="Such as 64MiB or 1GiB.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="TIME", help="Such as 500ms, 30s or 5m.")]
Output = Annotated[str, typer.Option("--output", metavar="SIZE", help="Most that it may print in all.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end, with what it printed in it.")]
JsonOnly = Annotated[bool, typer.Option("--json", help="Print JSON.")]

PRESET: Final = "command"
MEMORY: Final = "256MiB"
TIMEOUT: Final = "30s"
OUTPUT: Final = "64MiB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the options about directories say.

    Attributes:
        trees: `DIR:/PATH` words.
        scratch: `/PATH` or `/PATH=DIR` words.
        files: `NAME=FILE` words.
    """

    trees: list[str]
    scratch: list[str]
    files: list[str]

    def mounts(self) -> Mounts:
        """The directories that they mean.

        Raises:
            UsageError: they mean none.
        """
        from branes.cli import places

        return places.mounts(self.trees, self.scratch, self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """What the options that every guest has say.

    Attributes:
        grants: interfaces or packages.
        denials: likewise.
        env: `K=V` words.
        memory: a size.
        timeout: a duration.
        output: a size.
        as_json: whether one JSON object is to be printed.
        places: its directories.
        takes: `/PATH:DEST` words.
        force: whether taking replaces files.
    """

    grants: list[str]
    denials: list[str]
    env: list[str]
    memory: str
    timeout: str
    output: str
    as_json: bool
    places: Places
    takes: list[str]
    force: bool

    def manifest(self, preset: str) -> Manifest:
        """The manifest that they mean, with `preset`.

        Raises:
            UsageError: they mean nothing.
        """
        from branes.asking import make_manifest

        return make_manifest(
            preset,
            self.grants,
            self.denials,
            variables(self.env),
            memory=self.memory,
            timeout=self.timeout,
            output=self.output,
            mounts=self.places.mounts(),
        )


def _guest(
    *,
    grant: Grants = None,
    deny: Denials = None,
    env: Env = None,
    memory: Memory = MEMORY,
    timeout: Timeout = TIMEOUT,
    output_limit: Output = OUTPUT,
    tree: Trees = None,
    scratch: Scratch = None,
    file: Files = None,
    take: Takes = None,
    force: Force = False,
    as_json: Json = False,
) -> Guest:
    return Guest(
        grants=grant or [],
        denials=deny or [],
        env=env or [],
        memory=memory,
        timeout=timeout,
        output=output_limit,
        as_json=as_json,
        places=Places(trees=tree or [], scratch=scratch or [], files=file or []),
        takes=take or [],
        force=force,
    )


def for_a_guest(body: Callable[..., int]) -> Callable[..., int]:
    """`body(guest, ...)` as a command with a guest's options beside its own; what it raises is told to the user."""
    ours = inspect.signature(_guest, eval_str=True).parameters
    _, *theirs = inspect.signature(body, eval_str=True).parameters.values()

    @functools.wraps(body)
    def command(**words: Any) -> int:
        guest = _guest(**{name: words.pop(name) for name in ours})
        return output.guarded(lambda: body(guest, **words), as_json=guest.as_json)

    both = [*theirs, *ours.values()]
    shown: Any = command
    # Typer makes options of these; the wrapped function's own would come first.
    del shown.__wrapped__
    shown.__signature__ = inspect.Signature(both)
    shown.__annotations__ = {parameter.name: parameter.annotation for parameter in both}
    return command


def variables(pairs: list[str] | None) -> dict[str, str]:
    """The environment that `K=V` words mean.

    Raises:
        UsageError: one has no `=`.
    """
    for pair in pairs or []:
        if "=" not in pair:
            raise UsageError(f"--env {pair!a} has no value", hint="write it like --env NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs or [])


def with_value(command: Any) -> set[str]:
    """The options of a command that take a value."""
    return {name for param in command.params if not getattr(param, "is_flag", False) for name in param.opts}


def own(args: list[str], with_value: set[str]) -> list[str]:
    """Those of `args` that are a command's own options and their values: the words before its program."""
    place = 0
    while place < len(args) and args[place].startswith("-") and args[place] not in ("-", "--"):
        place += 2 if args[place] in with_value else 1
    return args[:place]
