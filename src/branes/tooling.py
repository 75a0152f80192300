"""Tools: functions of the owner's that a guest calls by name. Here they are checked, called, and their ends told of.

A tool runs in a thread of its own, never in one that watches a brane, so that deadline, limits and an interrupt hold
while it does. Arguments come from the guest and are hostile; what the tool returns or raises goes to the guest. An
exception becomes an error there (`ToolError`), and so does a value that JSON cannot say. What is no `Exception`, such
as `SystemExit`, is the owner's own affair: it ends the brane and is raised to whoever drives it. A brane that ends
does not wait for its tool: the thread goes on by itself, and what it comes to is dropped. `branes.aio` awaits
coroutine functions in its loop and does the rest as here.
"""

from __future__ import annotations

import contextlib
import contextvars
import inspect
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from branes import strict
from branes.conduct import Answer
from branes.errors import HostFault, UsageError
from branes.wire import MAX_TOOL

Tool = Callable[..., Any]

MAX_TOOLS: Final = 256
_MAX_NAME: Final = 256
_MAX_TYPE: Final = 256
_MAX_MESSAGE: Final = 4096
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*")
#: What the module `tools` of a Python guest has itself.
_TAKEN: Final = {"call", "ToolError"}
_JUNK: Final = "the tool returned what cannot be passed on as JSON"


def checked(tools: Mapping[str, Tool] | None) -> dict[str, Tool]:
    """Tools by name, sorted.

    Raises:
        UsageError: they are no mapping of names to functions.
    """
    if tools is None:
        return {}
    if not isinstance(tools, Mapping):
        raise UsageError(
            f"tools is of type {type(tools).__name__}, expected a mapping of names to functions",
            hint='write {"search": search}',
        )
    if len(tools) > MAX_TOOLS:
        raise UsageError(f"{len(tools)} tools, at most {MAX_TOOLS} allowed")
    for name, tool in tools.items():
        _check_name(name)
        if not callable(tool):
            raise UsageError(f"tool {name!a} is of type {type(tool).__name__}, expected a function")
    return {name: tools[name] for name in sorted(tools)}


def _check_name(name: str) -> None:
    if not isinstance(name, str):
        raise UsageError(f"the name of a tool is of type {type(name).__name__}, expected str")
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        hint = "letters, digits, _ and -, in parts between dots that each begin with a letter; 256 in all at most"
        raise UsageError(f"tool name {name[: 2 * _MAX_NAME]!a} is not valid", hint=hint)
    if name.partition(".")[0] in _TAKEN:
        raise UsageError(f"tool name {name!a} is taken: the module `tools` has its own {name.partition('.')[0]}")


def is_async(tool: Tool) -> bool:
    """Whether calling it gives what has to be awaited."""
    call = getattr(type(tool), "__call__", None)  # noqa: B004 -- how, and not whether, it is called
    return inspect.iscoroutinefunction(tool) or inspect.iscoroutinefunction(call)


def plain_only(tools: Mapping[str, Tool]) -> None:
    """Refuse what needs an event loop.

    Raises:
        UsageError: one is a coroutine function.
    """
    for name, tool in tools.items():
        if is_async(tool):
            raise UsageError(f"tool {name!a} is a coroutine function", hint="use branes.aio, which awaits it")


def _nothing() -> None:
    """A thread cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A tool raised what is no `Exception`."""

    error: BaseException


class Running:
    """A call of a tool, under way. `fileno` becomes readable when it has come to its end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: Answer | Raised | None = None
        self._event = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        #: Called when nobody waits for it any longer.
        self.on_drop: Callable[[], object] = _nothing

    def fileno(self) -> int:
        """A descriptor to wait on."""
        return self._event

    def finish(self, ended: Answer | Raised) -> None:
        """It has come to its end; nobody may wait for that any more."""
        with self._lock:
            if self._event >= 0:
                self._ended = ended
                os.eventfd_write(self._event, 1)

    def take(self) -> Answer | None:
        """What it came to, once `fileno` is readable; nothing is waited for any more.

        Raises:
            BaseException: the tool raised it.
        """
        ended = self._ended
        self._close()
        if isinstance(ended, Raised):
            raise ended.error
        return ended

    def drop(self) -> None:
        """Wait for it no longer."""
        self._close()
        self.on_drop()

    def _close(self) -> None:
        with self._lock:
            if self._event >= 0:
                os.close(self._event)
                self._event = -1


def start(tool: Tool, arguments: bytes) -> Running:
    """Call `tool` in a thread, which sees the caller's context variables.

    Raises:
        HostFault: there can be no more threads.
    """
    running = Running()
    context = contextvars.copy_context()

    def work() -> None:
        running.finish(context.run(_ended, tool, arguments))

    try:
        threading.Thread(target=work, name="branes-tool", daemon=True).start()
    except RuntimeError as error:
        running.drop()
        raise HostFault(f"a thread for a tool cannot be started: {error}") from error
    return running


def _ended(tool: Tool, arguments: bytes) -> Answer | Raised:
    words = parsed(arguments)
    if isinstance(words, Answer):
        return words
    args, named = words
    try:
        value = tool(*args, **named)
    except Exception as error:  # noqa: BLE001 -- whatever it is, the guest is told
        return failed(error)
    except BaseException as error:  # noqa: BLE001 -- and this the owner
        return Raised(error=error)
    return returned(value)


def parsed(arguments: bytes) -> tuple[list[Any], dict[str, Any]] | Answer:
    """Arguments of a tool as a guest sent them, or what to answer if they are none."""
    try:
        words = strict.loads(arguments)
    except (ValueError, MemoryError) as error:
        return _error(type(error).__name__, f"the arguments are not what a tool takes: {_words(error)}")
    match words:
        case {"args": list(args), "kwargs": dict(named), **others} if not others:
            return args, named
    return _error("ValueError", "the arguments are not what a tool takes: expected an object of args and kwargs")


def returned(value: object) -> Answer:
    """What to answer when a tool returned `value`."""
    if inspect.iscoroutine(value):
        value.close()
        return _error("TypeError", "the tool returned a coroutine, which nobody awaits")
    try:
        data = strict.dumps(value)
    except (TypeError, ValueError, RecursionError, MemoryError) as error:
        return _error(type(error).__name__, f"{_JUNK}: {_words(error)}")
    if len(data) > MAX_TOOL:
        return _error("ValueError", f"{_JUNK}: {len(data)} bytes, at most {MAX_TOOL} allowed")
    return Answer(data=data)


def failed(error: BaseException) -> Answer:
    """What to answer when a tool raised `error`: its type and text, and nothing else of it."""
    return _error(type(error).__name__, _words(error))


def _words(error: BaseException) -> str:
    text = "<exception str() failed>"
    with contextlib.suppress(Exception):
        text = str(error)
    return text


def _error(kind: str, message: str) -> Answer:
    words = {"type": _unicode(kind[:_MAX_TYPE]), "message": _unicode(message[:_MAX_MESSAGE])}
    return Answer(data=strict.dumps(words), failed=words["type"])


def _unicode(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
