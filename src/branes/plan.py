"""Stage 2: what a component imports and what the caller asks for become a Plan, or a refusal. Pure.

A plan has one part for each enforcer: the link set (layer 1) and the seccomp policy (layer 2), with ceilings for the
limits. Its *template digest* covers all that a template is made of; what is bound late (arguments, environment, code,
limits at or below their ceilings) has a digest of its own, and `plan_digest` covers both.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import rfc8785

from branes.errors import Refused
from branes.layers import process, wasi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from branes.component import Component
    from branes.limits import Limits
    from branes.manifest import Manifest
    from branes.mounts import Mount


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What each enforcer will hold.

    Attributes:
        app: SHA-256 of the program, in hexadecimal.
        preset: the preset it started from.
        links: what is linked, interface without version to state; every other import is absent.
        filters: seccomp policy by stage to the digest of its text.
        ceilings: the limits that late bindings may not exceed.
        mounts: the directories that the guest is given, in order.
    """

    app: str
    preset: str
    links: Mapping[str, wasi.State]
    filters: Mapping[str, str]
    ceilings: Limits
    mounts: tuple[Mount, ...] = ()

    @property
    def template_digest(self) -> str:
        """`sha256:` and 64 digits over everything that a template is made of."""
        limits = {name: str(value) for name, value in asdict(self.ceilings).items()}
        parts = {
            "app": self.app,
            "links": dict(self.links),
            "filters": dict(self.filters),
            "ceilings": limits,
            "mounts": [asdict(mount) for mount in self.mounts],
        }
        return digest(parts)

    @property
    def has_late(self) -> bool:
        """Whether a brane of it may bring files along."""
        return any(mount.kind != "tree" for mount in self.mounts)

    def with_trees(self, digests: Mapping[str, str]) -> Plan:
        """The same with what is in its trees, the guest's path to the digest."""
        mounts = (replace(mount, digest=digests.get(mount.path, "")) for mount in self.mounts)
        return replace(self, mounts=tuple(mounts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What is bound late, at "go".

    Attributes:
        args: command line, the program's name first.
        env: environment.
        limits: at or below the plan's ceilings.
        late: digest of the files that it brings along, "" where there are none.
        stays: whether the brane outlives its guest, so that its files can be read.
        tools: names of the tools that the guest may call.
    """

    args: tuple[str, ...]
    env: Mapping[str, str]
    limits: Limits
    late: str = ""
    stays: bool = False
    tools: tuple[str, ...] = ()

    def digest(self, key: bytes) -> str:
        """`sha256:` and 64 digits. The environment goes in by HMAC: its values may be secrets that one could guess."""
        env = rfc8785.dumps(dict(self.env))
        limits = {name: str(value) for name, value in asdict(self.limits).items()}
        parts = {
            "args": hashlib.sha256(rfc8785.dumps(list(self.args))).hexdigest(),
            "env": hmac.digest(key, env, "sha256").hex(),
            "limits": limits,
            "late": self.late,
            "stays": self.stays,
            "tools": list(self.tools),
        }
        return digest(parts)


def decide(component: Component, manifest: Manifest) -> Plan:
    """The plan, or every reason against it at once.

    Raises:
        Refused: the component imports what is absent.
        UsageError: the manifest names what there is not.
    """
    # Who gives tools grants the interface that calls them.
    grants = (*manifest.grants, *([wasi.TOOLS] if manifest.tools else []))
    states = wasi.states(manifest.preset, grants, manifest.denials)
    absent = [name for name in component.imports if wasi.without_version(name) not in states]
    if absent:
        raise _absent(absent)
    imported = {wasi.without_version(name) for name in component.imports}
    return Plan(
        app=component.digest,
        preset=manifest.preset,
        links={name: states[name] for name in sorted(imported)},
        filters={"template": process.policy_digest("template"), "brane": process.policy_digest("brane")},
        ceilings=manifest.limits,
        mounts=manifest.mounts(),
    )


def refused(reasons: list[str]) -> Refused:
    """The refusal of a worker: names are covered, or the plan would have refused, but what is behind them differs."""
    return Refused(
        "the component imports what is granted in a form that this host does not have: the types do not match",
        refusals=wasi.misfits(reasons),
        hint="build it for the version of the interface that `brane plan APP` shows as granted, WASI 0.2",
    )


def _absent(absent: list[str]) -> Refused:
    """The refusal of imports that nothing grants or denies."""
    count = len(absent)
    return Refused(
        f"the component imports {count} interface{'s' if count > 1 else ''} that nothing grants",
        refusals=wasi.refusals(absent),
        hint="grant what it needs, or deny it so that each use is refused and recorded",
    )


def plan_digest(template: str, binding: str) -> str:
    """The digest of a plan and its late bindings together."""
    return digest({"binding": binding, "template": template})


def digest(parts: Mapping[str, object]) -> str:
    """`sha256:` and 64 digits of `parts` in the form of RFC 8785."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps(dict(parts))).hexdigest()}"  # type: ignore[arg-type]
