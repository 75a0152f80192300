"""The commands put together, and what they share around their edges: bad options, help, output that nobody reads."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from branes.cli import audit, call, doctor, inspect, options, output, plan, python, streams
from branes.cli import run as running
from branes.errors import HostFault, UsageError

_ARGS_ARE_THE_GUESTS = {"allow_interspersed_args": False}
_EPILOG = """\b
Examples:
  brane python -c 'print(1 + 1)'
  brane python script.py args... < input
  brane run --deny wasi:sockets --timeout 5s app.wasm args...
  brane call app.wasm 'process(1, "x")'
  brane inspect app.wasm
  brane plan app.wasm
  brane doctor
  brane audit tail

\b
Options end at the program; what follows is the guest's. Exit codes: the guest's own; 2 bad input, 124 deadline, 125
this machine's fault, 126 refused by a layer, 134 trap, 137 limit.
"""


def _version(wanted: bool) -> None:  # noqa: FBT001 -- a typer callback is called like this
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            streams.put(f"brane {version('branes')}\n")
        except PackageNotFoundError:
            streams.put("brane, from a checkout that is not installed\n")
        raise typer.Exit


def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which it is.")
    ] = False,
) -> None:
    """Run code that nobody trusts behind enforcement layers, and keep a record of all that it was refused."""


def make() -> Any:
    """The command with all its commands."""
    app = typer.Typer(name="brane", rich_markup_mode=None, pretty_exceptions_enable=False, epilog=_EPILOG)
    app.callback()(_root)
    app.command("run", context_settings=_ARGS_ARE_THE_GUESTS)(running.command)
    app.command("python", cls=python.Command, context_settings=_ARGS_ARE_THE_GUESTS)(python.command)
    app.command("call")(call.command)
    app.command("plan")(plan.command)
    app.command("inspect")(inspect.inspect)
    app.command("diff")(inspect.diff)
    app.command("stubs")(inspect.stubs)
    app.command("doctor")(doctor.command)
    app.add_typer(audit.app, name="audit")
    return typer.main.get_command(app)


def run(args: list[str]) -> int:
    """Run the command in `args`; its exit code."""
    streams.ensure_open()
    command = make()
    return output.guarded(lambda: _dispatch(command, args), as_json=_wants_json(command, args))


def _wants_json(command: Any, args: list[str]) -> bool:
    """Whether `--json` is among the words that are not a guest's. Those of a command that does not parse count, too."""
    is_group = True
    while is_group and args and not args[0].startswith("-"):
        inner = getattr(command, "commands", {}).get(args[0])
        is_group = inner is not None
        command, args = (inner, args[1:]) if is_group else (command, args)
    has_a_guest = "allow_interspersed_args" in getattr(command, "context_settings", {})
    return "--json" in (options.own(args, options.with_value(command)) if has_a_guest else args)


def _dispatch(command: Any, args: list[str]) -> int:
    try:
        code = command.main(args or ["--help"], prog_name="brane", standalone_mode=False)
        if sys.stdout is not None:  # closed from the start
            sys.stdout.flush()
    except BrokenPipeError as error:
        # Python would try once more at its end, and complain.
        os.dup2(os.open("/dev/null", os.O_WRONLY), streams.STDOUT)
        raise streams.OutputClosedError from error
    except OSError as error:
        # What a help text is written to: no command lets one of its own out.
        os.dup2(os.open("/dev/null", os.O_WRONLY), streams.STDOUT)
        raise HostFault(f"output cannot be written: {(error.strerror or str(error)).lower()}") from error
    except Exception as error:
        # Typer's own class for bad options has another name in each of its versions.
        if hasattr(error, "format_message"):
            raise _bad_usage(error) from error
        raise
    return code if isinstance(code, int) else 0


def _bad_usage(error: Any) -> UsageError:
    # Typer makes a suggestion, and so do some versions of what it stands on.
    what, *suggested = str(error.format_message()).split(" Did you mean ")
    message = f"{what} Did you mean {suggested[0]}" if suggested else what.rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "brane"
    hint = f"`{path} --help` says what there is"
    if getattr(error, "option_name", None) == "-c":
        hint = "write it like brane python -c 'print(1)'"
    return UsageError(message[:1].lower() + message[1:], hint=hint)
