"""What `brane plan` shows, as values: a program's imports against a manifest. Reads policies, decides nothing itself.

Names come from the program and are hostile; they are escaped here.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from branes import plan as planning
from branes.errors import Refused
from branes.launching import ignore_progress, with_trees
from branes.layers import process, wasi
from branes.limits import size_in_words
from branes.text import escape

if TYPE_CHECKING:
    from branes.compiling import Progress
    from branes.component import Component
    from branes.limits import Limits
    from branes.manifest import Manifest

#: Kinds of directories in plain words.
_KINDS: Final = {
    "tree": "read only",
    "scratch": "writable, in memory, gone at the end",
    "files": "read only, the files of one run",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would be enforced.

    Attributes:
        name: the program's name, escaped, as all text here.
        digest: SHA-256 of the program, in hexadecimal.
        adapted: whether it is a WASI preview-1 module.
        command: whether it exports `wasi:cli/run`.
        preset: the preset that was asked for.
        imports: name, state, what it allows in plain words, and what would change the state.
        exports: names.
        filters: seccomp policy to the digest of its text.
        syscalls: what is allowed, name to reason.
        mounts: the directories that it is given: path, kind, digest of a tree, and what the kind means.
        limits: name to value, as people write it.
        template: the template's digest, or "" if it would not start.
        presets: all there are.
    """

    name: str
    digest: str
    adapted: bool
    command: bool
    preset: str
    imports: list[dict[str, str]]
    exports: list[str]
    filters: dict[str, str]
    syscalls: dict[str, str]
    mounts: list[dict[str, str]]
    limits: dict[str, str]
    template: str
    presets: dict[str, dict[str, Any]]

    @property
    def exit_code(self) -> int:
        """What `brane run` would say of it before it starts: 126 refused, 2 no program to run, otherwise 0."""
        if not self.template:
            return Refused.exit_code
        return 0 if self.command else 2

    @property
    def verdict(self) -> str:
        """The same in words."""
        absent = sum(item["state"] == "absent" for item in self.imports)
        if absent:
            return f"it would be refused: {absent} of its {len(self.imports)} imports are absent"
        return "it would start" if self.command else "it is no program to run: it does not export wasi:cli/run"

    def as_json(self) -> dict[str, Any]:
        """The same as one JSON object."""
        return {"outcome": "planned" if self.template else "refused", "exit_code": self.exit_code, **asdict(self)}


def preview(name: str, component: Component, manifest: Manifest, reading: Progress = ignore_progress) -> Preview:
    """What would be enforced of `component` under `manifest`, whose trees are read.

    Raises:
        UsageError: the manifest names what there is not. InputError: a folder cannot be taken in.
    """
    states = wasi.states(manifest.preset, manifest.grants, manifest.denials)
    mounts = manifest.mounts()
    try:
        _, plan = with_trees(planning.decide(component, manifest), manifest, reading)
        template, mounts = plan.template_digest, plan.mounts
    except Refused:
        template = ""
    return Preview(
        name=name,
        digest=component.digest,
        adapted=component.adapted,
        command=component.is_command,
        preset=manifest.preset,
        imports=[_import(item, states.get(wasi.without_version(item), "absent")) for item in component.imports],
        exports=[escape(item) for item in component.exports],
        filters={stage: process.policy_digest(stage) for stage in ("template", "brane")},
        syscalls={rule["syscall"]: rule["reason"] for rule in json.loads(process.policy_text("brane"))["rules"]},
        mounts=[{**asdict(mount), "path": escape(mount.path), "means": _KINDS[mount.kind]} for mount in mounts],
        limits=_limits(manifest.limits),
        template=template,
        presets=presets(),
    )


def _import(name: str, state: str) -> dict[str, str]:
    known = {**wasi.policy().grantable, **wasi.policy().denied_only}
    (refusal,) = wasi.refusals([name])
    return {
        "name": escape(name),
        "state": state,
        "allows": known.get(wasi.without_version(name), ""),
        "change": "" if state == "granted" else escape(refusal.change),
    }


def _limits(limits: Limits) -> dict[str, str]:
    return {
        "memory": size_in_words(limits.memory),
        "time": f"{limits.timeout:g} s for each call",
        "output": size_in_words(limits.output),
        "refusals": f"{limits.refusals} refused calls",
        "calls": f"{limits.calls} calls of tools",
    }


def presets() -> dict[str, dict[str, Any]]:
    """All presets: what each is for, and what it grants and denies."""
    data = json.loads(files("branes.policy").joinpath("wasi.json").read_text())["presets"]
    return {
        name: {"why": entry["why"], "words": {state: entry[state] for state in ("granted", "denied")}}
        for name, entry in data.items()
    }
