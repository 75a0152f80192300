"""What the compiler says of a program: imports and exports, as values. Pure.

The description comes from `brane-compile`, which read hostile input: names are hostile text. It is authenticated with
the artifact, and it only decides what is *said*; the worker links by what it finds in the artifact itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from branes import wit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A compiled program.

    Attributes:
        digest: SHA-256 of the input, in hexadecimal.
        adapted: whether it was a WASI preview-1 module that became a component.
        imports: names of what it imports, as it spells them.
        exports: names of what it exports.
        description: imports and exports with their types, as `brane-compile` prints them.
    """

    digest: str
    adapted: bool
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    description: Mapping[str, Any]
    _read: list[wit.Exports] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def functions(self) -> wit.Exports:
        """What the description says of its functions and types; read once.

        Raises:
            HostFault: the description is not of the documented form.
        """
        if not self._read:
            self._read.append(wit.functions(self.description))
        return self._read[0]

    @property
    def is_command(self) -> bool:
        """Whether it exports `wasi:cli/run`."""
        return any(name.partition("@")[0] == "wasi:cli/run" for name in self.exports)


def from_header(digest: str, header: Mapping[str, Any]) -> Component:
    """The component that a header of `brane-compile` describes.

    Raises:
        KeyError, TypeError: the header is not one.
    """
    description = header["description"]
    return Component(
        digest=digest,
        adapted=bool(header["adapted"]),
        imports=tuple(str(item["name"]) for item in description["imports"]),
        exports=tuple(str(item["name"]) for item in description["exports"]),
        description=description,
    )
