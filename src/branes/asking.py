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

from branes import inputs, limits, tooling
from branes.brane import Collected
from branes.calling import COMMAND, eval_expression, run_code
from branes.drive import Caller
from branes.errors import UsageError
from branes.filework import make_mounts, places_to_take
from branes.launching import ignore_progress
from branes.limits import Limits
from branes.manifest import Manifest, check_text, words

if TYPE_CHECKING:
    from pathlib import Path

    from branes.calling import Request
    from branes.compiling import Progress
    from branes.filework import Folder, Mounts, Scratch
    from branes.inputs import Stdin
    from branes.launching import App
    from branes.trees.late import Content

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
        request: what is called, and with what.
        caller: where input comes from and output goes.
        output: what is kept of the output.
    """

    request: Request
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
        take: what is taken out at its end: the guest's path to the place where it is to be.
    """

    app: App
    args: tuple[str, ...]
    manifest: Manifest
    progress: Progress
    call: Call
    take: Mapping[str, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """An interpreter, or a component, to open.

    Attributes:
        manifest: what it is granted.
        progress: told of functions compiled.
        app: the component: a path, or its bytes; None for the interpreter.
    """

    manifest: Manifest
    progress: Progress
    app: App | None = None

    @property
    def what(self) -> str:
        """What it is, in words."""
        return "Python" if self.app is None else "component"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A call of a function by its name, whose type is not known yet.

    Attributes:
        name: of the function.
        args: its arguments.
        caller: where input comes from and output goes.
        output: what is kept of the output.
    """

    name: str
    args: tuple[object, ...]
    caller: Caller
    output: Collected


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
    trees: Mapping[str, Folder] | None = None,
    scratch: Scratch = (),
    files: Mapping[str, Content] | None = None,
    take: Mapping[str, Folder] | None = None,
    tools: Mapping[str, tooling.Tool] | None = None,
    on_stdout: Sink | None = None,
    on_stderr: Sink | None = None,
    progress: Progress = ignore_progress,
) -> Program:
    """Run a command component, a WASI preview-1 module or `.wat` text in a fresh brane, to its end.

    Nothing is granted but what `preset` names: by default standard streams, clocks, randomness and no directory.

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
        trees: directories that it can read: its path to the folder of this machine whose content is there.
        scratch: directories that it can write: a path, paths, or each to a folder's `Path`, files by name, or None.
        files: files that it can read under `/data`, by name: bytes, a `Path`, or a binary file object.
        take: what to take out once it has ended by itself: its path to the place to be, free, or in a folder.
        tools: functions that it may call by name, through `branes:tools/tools`; they run here, in a thread each.
        on_stdout: called with each piece of standard output, which is then not kept.
        on_stderr: likewise.
        progress: called with functions compiled and functions in all, when the program is compiled.

    Returns:
        What it came to; its own exit code is not an error.

    Raises:
        InputError: it is no program. Refused: it wants what is not granted. Trapped: it did what WebAssembly forbids.
        LimitExceeded: it was killed at a limit. HostFault: this machine could not run it safely.
        FileError, GuestFault: what is to be taken is not there, or not acceptable; `completed` says what it came to.
    """
    found, base = make_mounts(trees, scratch, files), (preset, grants, denials, env)
    manifest = make_manifest(*base, mounts=found, tools=tools, memory=memory, timeout=timeout, output=output)
    call, places = _call(COMMAND, stdin, on_stdout, on_stderr), places_to_take(take)
    spelled = words(args, "the arguments")
    return Program(app=app, args=spelled, manifest=manifest, progress=progress, call=call, take=places)


def python(
    *,
    env: Mapping[str, str] | None = None,
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    files: Mapping[str, Content] | None = None,
    trees: Mapping[str, Folder] | None = None,
    scratch: Scratch = (),
    tools: Mapping[str, tooling.Tool] | None = None,
    progress: Progress = ignore_progress,
) -> Interpreter:
    """A Python interpreter in a brane of its own, for a `with` statement; in `branes.aio`, for `async with`.

    The whole pure standard library is there, and no network, process or thread. State stays between calls. Its current
    directory is `/scratch`, which is empty, in memory and gone at its end; `files` are in `/data`.

    Args:
        env: its environment.
        memory: bytes, or text such as `256MiB`.
        timeout: seconds of each call, or text such as `30s`.
        output: bytes of standard output and error in all calls.
        files: files that it can read under `/data`, by name: bytes, a `Path`, or a binary file object.
        trees: directories that it can read: its path to the folder of this machine whose content is there.
        scratch: directories that it can write beside `/scratch`, in memory and gone at its end: a path, paths, or each
            path to what is there at first: a folder's `Path`, files by name, or None.
        tools: functions that its code may call, as `import tools; tools.NAME(...)`: JSON-able values in and out. They
            run here, in a thread each, and their time counts; `branes.aio` takes coroutine functions, too.
        progress: called with functions compiled and functions in all, on first use on a machine.
    """
    found = make_mounts(trees, scratch, files)
    manifest = make_manifest(
        "python", (), (), env, mounts=found, tools=tools, memory=memory, timeout=timeout, output=output
    )
    return Interpreter(manifest=manifest, progress=progress)


def component(
    app: App,
    *,
    env: Mapping[str, str] | None = None,
    preset: str = "library",
    grants: Iterable[str] = (),
    denials: Iterable[str] = (),
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    trees: Mapping[str, Folder] | None = None,
    scratch: Scratch = (),
    files: Mapping[str, Content] | None = None,
    tools: Mapping[str, tooling.Tool] | None = None,
    progress: Progress = ignore_progress,
) -> Interpreter:
    """A component in a brane of its own, for a `with` statement; in `branes.aio`, for `async with`.

    Its functions are called with `call`, by name and with values of their types. State stays between calls. Nothing is
    granted but what `preset` names: by default what the start-up of a standard library wants, with an empty standard
    input; what it writes to standard output and error is kept, in `last`.

    Args:
        app: a path, or the component's bytes.
        env: its environment.
        preset: `library`, or `none` for a component that imports nothing.
        grants: interfaces granted beyond the preset, such as `wasi:random/random`, or packages.
        denials: interfaces that it may link, each use being refused and recorded.
        memory: bytes, or text such as `256MiB`.
        timeout: seconds of each call, or text such as `30s`.
        output: bytes of standard output and error in all calls.
        trees: directories that it can read: its path to the folder of this machine whose content is there.
        scratch: directories that it can write, in memory and gone at its end: a path, paths, or each path to what is
            there at first: a folder's `Path`, files by name, or None.
        files: files that it can read under `/data`, by name: bytes, a `Path`, or a binary file object.
        tools: functions that it may call by name, through `branes:tools/tools`; they run here, in a thread each.
        progress: called with functions compiled and functions in all, when the component is compiled.

    Raises:
        InputError: it is no component. Refused: it wants what is not granted. HostFault: this machine cannot run it.
    """
    found, base = make_mounts(trees, scratch, files), (preset, grants, denials, env)
    manifest = make_manifest(*base, mounts=found, tools=tools, memory=memory, timeout=timeout, output=output)
    return Interpreter(manifest=manifest, progress=progress, app=app)


def call(
    name: str,
    /,
    *args: object,
    stdin: Stdin = None,
    on_stdout: Sink | None = None,
    on_stderr: Sink | None = None,
) -> Typed:
    """Call an exported function. docs/values.md has the names of functions, and the Python values of all types.

    Args:
        name: the function's, such as `process`, `iface#process` or `ns:pkg/iface@1.0.0#process`.
        args: a value for each of its parameters.
        stdin: its standard input; None is empty.
        on_stdout: called with each piece of standard output, which is then not kept.
        on_stderr: likewise.

    Returns:
        What it returned; of a `result`, what is in its `ok`.

    Raises:
        UsageError: there is no such function, or a value does not fit; the brane is well.
        ResultError: it returned an error; the brane is well.
        GuestError: it exited. LimitExceeded, Trapped, Escaped, HostFault: the brane is dead.
    """
    check_text(name, "the name of a function")
    sinks = Collected(on_stdout, on_stderr)
    caller = Caller(source=inputs.source(stdin), emit=sinks.emit)
    return Typed(name=name, args=args, caller=caller, output=sinks)


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
    return _call(run_request(code, filename, args), stdin, on_stdout, on_stderr)


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
    return _call(eval_expression(expression), None, on_stdout, on_stderr)


def make_manifest(
    preset: str,
    grants: Iterable[str],
    denials: Iterable[str],
    env: Mapping[str, str] | None,
    *,
    memory: str | int,
    timeout: str | float,
    output: str | int,
    mounts: Mounts | None = None,
    tools: Mapping[str, tooling.Tool] | None = None,
) -> Manifest:
    """The manifest that a caller's words mean."""
    found = mounts or make_mounts()
    if env is not None and not isinstance(env, Mapping):
        raise UsageError(f"env is of type {type(env).__name__}, expected a mapping of names to values")
    return Manifest(
        preset=preset,
        grants=words(grants, "grants"),
        denials=words(denials, "denials"),
        env=dict(env or {}),
        limits=Limits(memory=limits.size(memory), timeout=limits.duration(timeout), output=limits.size(output)),
        trees=found.trees,
        scratch=found.scratch,
        files=found.files,
        tools=tooling.checked(tools),
    )


def run_request(code: str, filename: str, args: Sequence[str], *, first: str | None = None) -> Request:
    """A call of the interpreter's `run`, with `first`, or the file name, as first of `sys.argv`."""
    check_text(code, "the code")
    check_text(filename, "the file name")
    return run_code(code, filename, [filename if first is None else first, *words(args, "the arguments")])


def _call(
    request: Request,
    stdin: Stdin,
    on_stdout: Sink | None,
    on_stderr: Sink | None,
) -> Call:
    output = Collected(on_stdout, on_stderr)
    caller = Caller(source=inputs.source(stdin), emit=output.emit)
    return Call(request=request, caller=caller, output=output)


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

        kinds = {parameter.kind for parameter in inspect.signature(ask).parameters.values()}
        only = inspect.Parameter.POSITIONAL_ONLY
        own = inspect.Parameter("self", only if only in kinds else inspect.Parameter.POSITIONAL_OR_KEYWORD)
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
