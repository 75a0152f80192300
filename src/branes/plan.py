"""Stage 2: what a component imports and what the caller asks for become a Plan, or a refusal. Pure.

A plan has one part for each enforcer: the link set (layer 1) and the seccomp policy (layer 2), with ceilings for the
limits. Its *template digest* covers all that a template is made of; what is bound late (arguments, environment, code,
limits at or below their ceilings) has a digest of its own, and `plan_digest` covers both.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import rfc8785

from branes.errors import Refused
from branes.layers import process, wasi

if TYPE_CHECKING:
    from collections.abc import Mapping

    from branes.component import Component
    from branes.limits import Limits
    from branes.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What each enforcer will hold.

    Attributes:
        app: SHA-256 of the program, in hexadecimal.
        preset: the preset it started from.
        links: what is linked, interface without version to state; every other import is absent.
        filters: seccomp policy by stage to the digest of its text.
        ceilings: the limits that late bindings may not exceed.
    """

    app: str
    preset: str
    links: Mapping[str, wasi.State]
    filters: Mapping[str, str]
    ceilings: Limits

    @property
    def template_digest(self) -> str:
        """`sha256:` and 64 digits over everything that a template is made of."""
        limits = {name: str(value) for name, value in asdict(self.ceilings).items()}
        parts = {"app": self.app, "links": dict(self.links), "filters": dict(self.filters), "ceilings": limits}
        return digest(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What is bound late, at "go".

    Attributes:
        args: command line, the program's name first.
        env: environment.
        limits: at or below the plan's ceilings.
    """

    args: tuple[str, ...]
    env: Mapping[str, str]
    limits: Limits

    def digest(self, key: bytes) -> str:
        """`sha256:` and 64 digits. The environment goes in by HMAC: its values may be secrets that one could guess."""
        env = rfc8785.dumps(dict(self.env))
        limits = {name: str(value) for name, value in asdict(self.limits).items()}
        parts = {
            "args": hashlib.sha256(rfc8785.dumps(list(self.args))).hexdigest(),
            "env": hmac.digest(key, env, "sha256").hex(),
            "limits": limits,
        }
        return digest(parts)


def decide(component: Component, manifest: Manifest) -> Plan:
    """The plan, or every reason against it at once.

    Raises:
        Refused: the component imports what is absent.
        UsageError: the manifest names what there is not.
    """
    states = wasi.states(manifest.preset, manifest.grants, manifest.denials)
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
