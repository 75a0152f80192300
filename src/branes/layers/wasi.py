"""Layer 1, language: which interfaces a component may link.

Each interface is *absent* (the default: a component that imports it does not instantiate), *denied* (linked to
functions that refuse and record) or *granted*. What may be granted, and what the presets are, is data:
`policy/wasi.json`. The linking itself is `crates/brane-worker/src/link.rs`.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from branes.errors import Refusal, UsageError
from branes.text import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LAYER: Final = "language"
#: The interface by which guests call tools.
TOOLS: Final = "branes:tools/tools"
_INTERFACE: Final = re.compile(r"[A-Za-z0-9-]+(?::[A-Za-z0-9-]+)+(?:/[A-Za-z0-9-]+)+")
#: How much alike two names are (difflib's ratio) from which on one is taken for a misspelling of the other.
_ALIKE: Final = 0.8

State = Literal["granted", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A named set of interfaces.

    Attributes:
        name: what callers write.
        why: what it is for.
        states: interface without version to its state.
    """

    name: str
    why: str
    states: Mapping[str, State]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The reviewed data of this layer.

    Attributes:
        grantable: interfaces that the worker implements, with what each lets a component do, in plain words.
        denied_only: interfaces that can be denied but not granted, likewise.
        presets: by name.
    """

    grantable: Mapping[str, str]
    denied_only: Mapping[str, str]
    presets: Mapping[str, Preset]


@cache
def policy() -> Policy:
    """The policy as it ships."""
    data = json.loads(files("branes.policy").joinpath("wasi.json").read_text())
    known = [*data["interfaces"], *data["denied_only"]]
    presets = {name: _preset(name, entry, known) for name, entry in data["presets"].items()}
    return Policy(grantable=data["interfaces"], denied_only=data["denied_only"], presets=presets)


def _preset(name: str, entry: Mapping[str, object], known: list[str]) -> Preset:
    states: dict[str, State] = {}
    for state in ("denied", "granted"):
        for word in entry[state]:  # type: ignore[attr-defined]
            states |= dict.fromkeys(expand(word, known), state)
    return Preset(name=name, why=str(entry["why"]), states=states)


def without_version(name: str) -> str:
    """`wasi:cli/stdout` of `wasi:cli/stdout@0.2.3`."""
    return name.partition("@")[0]


def expand(word: str, known: Iterable[str]) -> list[str]:
    """The interfaces that `word` means: itself, or those of the package that it names."""
    word = without_version(word)
    return [name for name in known if word in (name, name.partition("/")[0])]


def states(preset: str, grants: Iterable[str], denials: Iterable[str]) -> dict[str, State]:
    """Interface to state, as the caller asked: a preset, then grants, then denials, which win.

    Raises:
        UsageError: a preset or an interface that there is not, or one that cannot be granted.
    """
    chosen = dict(_find_preset(preset).states)
    for word in grants:
        chosen |= dict.fromkeys(_grantable(word), "granted")
    for word in denials:
        chosen |= dict.fromkeys(_deniable(word), "denied")
    return chosen


def _find_preset(name: str) -> Preset:
    presets = policy().presets
    if name not in presets:
        raise UsageError(f"no preset {name!a}", hint=f"there are: {', '.join(presets)}")
    return presets[name]


def _grantable(word: str) -> list[str]:
    found = expand(word, policy().grantable)
    if found:
        return found
    if expand(word, policy().denied_only):
        raise UsageError(
            f"{word!a} cannot be granted yet", hint=f"it can be denied, so that every use is refused: --deny {word}"
        )
    raise UsageError(f"no interface {word!a} to grant", hint=_instead(word))


def _deniable(word: str) -> list[str]:
    """One of ours, those of a package of ours, or any other whole name of an interface."""
    found = expand(word, _known())
    if found:
        return found
    if not can_be_denied(without_version(word)):
        raise UsageError(f"no interface {word!a} to deny", hint=_instead(word))
    return [without_version(word)]


def can_be_denied(name: str) -> bool:
    """Whether `name` is an interface of ours, or a whole name of another that nobody takes for one of ours.

    A denial under a misspelled name would deny nothing.
    """
    return name in _known() or (_INTERFACE.fullmatch(name) is not None and not _similar(name))


def _known() -> list[str]:
    return [*policy().grantable, *policy().denied_only]


def _similar(word: str) -> list[str]:
    """The interface of ours that `word` looks like; where it names no interface, the package."""
    known = _known() if "/" in word else sorted({name.partition("/")[0] for name in _known()})
    return difflib.get_close_matches(word, known, n=1, cutoff=_ALIKE)


def _instead(word: str) -> str:
    found = _similar(without_version(word))
    return f"did you mean {found[0]}?" if found else "`brane plan APP` lists what APP imports"


def refusals(absent: Iterable[str]) -> tuple[Refusal, ...]:
    """A refusal for each import that no state covers."""
    return tuple(
        Refusal(layer=LAYER, rule="import-absent", item=escape(name), change=_change(without_version(name)))
        for name in absent
    )


def misfits(reasons: Iterable[str]) -> tuple[Refusal, ...]:
    """A refusal for each import that is granted or denied by name, but is wanted in another form."""
    return tuple(Refusal(layer=LAYER, rule="import-type", item=escape(reason)) for reason in reasons)


def _change(name: str) -> str:
    if name in policy().grantable:
        return f"--grant {name}"
    # A lone function, or what is no name of the component model, cannot be denied.
    return f"--deny {name}" if can_be_denied(name) else ""
