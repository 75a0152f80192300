"""From a program to a brane that waits for its "go": the stages in their order, the same for both drivers.

    manifest asks -> plan decides -> spawn enters the jail -> link links -> run runs -> audit records

`prepare` goes as far as a plan, `launch` as far as a brane that lacks only its "go", with the bytes that say it. What
is refused on the way is recorded before it is raised. What becomes of the brane then is in `branes.brane`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from branes import _executables, mounting
from branes import plan as planning
from branes import runtime as runtimes
from branes.audit import Event
from branes.compiling import MAX_INPUT, Progress
from branes.conduct import Conduct
from branes.errors import InputError, Refused, UsageError, host_faults
from branes.layers import process, wasi
from branes.manifest import Manifest, words
from branes.plan import Binding, Plan
from branes.session import Session
from branes.text import escape
from branes.wire import WireError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from branes.compiling import Artifact
    from branes.jailed import Jailed
    from branes.limits import Limits
    from branes.spawn import Template
    from branes.tooling import Tool
    from branes.trees.ingest import Tree
    from branes.trees.late import Late, Seed

#: Bytes beyond the memory limit at which the kernel itself refuses: room for messages, which are 16 MiB at most.
SLACK: Final = 48 << 20

App = str | os.PathLike[str] | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan and what it needs to become branes.

    Attributes:
        name: how the program is called, in records and as its first argument.
        artifact: its native code.
        plan: what is enforced.
        trees: content of its read-only directories, in the order of its mounts; held for as long as this is.
        seeds: what its other directories hold at first, by the mount's number; bound late.
        tools: functions that it may call, by name; bound late.
    """

    name: str
    artifact: Artifact
    plan: Plan
    trees: tuple[Tree, ...] = ()
    seeds: Mapping[int, Seed] = field(default_factory=dict)
    tools: Mapping[str, Tool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A brane that waits for its "go", and all that its owner needs to drive it.

    Attributes:
        template: where it came from.
        jailed: its process.
        conduct: what its owner does about it.
        opening: bytes to send it.
        spawned: its spawn record, to be durable before its first result is returned.
    """

    template: Template
    jailed: Jailed
    conduct: Conduct
    opening: bytes
    spawned: Event


def ignore_progress(_done: int, _total: int) -> None:
    """Nobody watches."""


def read_app(app: App) -> tuple[str, bytes]:
    """Name and bytes of a program.

    Raises:
        InputError: it cannot be read.
    """
    if isinstance(app, bytes):
        return "app", app
    if not isinstance(app, str | os.PathLike):
        raise UsageError(f"the program is of type {type(app).__name__}, expected a path or bytes")
    path = Path(app)
    try:
        with path.open("rb") as file:
            program = file.read(MAX_INPUT + 1)  # /dev/zero has no end
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{escape(str(path))} cannot be read: {reason}") from error
    return escape(path.name), program


def prepare(
    app: App, manifest: Manifest, progress: Progress = ignore_progress, reading: Progress = ignore_progress
) -> Prepared:
    """Compile and plan, and take in trees.

    Args:
        app: a path, or the program's bytes.
        manifest: what it is to be given.
        progress: told functions compiled and functions in all.
        reading: told bytes of a tree that are read, and bytes in all.

    Raises:
        InputError: it is no program, or a folder cannot be taken in.
        Refused: it imports what is absent; that is recorded.
    """
    name, program = read_app(app)
    with host_faults("the program cannot be compiled"):
        artifact = runtimes.runtime().artifact(lambda: program, progress)
    return decide(name, artifact, manifest, reading)


def prepare_guest(
    manifest: Manifest, progress: Progress = ignore_progress, reading: Progress = ignore_progress
) -> Prepared:
    """The same for the Python guest that ships in the package."""
    path = _executables.find("_guests", "python.wasm")
    digest = _executables.find("_guests", "python.wasm.sha256").read_text(encoding="ascii").strip()
    with host_faults("the Python guest cannot be compiled"):
        artifact = runtimes.runtime().artifact(path.read_bytes, progress, digest)
    return decide("python", artifact, manifest, reading)


def decide(name: str, artifact: Artifact, manifest: Manifest, reading: Progress = ignore_progress) -> Prepared:
    """Plan, then take in trees; a refusal is recorded before it is raised."""
    try:
        plan = planning.decide(artifact.component, manifest)
    except Refused as error:
        record_refusal(name, artifact.component.digest, error)
        raise
    trees, plan = with_trees(plan, manifest, reading)
    seeds = mounting.seeds(manifest, plan.mounts)
    return Prepared(name=name, artifact=artifact, plan=plan, trees=trees, seeds=seeds, tools=manifest.tools)


def with_trees(plan: Plan, manifest: Manifest, reading: Progress = ignore_progress) -> tuple[tuple[Tree, ...], Plan]:
    """The trees of a plan, and the plan that knows what is in them."""
    trees = mounting.take_in(manifest, plan.mounts, reading)
    paths = [mount.path for mount in plan.mounts if mount.kind == "tree"]
    digests = {path: tree.digest for path, tree in zip(paths, trees, strict=True)}
    return trees, plan.with_trees(digests)


def record_refusal(name: str, digest: str, error: Refused) -> None:
    """Make the refusal of a program durable."""
    imports = [refusal.item for refusal in error.refusals]
    tried = {"app": name, "digest": digest, "imports": imports}
    event = Event(run="", plan="", layer=wasi.LAYER, event="wasi.link_denied", tried=tried, done={"started": False})
    runtimes.runtime().log.append(event)


def launch(prepared: Prepared, binding: Binding) -> Launched:
    """A brane, looked at, limited, and what to send it.

    Raises:
        Refused: the worker found an import that the plan does not link; that is recorded.
        MissingMechanism: a part of the isolation is not there.
    """
    shared = runtimes.runtime()
    with host_faults("a brane cannot be started"):
        template = _take(shared, prepared)
        try:
            jailed = template.fork(late=prepared.plan.has_late)
        except BaseException:
            shared.give_back(template)
            raise
        try:
            return _bind(shared, prepared, binding, template=template, jailed=jailed)
        except BaseException:
            template.release(jailed)
            shared.give_back(template)
            raise


def _take(shared: runtimes.Runtime, prepared: Prepared) -> Template:
    try:
        return shared.take(prepared.plan, prepared.artifact, prepared.trees)
    except Refused as error:
        record_refusal(prepared.name, prepared.plan.app, error)
        raise


def _bind(
    shared: runtimes.Runtime, prepared: Prepared, binding: Binding, *, template: Template, jailed: Jailed
) -> Launched:
    """What is bound late, and the record of it."""
    limit_memory(jailed, binding.limits)
    late = mounting.bind(jailed, prepared.seeds)
    binding = replace(binding, late=late.digest if late else "")
    jailed.images = sum(tree.size for tree in prepared.trees) + (late.size if late else 0)
    bound = binding.digest(shared.key)
    digest = planning.plan_digest(prepared.plan.template_digest, bound)
    session = Session()
    conduct = Conduct(session, secrets.token_hex(8), digest, binding.limits)
    try:
        opening = session.go(binding, binding.limits.memory, late.size if late else 0)
    except WireError as error:
        raise UsageError(f"arguments and environment are too large: {error}") from error
    spawned = conduct.event("host", "run.spawned", _asked(prepared, binding, bound, late), _enforced(jailed, shared))
    return Launched(template=template, jailed=jailed, conduct=conduct, opening=opening, spawned=spawned)


def limit_memory(jailed: Jailed, limits: Limits) -> None:
    """RLIMIT_DATA from outside: what it was at birth, plus the limit, plus room for messages (prlimit(2))."""
    jailed.limit_data(jailed.data_at_birth + limits.memory + SLACK)


def _asked(prepared: Prepared, binding: Binding, bound: str, late: Late | None) -> dict[str, object]:
    return {
        "app": prepared.name,
        "digest": prepared.plan.app,
        "template": prepared.plan.template_digest,
        "binding": bound,
        "preset": prepared.plan.preset,
        "links": dict(prepared.plan.links),
        "tools": list(binding.tools),
        "mounts": [asdict(mount) for mount in prepared.plan.mounts],
        "late": {"digest": late.digest, "files": late.files, "bytes": late.bytes} if late else {},
        "limits": {name: str(value) for name, value in asdict(binding.limits).items()},
    }


def _enforced(jailed: Jailed, shared: runtimes.Runtime) -> dict[str, object]:
    seen = jailed.enforced
    filters = shared.filters("brane")
    return {
        "enforced": {
            "status": dict(seen.status),
            "namespaces": dict(seen.namespaces),
            "descriptors": {str(number): link for number, link in seen.descriptors.items()},
            "root": list(seen.root),
            "uid": seen.uid,
        },
        "filters": {
            "first": hashlib.sha256(filters.first).hexdigest(),
            "second": hashlib.sha256(filters.second).hexdigest(),
            "allowed": list(process.allowed("brane")),
        },
        "caps": {
            "memory": "rlimit-data and the owner's look",
            "time": "the owner",
            "cpu": "not held",
            "pids": "the filter",
        },
    }


def make_binding(args: Sequence[str], manifest: Manifest, *, stays: bool = False) -> Binding:
    """Late bindings.

    Args:
        args: the guest's command line, the program's name first.
        manifest: what was asked for.
        stays: whether files are to be read once the guest has ended.

    Raises:
        UsageError: an argument is no text, holds a NUL, or is not Unicode.
    """
    found = words(args, "the arguments")
    if any("\0" in word for word in found):
        raise UsageError("an argument holds a NUL, which no program can be given")
    return Binding(args=found, env=dict(manifest.env), limits=manifest.limits, stays=stays, tools=tuple(manifest.tools))


def release(launched: Launched) -> None:
    """Release all that is held of a brane that has ended."""
    launched.template.release(launched.jailed)
    runtimes.runtime().give_back(launched.template)


def not_a_command(prepared: Prepared) -> None:
    """Refuse what `run` cannot run.

    Raises:
        InputError: it exports no `wasi:cli/run`.
    """
    if not prepared.artifact.component.is_command:
        raise InputError("the component does not export wasi:cli/run", hint="`brane plan APP` lists what it exports")
