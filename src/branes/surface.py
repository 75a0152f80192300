"""What a component imports and exports, in words, and what a new version of it has that the old one had not. Pure.

All text here is escaped: names are the component's, and hostile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from branes import wit
from branes.layers import wasi
from branes.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from branes.component import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One import or export.

    Attributes:
        name: as the component spells it.
        allows: what it would let the component do, in plain words; "" where that is not known, and of an export.
        functions: signatures in WIT.
    """

    name: str
    allows: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """Both sides of a component, each in the order of its description."""

    imports: tuple[Side, ...]
    exports: tuple[Side, ...]


def surface(component: Component) -> Surface:
    """What `component` imports and exports.

    Raises:
        HostFault: its description is not of the documented form.
    """
    known = {**wasi.policy().grantable, **wasi.policy().denied_only}
    imports, exports = (_functions(component.description, side) for side in ("imports", "exports"))
    return Surface(
        imports=tuple(
            Side(name=escape(name), allows=known.get(wasi.without_version(name), ""), functions=imports.get(name, ()))
            for name in component.imports
        ),
        exports=tuple(
            Side(name=escape(name), allows="", functions=exports.get(name, ())) for name in component.exports
        ),
    )


def _functions(description: Mapping[str, object], side: str) -> dict[str, tuple[str, ...]]:
    """Signatures by the name of the import or export that they belong to."""
    found: dict[str, list[str]] = {}
    for function in wit.functions({"imports": [], "exports": description[side]}).functions:
        found.setdefault(function.interface or function.name, []).append(wit.signature(function))
    return {name: tuple(signatures) for name, signatures in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between two versions, a line each, in words.

    Attributes:
        gained: what the new one could do, or offers, that the old one could or did not.
        lost: what it does no longer ask for, or offer.
    """

    gained: tuple[str, ...]
    lost: tuple[str, ...]


def changes(old: Surface, new: Surface) -> Changes:
    """From `old` to `new`; a version of an interface alone makes no difference."""
    gained, lost = [], []
    for verb, before, after in (("import", old.imports, new.imports), ("export", old.exports, new.exports)):
        gained += _more(verb, before, after)
        lost += [f"no longer {line}" for line in _more(verb, after, before)]
    return Changes(gained=tuple(gained), lost=tuple(lost))


def _more(verb: str, before: Iterable[Side], after: Iterable[Side]) -> list[str]:
    """What `after` has and `before` has not."""
    had = {wasi.without_version(side.name): set(side.functions) for side in before}
    lines = []
    for side in after:
        functions = had.get(wasi.without_version(side.name))
        if functions is None:
            lines.append(f"{verb}s {side.name}{_meaning(verb, side)}")
        else:
            lines += [f"{verb}s {side.name} {each}" for each in side.functions if each not in functions]
    return lines


def _meaning(verb: str, side: Side) -> str:
    if verb == "export":
        return ""
    return f": it could {side.allows}" if side.allows else ": what that allows is not known here"
