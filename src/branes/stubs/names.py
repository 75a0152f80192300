"""Hostile names as Python identifiers and literals. Pure."""

from __future__ import annotations

import keyword
import re
from typing import Final

#: Characters of an identifier that is made of a name.
_MAX: Final = 60
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_LABEL: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)*")
#: What a class of this name comes with.
SUFFIXES: Final = ("", "In", "Like", "Dict")


def class_name(name: str) -> str:
    """`two-words` as `TwoWords`; never empty, never of an underscore."""
    joined = "".join(word[0].upper() + word[1:] for word in _WORD.findall(name))[:_MAX]
    return joined if joined[:1].isalpha() else f"T{joined}"


def attribute(label: str) -> str | None:
    """`two-words` as `two_words`; None where Python has no such attribute, or `Record` does not."""
    if not _LABEL.fullmatch(label):
        return None
    name = label.replace("-", "_")
    return None if keyword.iskeyword(name) or name == "keys" else name


def parameters(labels: list[str]) -> list[str]:
    """Names for positional parameters, each its own, none of them `self` or `name`."""
    taken = {"self", "name"}
    for index, label in enumerate(labels):
        name = attribute(label[:_MAX]) or f"argument_{index + 1}"
        while name in taken:
            name = f"{name}_{index + 1}"
        taken.add(name)
        labels[index] = name
    return labels


def literal(names: tuple[str, ...]) -> str:
    """The type of these strings."""
    return f"_t.Literal[{', '.join(map(ascii, names))}]" if names else "_t.Never"


class Classes:
    """Names of classes, each given once."""

    def __init__(self) -> None:
        self._taken = {"App", "AsyncApp", "None", "True", "False"}
        self._numbers: dict[str, int] = {}

    def take(self, name: str, interface: str) -> str:
        """A class name for `name` that is free with all its suffixes: as it is, after the interface's, or numbered."""
        plain = class_name(name)
        longer = class_name(f"{interface.partition('@')[0].rpartition('/')[2]}-{name}")
        wanted = plain if self._is_free(plain) else longer
        while not self._is_free(wanted):
            self._numbers[plain] = number = self._numbers.get(plain, 1) + 1
            wanted = f"{plain}{number}"
        self._taken |= {wanted + suffix for suffix in SUFFIXES}
        return wanted

    def _is_free(self, name: str) -> bool:
        return not any(name + suffix in self._taken for suffix in SUFFIXES)
