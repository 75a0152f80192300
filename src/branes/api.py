"""What callers use: `run` for a program, `python` for Python code. Synchronous; `branes.aio` has the same names."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Self

from branes import inputs, limits
from branes.brane import Brane, Collected
from branes.drive import Caller
from branes.errors import BranesError, GuestError, UsageError
from branes.launching import ignore_progress, make_binding, not_a_command, prepare, prepare_guest
from branes.limits import Limits
from branes.manifest import Manifest, check_text, words
from branes.text import escape

if TYPE_CHECKING:
    from types import TracebackType

    from branes.compiling import Progress
    from branes.conduct import Conduct
    from branes.inputs import Stdin
    from branes.launching import App, Prepared
    from branes.outcome import Completed

Sink = Callable[[bytes], object]
_DEFAULTS: Final = Limits()


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
    return Manifest(
        preset=preset,
        grants=words(grants, "grants"),
        denials=words(denials, "denials"),
        env=_variables(env),
        limits=Limits(memory=limits.size(memory), timeout=limits.duration(timeout), output=limits.size(output)),
    )


def _variables(env: Mapping[str, str] | None) -> dict[str, str]:
    if env is not None and not isinstance(env, Mapping):
        raise UsageError(f"env is of type {type(env).__name__}, expected a mapping of names to values")
    return dict(env or {})


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
) -> Completed:
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
    manifest = make_manifest(preset, grants, denials, env, memory=memory, timeout=timeout, output=output)
    source = inputs.source(stdin)
    prepared = prepare(app, manifest, progress)
    not_a_command(prepared)
    collected = Collected(on_stdout, on_stderr)
    brane = Brane(prepared, make_binding([prepared.name, *words(args, "the arguments")], manifest))
    try:
        return brane.call("wasi:cli/run", [], Caller(source=source, emit=collected.emit), collected)[1]
    finally:
        brane.close()


def python(
    *,
    env: Mapping[str, str] | None = None,
    memory: str | int = _DEFAULTS.memory,
    timeout: str | float = _DEFAULTS.timeout,
    output: str | int = _DEFAULTS.output,
    progress: Progress = ignore_progress,
) -> Python:
    """A Python interpreter in a brane of its own, for a `with` statement.

    The whole pure standard library is there, and no file, network, process or thread. State stays between calls.

    Args:
        env: its environment.
        memory: bytes, or text such as `256MiB`.
        timeout: seconds of each call, or text such as `30s`.
        output: bytes of standard output and error in all calls.
        progress: called with functions compiled and functions in all, on first use on a machine.
    """
    manifest = make_manifest("python", (), (), env, memory=memory, timeout=timeout, output=output)
    return Python(manifest, progress)


class Python:
    """An interpreter in a brane; fresh with each `with`."""

    def __init__(self, manifest: Manifest, progress: Progress = ignore_progress) -> None:
        self._manifest = manifest
        self._progress = progress
        self._prepared: Prepared | None = None
        self._brane: Brane | None = None

    def __enter__(self) -> Self:
        if self._brane is not None:
            raise UsageError("this Python is open already")
        self._prepared = self._prepared or prepare_guest(self._manifest, self._progress)
        self._brane = Brane(self._prepared, make_binding(["python"], self._manifest))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            # What goes wrong at the end must not hide what went wrong before.
            with contextlib.suppress(BranesError):
                self.close()

    def close(self) -> None:
        """End the brane. `with` does it.

        Raises:
            Escaped: it tried, between two calls, what its filter does not allow.
        """
        brane, self._brane = self._brane, None
        if brane is not None:
            brane.finish()

    def run(
        self,
        code: str,
        *,
        stdin: Stdin = None,
        filename: str = "<string>",
        args: Sequence[str] = (),
        on_stdout: Sink | None = None,
        on_stderr: Sink | None = None,
    ) -> Completed:
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
        collected, brane = Collected(on_stdout, on_stderr), self._open()
        words = run_arguments(code, filename, args)
        value, completed = brane.call("run", words, Caller(source=inputs.source(stdin), emit=collected.emit), collected)
        return with_code(completed, value, brane.conduct)

    def eval(self, expression: str, *, on_stdout: Sink | None = None, on_stderr: Sink | None = None) -> Any:
        """The value of an expression, as far as JSON can say it.

        Args:
            expression: source text.
            on_stdout: called with what it prints, which is dropped otherwise.
            on_stderr: likewise.

        Raises:
            GuestError: it raised, or its value is not JSON-able.
            LimitExceeded, Trapped, Escaped, HostFault: the brane is dead.
        """
        collected = Collected(on_stdout, on_stderr)
        words = eval_arguments(expression)
        caller = Caller(source=inputs.source(None), emit=collected.emit)
        value, completed = self._open().call("eval", words, caller, collected)
        return value_of(value, completed)

    def _open(self) -> Brane:
        if self._brane is None:
            raise UsageError("this Python is not open", hint="use it in a `with` statement")
        return self._brane


def run_arguments(code: str, filename: str, args: Sequence[str]) -> list[dict[str, object]]:
    """Arguments of the guest's `run`."""
    check_text(code, "the code")
    check_text(filename, "the file name")
    return [{"string": code}, {"string": filename}, {"strings": [filename, *words(args, "the arguments")]}]


def eval_arguments(expression: str) -> list[dict[str, object]]:
    """Arguments of the guest's `eval`."""
    check_text(expression, "an expression")
    return [{"string": expression}]


def with_code(completed: Completed, value: Any, conduct: Conduct) -> Completed:
    """The outcome of the guest's `run`, whose value is an exit code."""
    if conduct.exit_code is not None:
        return completed
    code = value["u8"] if isinstance(value, dict) and "u8" in value else 1
    return conduct.completed(code, completed.stdout, completed.stderr, completed.usage)


def value_of(value: Any, completed: Completed) -> Any:
    """The value that the guest's `eval` returned as JSON text.

    Raises:
        GuestError: it says that the code raised, or is not JSON.
    """
    match value:
        case {"result": {"Ok": text}}:
            return _parse(text, completed)
        case {"result": {"Err": text}}:
            raise _guest_error(_parse(text, completed), completed)
    raise GuestError("the interpreter exited", type="SystemExit", traceback="", completed=completed)


def _parse(text: str, completed: Completed) -> Any:
    try:
        return json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError) as error:
        raise GuestError("the value is not JSON", type="ValueError", traceback="", completed=completed) from error


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _guest_error(fields: Any, completed: Completed) -> GuestError:
    words = fields if isinstance(fields, dict) else {}
    # The interpreter keeps to these lengths, until the code has changed it.
    most = {"type": 4096, "message": 4096, "traceback": 65536}
    texts = {name: words[name] if isinstance(words.get(name), str) else "" for name in most}
    kind, message, traceback = (texts[name][:length] for name, length in most.items())
    return GuestError(escape(f"{kind}: {message}"), type=kind, traceback=traceback, completed=completed)
