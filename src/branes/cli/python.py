"""`brane python`: code in a brane, called as `python` is: with a script, `-c CODE`, or a program on standard input."""

from __future__ import annotations

import os
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from branes.cli import options, streams

#: How WebAssembly begins: binary, and as text.
_WEBASSEMBLY: Final = (b"\0asm", b"(module", b"(component")
#: Encodings that take time with the square of the text: hours for a script, before it is in a brane.
_SLOW: Final = frozenset({"idna", "punycode"})


class Command(TyperCommand):
    """Ends options at `-c CODE`, as `python` does."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse; what follows `-c CODE` is the program's."""
        return super().parse_args(ctx, _end_options(args, options.with_value(self)))


def _end_options(args: list[str], with_value: set[str]) -> list[str]:
    """`args` with `--` behind `-c CODE`, if that comes before any program."""
    own = options.own(args, with_value)
    place = next((index for index, word in enumerate(own) if word.startswith("-c")), None)
    if place is None:
        return args
    place += 2 if own[place] == "-c" else 1
    return args if place > len(args) else [*args[:place], "--", *args[place:]]


@options.for_a_guest
def command(
    guest: options.Guest,
    args: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCRIPT|-] [ARGS]...", help="A script, `-` or nothing for standard input."),
    ] = None,
    *,
    code: Annotated[str | None, typer.Option("-c", metavar="CODE", help="The program; what follows is for it.")] = None,
) -> int:
    """Run Python code that you do not trust, with the whole pure standard library and nothing of this machine."""
    return _run(code, args or [], guest)


def _run(code: str | None, args: list[str], guest: options.Guest) -> int:
    from branes.asking import run_request
    from branes.cli.execute import Job, execute
    from branes.cli.progress import compiling, reading
    from branes.cli.taking import wanted
    from branes.launching import prepare_guest

    manifest = guest.manifest("python")
    takes = wanted(guest.takes, manifest, force=guest.force)

    is_on_stdin = code is None and (not args or args[0] == "-")
    filename, source = _program(code, args, is_on_stdin=is_on_stdin)
    # As sys.argv of python: -c, - or nothing, or the script; then the rest.
    words = ["-c", *args] if code is not None else (args or [""])
    request = run_request(source, filename, words[1:], first=words[0])
    with compiling("python", announce=True) as progress, reading() as bar:
        prepared = prepare_guest(manifest, progress, bar)
    return execute(
        Job(
            prepared=prepared,
            manifest=manifest,
            words=("python",),
            request=request,
            has_input=not is_on_stdin,
            takes=takes,
            as_json=guest.as_json,
        )
    )


def _program(code: str | None, args: list[str], *, is_on_stdin: bool) -> tuple[str, str]:
    """Name and text of the program.

    Raises:
        InputError: it cannot be read, or is no Python source text.
    """
    if code is not None:
        return "<string>", code
    if not is_on_stdin:
        return args[0], _decoded(_read(args[0]), args[0])
    if os.isatty(streams.STDIN):
        streams.say("brane: type the program, then Ctrl-D\n")
    return "<stdin>", _decoded(_read(streams.STDIN), "standard input")


def _read(file: str | int) -> bytes:
    from branes.errors import InputError
    from branes.text import escape
    from branes.wire import MAX_PAYLOAD

    name = escape(file) if isinstance(file, str) else "standard input"
    try:
        with open(file, "rb", closefd=isinstance(file, str)) as opened:
            source = opened.read(MAX_PAYLOAD)
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{name} cannot be read: {reason}") from error
    if source.startswith(_WEBASSEMBLY) or name.endswith((".wasm", ".wat")):
        raise InputError(f"{name} is WebAssembly, expected Python source text", hint=f"use `brane run {name}`")
    if len(source) > MAX_PAYLOAD - 65536:
        raise InputError(f"{name} is longer than {MAX_PAYLOAD - 65536} bytes")
    return source


def _decoded(source: bytes, name: str) -> str:
    """Source text as Python reads it: UTF-8, unless a coding line says otherwise."""
    import codecs
    import io
    import tokenize

    from branes.errors import InputError
    from branes.text import escape

    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        if codecs.lookup(encoding).name in _SLOW:
            raise InputError(f"{escape(name)} is written in {encoding}, which is not read here", hint="use UTF-8")
        return source.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError) as error:
        raise InputError(f"{escape(name)} is no Python source text: {error}") from error
