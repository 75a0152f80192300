"""What callers may ask for: every parameter, its check and its documentation, once for both drivers.

A function here takes what a caller wrote and returns it as one value, or says what is wrong with it. What is done with
such a value is said in `branes.api` and `branes.aio`, whose functions get parameters and documentation from here with
`asked_by` and `method_asked_by`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeVar, cast

from branes import inputs, limits
from branes.brane import Collected
from branes.drive import Caller
from branes.errors import UsageError
from branes.launching import ignore_progress
from branes.limits import Limits
from branes.manifest import Manifest, check_text, words

if TYPE_CHECKING:
    from branes.compiling import Progress
    from branes.inputs import Stdin
    from branes.launching import App

Sink = Callable[[bytes], object]
_DEFAULTS: Final = Limits()
_Words = ParamSpec("_Words")
_Self = TypeVar("_Self")
_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of an export.

    Attributes:
        export: its name.
        arguments: with what.
        caller: where input comes from and output goes.
        output: what is kept of the output.
    """

    export: str
    arguments: list[dict[str, object]]
    caller: Caller
    output: Collected


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run, to its end.

    Attributes:
        app: a path, or the program's bytes.
        args: its arguments, without its name.
        manifest: what it is granted.
        progress: told of functions compiled.
        call: the call that runs it.
    """

    app: App
    args: tuple[str, ...]
    manifest: Manifest
    progress: Progress
    call: Call


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter to open.

    Attributes:
        manifest: what it is granted.
        progress: told of functions compiled.
    """

    manifest: Manifest
    progress: Progress


def run(
    app: App,
    args: Sequence[str] = (),
    *,
    stdin: Stdin = None,
    env: Mapping[str, str] | None = None,
    preset: str = "command",
    grants: Iterable[str] = (),
    denials: Iterable[str] = (),
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    on_stdout: Sink | None = None,
    on_stderr: Sink | None = None,
    progress: Progress = ignore_progress,
) -> Program:
    """Run a command component, a WASI preview-1 module or `.wat` text in a fresh brane, to its end.

    Nothing is granted but what `preset` names: by default standard streams, clocks and randomness, an empty
    environment, no directory, no network.

    Args:
        app: a path, or the program's bytes.
        args: arguments, without the program's name.
        stdin: its standard input; None is empty.
        env: its environment.
        preset: `none`, `command` or `python`.
        grants: interfaces granted beyond the preset, such as `wasi:random/random`, or packages.
        denials: interfaces that it may link, each use being refused and recorded.
        memory: bytes, or text such as `256MiB`.
        timeout: seconds, or text such as `30s`.
        output: bytes of standard output and error in all.
        on_stdout: called with each piece of standard output, which is then not kept.
        on_stderr: likewise.
        progress: called with functions compiled and functions in all, when the program is compiled.

    Returns:
        What it came to; its own exit code is not an error.

    Raises:
        InputError: it is no program. Refused: it wants what is not granted. Trapped: it did what WebAssembly forbids.
        LimitExceeded: it was killed at a limit. HostFault: this machine could not run it safely.
    """
    return Program(
        app=app,
        args=words(args, "the arguments"),
        manifest=make_manifest(preset, grants, denials, env, memory=memory, timeout=timeout, output=output),
        progress=progress,
        call=_call("wasi:cli/run", [], stdin, on_stdout, on_stderr),
    )


def python(
    *,
    env: Mapping[str, str] | None = None,
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    progress: Progress = ignore_progress,
) -> Interpreter:
    """A Python interpreter in a brane of its own, for a `with` statement; in `branes.aio`, for `async with`.

    The whole pure standard library is there, and no file, network, process or thread. State stays between calls.

    Args:
        env: its environment.
        memory: bytes, or text such as `256MiB`.
        timeout: seconds of each call, or text such as `30s`.
        output: bytes of standard output and error in all calls.
        progress: called with functions compiled and functions in all, on first use on a machine.
    """
    manifest = make_manifest("python", (), (), env, memory=memory, timeout=timeout, output=output)
    return Interpreter(manifest=manifest, progress=progress)


def code(
    code: str,
    *,
    stdin: Stdin = None,
    filename: str = "<string>",
    args: Sequence[str] = (),
    on_stdout: Sink | None = None,
    on_stderr: Sink | None = None,
) -> Call:
    """Execute code as a script, in `__main__`.

    Args:
        code: source text.
        stdin: its standard input; None is empty.
        filename: how tracebacks call it.
        args: `sys.argv` after the first.
        on_stdout: called with each piece of standard output, which is then not kept.
        on_stderr: likewise.

    Returns:
        What it came to: exit code 1 and a traceback on `stderr` if it raised, the code of `sys.exit` otherwise.

    Raises:
        LimitExceeded, Trapped, Escaped, HostFault: the brane is dead.
    """
    return _call("run", run_arguments(code, filename, args), stdin, on_stdout, on_stderr)


def expression(expression: str, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None) -> Call:
    """The value of an expression, as far as JSON can say it.

    Args:
        expression: source text.
        on_stdout: called with what it prints, which is dropped otherwise.
        on_stderr: likewise.

    Raises:
        GuestError: it raised, or its value is not JSON-able.
        LimitExceeded, Trapped, Escaped, HostFault: the brane is dead.
    """
    check_text(expression, "an expression")
    return _call("eval", [{"string": expression}], None, on_stdout, on_stderr)


def make_manifest(
    preset: str,
    grants: Iterable[str],
    denials: Iterable[str],
    env: Mapping[str, str] | None,
    *,
    memory: str | int,
    timeout: str | float,
    output: str | int,
) -> Manifest:
    """The manifest that a caller's words mean."""
    if env is not None and not isinstance(env, Mapping):
        raise UsageError(f"env is of type {type(env).__name__}, expected a mapping of names to values")
    return Manifest(
        preset=preset,
        grants=words(grants, "grants"),
        denials=words(denials, "denials"),
        env=dict(env or {}),
        limits=Limits(memory=limits.size(memory), timeout=limits.duration(timeout), output=limits.size(output)),
    )


def run_arguments(code: str, filename: str, args: Sequence[str]) -> list[dict[str, object]]:
    """Arguments of the interpreter's `run`."""
    check_text(code, "the code")
    check_text(filename, "the file name")
    return [{"string": code}, {"string": filename}, {"strings": [filename, *words(args, "the arguments")]}]


def _call(
    export: str,
    arguments: list[dict[str, object]],
    stdin: Stdin,
    on_stdout: Sink | None,
    on_stderr: Sink | None,
) -> Call:
    output = Collected(on_stdout, on_stderr)
    caller = Caller(source=inputs.source(stdin), emit=output.emit)
    return Call(export=export, arguments=arguments, caller=caller, output=output)


def asked_by(
    ask: Callable[_Words, _Asked],
) -> Callable[[Callable[[_Asked], _Answer]], Callable[_Words, _Answer]]:
    """Gives a function of what was asked the parameters and the documentation of `ask`."""

    def decorate(function: Callable[[_Asked], _Answer]) -> Callable[_Words, _Answer]:
        def answer(*args: _Words.args, **named: _Words.kwargs) -> _Answer:
            return function(ask(*args, **named))

        return _dressed(answer, ask, function, [])

    return decorate


def method_asked_by(
    ask: Callable[_Words, _Asked],
) -> Callable[[Callable[[_Self, _Asked], _Answer]], Callable[Concatenate[_Self, _Words], _Answer]]:
    """The same for a method."""

    def decorate(function: Callable[[_Self, _Asked], _Answer]) -> Callable[Concatenate[_Self, _Words], _Answer]:
        def answer(self: _Self, /, *args: _Words.args, **named: _Words.kwargs) -> _Answer:
            return function(self, ask(*args, **named))

        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        return _dressed(answer, ask, function, [own])

    return decorate


def _dressed(
    answer: Callable[_Words, _Answer],
    ask: Callable[..., object],
    function: Callable[..., object],
    first: list[inspect.Parameter],
) -> Callable[_Words, _Answer]:
    """`answer` as readers and tools see it: named as `function`, which it calls, with the parameters of `ask`."""
    made: Any = _awaiting(answer) if inspect.iscoroutinefunction(function) else answer
    asks, returns = inspect.signature(ask), inspect.signature(function).return_annotation
    made.__signature__ = asks.replace(parameters=[*first, *asks.parameters.values()], return_annotation=returns)
    made.__annotations__ = {**ask.__annotations__, "return": returns}
    made.__module__, made.__name__, made.__qualname__ = function.__module__, function.__name__, function.__qualname__
    made.__doc__ = ask.__doc__
    return cast("Callable[_Words, _Answer]", made)


def _awaiting(answer: Callable[..., Any]) -> Callable[..., Any]:
    """`answer` as a coroutine function: what is wrong with an argument is raised where the others are, when awaited."""

    async def awaiting(*args: Any, **named: Any) -> Any:
        return await answer(*args, **named)

    return awaiting
