from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from branes import plan
from branes.component import Component
from branes.errors import Refused, UsageError
from branes.limits import Limits
from branes.manifest import Manifest
from branes.mounts import Mount
from branes.plan import Binding, Plan

LIMITS = Limits(memory=1 << 20, timeout=1.5, output=1000, refusals=7)
PLAN = Plan(
    app="ab" * 32,
    preset="command",
    links={"wasi:cli/stdout": "granted", "wasi:sockets/tcp": "denied"},
    filters={"template": "cd" * 32, "brane": "ef" * 32},
    ceilings=LIMITS,
)
BINDING = Binding(args=("app", "--flag"), env={"A": "1"}, limits=LIMITS)
KEY = b"k" * 32
CHANGES: dict[str, list[Any]] = {
    "app": ["ac" * 32],
    "links": [
        {"wasi:cli/stdout": "granted"},
        {"wasi:cli/stdout": "granted", "wasi:sockets/tcp": "granted"},
        {"wasi:cli/stderr": "granted", "wasi:sockets/tcp": "denied"},
    ],
    "mounts": [
        (Mount(path="/data", kind="files"),),
        (Mount(path="/data", kind="scratch"),),
        (Mount(path="/data", kind="tree", digest="sha256:" + "0" * 64),),
        (Mount(path="/data", kind="tree", digest="sha256:" + "1" * 64),),
        (Mount(path="/data", kind="files"), Mount(path="/w", kind="scratch")),
    ],
    "filters": [{"template": "cd" * 32, "brane": "ee" * 32}, {"template": "ce" * 32, "brane": "ef" * 32}],
    "ceilings": [
        replace(LIMITS, memory=2 << 20),
        replace(LIMITS, timeout=1.6),
        replace(LIMITS, output=1001),
        replace(LIMITS, refusals=8),
        replace(LIMITS, calls=9),
    ],
}


def component(*imports: str) -> Component:
    return Component(digest="ab" * 32, adapted=False, imports=imports, exports=(), description={})


def test_the_template_digest_is_what_it_has_been() -> None:
    """A change here is a change of what every recorded digest means."""
    assert PLAN.template_digest == "sha256:5809a69120d71f6d09d56e33d522eaec3f505821ead457661291811bb0e5b60e"


def test_the_binding_digest_is_what_it_has_been() -> None:
    assert BINDING.digest(KEY) == "sha256:0949fca55bd5919b0d26e6e5f4b7770be968408518600b7b2aff55cf779afc83"


def test_the_plan_digest_is_what_it_has_been() -> None:
    assert (
        plan.plan_digest(PLAN.template_digest, BINDING.digest(KEY))
        == "sha256:ce3fb4d5b3b9523c13e258108c741d575861b61ed1c32fd5335ef3b0f81406fa"
    )


def test_the_template_digest_does_not_depend_on_order() -> None:
    other = replace(PLAN, links=dict(reversed(PLAN.links.items())), filters=dict(reversed(PLAN.filters.items())))
    assert other.template_digest == PLAN.template_digest


@pytest.mark.parametrize(("part", "value"), [(part, value) for part, values in CHANGES.items() for value in values])
def test_another_part_is_another_template(part: str, value: object) -> None:
    assert replace(PLAN, **{part: value}).template_digest != PLAN.template_digest


def test_every_part_that_is_enforced_is_changed_above() -> None:
    assert {field.name for field in fields(Plan)} == {*CHANGES, "preset"}
    changed = {name for value in CHANGES["ceilings"] for name in _differing(value)}
    assert changed == {field.name for field in fields(Limits)}


def _differing(limits: Limits) -> list[str]:
    return [field.name for field in fields(Limits) if getattr(limits, field.name) != getattr(LIMITS, field.name)]


@pytest.mark.parametrize(
    "binding",
    [
        replace(BINDING, args=("app",)),
        replace(BINDING, args=("app --flag",)),
        replace(BINDING, env={}),
        replace(BINDING, env={"A": "2"}),
        replace(BINDING, limits=replace(LIMITS, timeout=0.5)),
        replace(BINDING, late="sha256:" + "0" * 64),
        replace(BINDING, stays=True),
        replace(BINDING, tools=("search",)),
        replace(BINDING, tools=("search", "db.lookup")),
    ],
)
def test_another_late_binding_is_another_plan_of_the_same_template(binding: Binding) -> None:
    before = plan.plan_digest(PLAN.template_digest, BINDING.digest(KEY))
    assert binding.digest(KEY) != BINDING.digest(KEY)
    assert plan.plan_digest(PLAN.template_digest, binding.digest(KEY)) != before


def test_the_environment_is_in_the_manifest_but_not_in_the_template() -> None:
    imports = component("wasi:cli/environment@0.2.3")
    plans = [plan.decide(imports, Manifest(env=env)) for env in ({}, {"TOKEN": "secret"})]
    assert plans[0].template_digest == plans[1].template_digest


def test_the_environment_cannot_be_guessed_from_a_digest_without_the_key() -> None:
    assert BINDING.digest(KEY) != BINDING.digest(b"j" * 32)


def test_a_plan_links_what_is_imported_and_nothing_else() -> None:
    made = plan.decide(component("wasi:cli/stdout@0.2.3", "wasi:cli/exit@0.2.0"), Manifest())
    assert made.links == {"wasi:cli/exit": "granted", "wasi:cli/stdout": "granted"}
    assert made.filters.keys() == {"template", "brane"}
    assert made.ceilings == Manifest().limits


def test_everything_absent_is_refused_at_once_with_the_change_that_would_allow_it() -> None:
    imports = component(
        "wasi:sockets/tcp@0.2.3", "wasi:cli/stdout@0.2.3", "evil:host/anything", "wasi:http/types@0.2.0"
    )
    with pytest.raises(Refused, match="imports 3 interfaces that nothing grants") as caught:
        plan.decide(imports, Manifest())
    assert [(refusal.item, refusal.change) for refusal in caught.value.refusals] == [
        ("wasi:sockets/tcp@0.2.3", "--deny wasi:sockets/tcp"),
        ("evil:host/anything", "--deny evil:host/anything"),
        ("wasi:http/types@0.2.0", "--deny wasi:http/types"),
    ]


def test_who_gives_tools_grants_the_interface_that_calls_them_and_the_names_come_late() -> None:
    imports = component("branes:tools/tools@0.1.0")
    with pytest.raises(Refused):
        plan.decide(imports, Manifest())
    plans = [plan.decide(imports, Manifest(tools={name: print})) for name in ("search", "other")]
    assert plans[0].links == {"branes:tools/tools": "granted"}
    assert plans[0].template_digest == plans[1].template_digest
    denied = plan.decide(imports, Manifest(tools={"search": print}, denials=("branes:tools",)))
    assert denied.links == {"branes:tools/tools": "denied"}


def test_denial_wins_over_a_grant() -> None:
    manifest = Manifest(preset="none", grants=("wasi:random",), denials=("wasi:random/random",))
    made = plan.decide(component("wasi:random/random@0.2.3", "wasi:random/insecure@0.2.3"), manifest)
    assert made.links == {"wasi:random/insecure": "granted", "wasi:random/random": "denied"}


@pytest.mark.parametrize(
    "manifest",
    [Manifest(preset="all"), Manifest(grants=("wasi:sockets/tcp",)), Manifest(grants=("wasi:nothing",))],
    ids=["preset", "only deniable", "unknown"],
)
def test_what_cannot_be_granted_is_the_callers_mistake(manifest: Manifest) -> None:
    with pytest.raises(UsageError):
        plan.decide(component(), manifest)


def test_a_component_that_imports_nothing_needs_no_preset() -> None:
    assert json.dumps(dict(plan.decide(component(), Manifest(preset="none")).links)) == "{}"
