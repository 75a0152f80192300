"""Layer 1 alone, below the plan: a worker that is given a link set without an import refuses, and names them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from branes import _executables, wire
from branes.channel import TemplateRefused
from branes.spawn import Template
from escapes.harness import GUESTS

if TYPE_CHECKING:
    from escapes.lab import Lab

STREAMS = ("wasi:io/error", "wasi:io/streams", "wasi:cli/stdout")
SOCKETS = ("wasi:sockets/network@0.2.0", "wasi:sockets/tcp@0.2.0", "wasi:sockets/tcp-create-socket@0.2.0")


def start(lab: Lab, links: dict[str, str]) -> Template:
    """A template of the guest that wants sockets, with these links, whatever a plan would say."""
    artifact = lab.runtime.artifact((GUESTS / "ungranted.wat").read_bytes, lambda _done, _total: None)
    job = wire.pack({"interfaces": [{"name": name, "state": state} for name, state in links.items()], "mounts": []})
    worker = _executables.executable("brane-worker")
    return Template(worker, artifact.memfd, lab.runtime.filters("brane"), job)


def test_every_import_that_is_not_linked_is_named(lab: Lab) -> None:
    with pytest.raises(TemplateRefused) as caught:
        start(lab, dict.fromkeys(STREAMS, "granted"))
    assert caught.value.reasons == SOCKETS


def test_a_link_set_of_nothing_refuses_everything(lab: Lab) -> None:
    with pytest.raises(TemplateRefused) as caught:
        start(lab, {})
    assert {reason.partition("@")[0] for reason in caught.value.reasons} >= {*STREAMS, "wasi:sockets/tcp"}


def test_a_name_that_is_only_alike_links_nothing(lab: Lab) -> None:
    alike = dict.fromkeys(("wasi:sockets/tc", "wasi:sockets/TCP", "wasi:sockets", "wasi:sockets/tcp@0.2.0"), "denied")
    with pytest.raises(TemplateRefused) as caught:
        start(lab, dict.fromkeys(STREAMS, "granted") | alike)
    assert caught.value.reasons == SOCKETS


def test_with_the_imports_linked_the_same_template_starts(lab: Lab) -> None:
    template = start(lab, dict.fromkeys(STREAMS, "granted") | {name.partition("@")[0]: "denied" for name in SOCKETS})
    assert template.alive
    template.close()
