"""The module `tools`: functions of whoever opened this brane, which code calls as `tools.search("x", k=1)`.

Arguments and values go as JSON, and strictly: what JSON cannot say raises here, before anything is sent. Which names there
are is asked when one is needed first. What a tool raises arrives as `ToolError`. Every call is written into the
owner's log before it runs, and so is every call of a name that was not granted, which is refused.
"""

import json
import sys
import types
from typing import Any

from componentize_py_types import Err
from wit_world.imports import tools as owner

DEPTH = 64
PLAIN = (str, bool, int, float, type(None))


class ToolError(Exception):
    """A tool raised, or the call was refused.

    `tool` is its name, `type` what its exception is called where the tool ran, such as `KeyError`, and `message` that
    exception's text. A refused call has the type `PermissionError`.
    """

    __module__ = "tools"

    def __init__(self, tool: str, type: str, message: str) -> None:
        super().__init__(tool, type, message)
        self.tool, self.type, self.message = tool, type, message

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


class Tool:
    """A tool by its name, or what stands before a dot in the names of several."""

    def __init__(self, name: str) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = f"The tool {name!r}, a function of whoever opened this brane: JSON-able values in and out."

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return call(self.__name__, *args, **kwargs)

    def __getattr__(self, name: str) -> "Tool":
        return found(f"{self.__name__}.{name}")

    def __dir__(self) -> list[str]:
        return below(f"{self.__name__}.")

    def __repr__(self) -> str:
        return f"<tool {self.__name__!r}>"


class Module(types.ModuleType):
    """`tools` itself."""

    def __getattr__(self, name: str) -> Tool:
        return found(name)

    def __dir__(self) -> list[str]:
        return sorted({"ToolError", "call", *below("")})


_granted: list[str] | None = None


def granted() -> list[str]:
    """The names of all tools."""
    global _granted
    if _granted is None:
        _granted = owner.names()
    return _granted


def found(name: str) -> Tool:
    """The tool, or the tools, of this name; AttributeError where there is none."""
    if not any(one == name or one.startswith(f"{name}.") for one in granted()):
        there = ", ".join(granted()) or "none"
        raise AttributeError(f"no tool {name!r} was granted; there are: {there}", name=name)
    return Tool(name)


def below(prefix: str) -> list[str]:
    """What stands behind `prefix` in names, up to the next dot."""
    return sorted({name.removeprefix(prefix).split(".")[0] for name in granted() if name.startswith(prefix)})


def call(name: str, /, *args: Any, **kwargs: Any) -> Any:
    """Call the tool `name`, whether it was granted or not; what it returned.

    Raises ToolError where it raised, or where the name was not granted, which is recorded; TypeError or ValueError for
    arguments that JSON cannot say.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a tool is a str, not {type(name).__name__}")
    name.encode()
    check([args, kwargs], 0)
    arguments = json.dumps({"args": args, "kwargs": kwargs}, allow_nan=False, ensure_ascii=False)
    arguments.encode()
    try:
        answer = owner.call(name, arguments)
    except Err as error:
        fields = json.loads(error.value)
        raise ToolError(name, fields["type"], fields["message"]) from None
    return json.loads(answer, object_pairs_hook=unique)


def check(value: Any, depth: int) -> None:
    """Refuse what JSON has no form for, or another form: other keys than text would become text."""
    if depth >= DEPTH and isinstance(value, dict | list | tuple):
        raise ValueError(f"arguments of a tool are nested deeper than {DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"keys in arguments of a tool must be str, not {type(key).__name__}")
            check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            check(item, depth + 1)
    elif not isinstance(value, PLAIN):
        raise TypeError(f"an argument of a tool must be JSON-able, and {type(value).__name__} is not")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object without duplicate keys."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return fields


def install() -> None:
    """Make it what `import tools` finds."""
    module = Module("tools", __doc__)
    module.ToolError, module.call = ToolError, call
    call.__module__ = Tool.__module__ = "tools"
    sys.modules["tools"] = module
