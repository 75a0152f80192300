"""One open brane: the stages in their order, for a synchronous caller. `branes.aio` is the same for asyncio.

    manifest asks -> plan decides -> spawn enters the jail -> link links -> run runs -> audit records

`prepare` goes as far as a plan, `launch` as far as a brane that runs its "go"; what they do is shared by both drivers.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import rfc8785

from branes import _executables
from branes import plan as planning
from branes import runtime as runtimes
from branes.audit import Event
from branes.compiling import MAX_INPUT
from branes.conduct import Conduct
from branes.drive import Caller, Driver
from branes.errors import InputError, Refused, UsageError, host_faults
from branes.layers import process, wasi
from branes.manifest import Manifest, check_text
from branes.outcome import Completed, Usage
from branes.plan import Binding, Plan
from branes.session import Session
from branes.text import escape
from branes.wire import WireError

if TYPE_CHECKING:
    from branes.compiling import Artifact
    from branes.limits import Limits
    from branes.outcome import Died
    from branes.spawn import Jailed, Template

#: Bytes beyond the memory limit at which the kernel itself refuses: room for messages, which are 16 MiB at most.
SLACK: Final = 48 << 20

Progress = Callable[[int, int], None]
App = str | os.PathLike[str] | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan and what it needs to become branes.

    Attributes:
        name: how the program is called, in records and as its first argument.
        artifact: its native code.
        plan: what is enforced.
    """

    name: str
    artifact: Artifact
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A brane that was told to go.

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
    path = Path(app)
    try:
        with path.open("rb") as file:
            program = file.read(MAX_INPUT + 1)  # /dev/zero has no end
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{escape(str(path))} cannot be read: {reason}") from error
    return escape(path.name), program


def prepare(app: App, manifest: Manifest, progress: Progress = ignore_progress) -> Prepared:
    """Compile and plan.

    Raises:
        InputError: it is no program. Refused: it imports what is absent; that is recorded.
    """
    name, program = read_app(app)
    with host_faults("the program cannot be compiled"):
        artifact = runtimes.runtime().artifact(lambda: program, progress)
    return decide(name, artifact, manifest)


def prepare_guest(manifest: Manifest, progress: Progress = ignore_progress) -> Prepared:
    """The same for the Python guest that ships in the package."""
    path = _executables.find("_guests", "python.wasm")
    digest = _executables.find("_guests", "python.wasm.sha256").read_text(encoding="ascii").strip()
    with host_faults("the Python guest cannot be compiled"):
        artifact = runtimes.runtime().artifact(path.read_bytes, progress, digest)
    return decide("python", artifact, manifest)


def decide(name: str, artifact: Artifact, manifest: Manifest) -> Prepared:
    """Plan; a refusal is recorded before it is raised."""
    try:
        return Prepared(name=name, artifact=artifact, plan=planning.decide(artifact.component, manifest))
    except Refused as error:
        record_refusal(name, artifact.component.digest, error)
        raise


def record_refusal(name: str, digest: str, error: Refused) -> None:
    """Make the refusal of a program durable."""
    imports = [refusal.item for refusal in error.refusals]
    tried = {"app": name, "digest": digest, "imports": imports}
    event = Event(run="", plan="", layer=wasi.LAYER, event="wasi.link_denied", tried=tried, done={"started": False})
    runtimes.runtime().log.append(event)


def launch(prepared: Prepared, binding: Binding, terminals: tuple[bool, bool, bool]) -> Launched:
    """A brane, looked at, limited, and what to send it.

    Raises:
        Refused: the worker found an import that the plan does not link; that is recorded.
        MissingMechanism: a part of the isolation is not there.
    """
    shared = runtimes.runtime()
    with host_faults("a brane cannot be started"):
        template = _take(shared, prepared)
        try:
            jailed = template.fork()
        except BaseException:
            shared.give_back(template)
            raise
        try:
            return _bind(shared, prepared, binding, terminals, template=template, jailed=jailed)
        except BaseException:
            template.release(jailed)
            shared.give_back(template)
            raise


def _take(shared: runtimes.Runtime, prepared: Prepared) -> Template:
    try:
        return shared.take(prepared.plan, prepared.artifact)
    except Refused as error:
        record_refusal(prepared.name, prepared.plan.app, error)
        raise


def _bind(
    shared: runtimes.Runtime,
    prepared: Prepared,
    binding: Binding,
    terminals: tuple[bool, bool, bool],
    *,
    template: Template,
    jailed: Jailed,
) -> Launched:
    """What is bound late, and the record of it."""
    limit_memory(jailed, binding.limits)
    bound = binding.digest(shared.key)
    digest = planning.plan_digest(prepared.plan.template_digest, bound)
    session = Session()
    conduct = Conduct(session, secrets.token_hex(8), digest, binding.limits)
    try:
        opening = session.go(binding, binding.limits.memory, terminals)
    except WireError as error:
        raise UsageError(f"arguments and environment are too large: {error}") from error
    spawned = conduct.event("host", "run.spawned", _asked(prepared, binding, bound), _enforced(jailed, shared))
    return Launched(template=template, jailed=jailed, conduct=conduct, opening=opening, spawned=spawned)


def limit_memory(jailed: Jailed, limits: Limits) -> None:
    """RLIMIT_DATA from outside: what it was at birth, plus the limit, plus room for messages (prlimit(2))."""
    most = jailed.data_at_birth + limits.memory + SLACK
    resource.prlimit(jailed.pid, resource.RLIMIT_DATA, (most, most))


def _asked(prepared: Prepared, binding: Binding, bound: str) -> dict[str, object]:
    return {
        "app": prepared.name,
        "digest": prepared.plan.app,
        "template": prepared.plan.template_digest,
        "binding": bound,
        "preset": prepared.plan.preset,
        "links": dict(prepared.plan.links),
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


def make_binding(args: Sequence[str], manifest: Manifest) -> Binding:
    """Late bindings.

    Raises:
        UsageError: an argument is not Unicode.
    """
    for arg in args:
        check_text(arg, "an argument")
    return Binding(args=tuple(args), env=dict(manifest.env), limits=manifest.limits)


def outcome(launched: Launched, driver: Any, output: Collected, started: float) -> Completed:
    """What a call came to; raises what the brane's end means, with what there was until then.

    Raises:
        BranesError: the brane was killed, trapped or died.
    """
    conduct, died = launched.conduct, driver.died
    wall = time.monotonic() - started
    usage = (
        Usage(wall=wall) if died is None else Usage(wall=wall, user=died.user, system=died.system, max_rss=died.max_rss)
    )
    code = conduct.exit_code if conduct.exit_code is not None else 0
    completed = conduct.completed(code, bytes(output.stdout), bytes(output.stderr), usage)
    if conduct.fate is not None:
        conduct.fate.completed = completed
        raise conduct.fate
    return completed


class Collected:
    """Output of a call: kept, or handed on as it comes."""

    def __init__(
        self, on_stdout: Callable[[bytes], object] | None = None, on_stderr: Callable[[bytes], object] | None = None
    ) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()
        self._sinks = {1: on_stdout or self.stdout.extend, 2: on_stderr or self.stderr.extend}

    def emit(self, stream: int, data: bytes) -> object:
        """Take a piece; what the caller's function made of it."""
        return self._sinks[stream](data)


class Brane:
    """One open brane, driven by one thread or task at a time."""

    _driven_by: ClassVar[type[Driver]] = Driver

    def __init__(
        self, prepared: Prepared, binding: Binding, terminals: tuple[bool, bool, bool] = (False, False, False)
    ) -> None:
        self._launched = launch(prepared, binding, terminals)
        self._driver = self._driven_by(self._launched.jailed, self._launched.conduct, runtimes.runtime().log)
        self._recorded = False
        self._closed = False
        self._turn = threading.Lock()
        self._ending = threading.Lock()
        self._driver.send(self._launched.opening)

    @property
    def conduct(self) -> Conduct:
        """What is known of it."""
        return self._launched.conduct

    @property
    def died(self) -> Died | None:
        """How its process ended, once it has."""
        return self._driver.died

    def call(
        self, export: str, args: list[dict[str, object]], caller: Caller, output: Collected
    ) -> tuple[Any, Completed]:
        """Call an export; what it returned, and what it came to.

        Raises:
            UsageError: it is in another call, has ended, or belongs to another process.
            BranesError: the brane was killed, trapped or died; it is closed.
        """
        with self._begin(export, args) as started:
            try:
                self._record_spawn()
                self._driver.call(caller, self.conduct.limits.timeout)
            except BaseException:
                self._end()
                raise
            if self._driver.died is not None:
                self._end()
            return self._answer(output, started)

    @contextlib.contextmanager
    def _begin(self, export: str, args: list[dict[str, object]]) -> Iterator[float]:
        """Take the turn for as long as a call takes, and send it; the time at which it began."""
        self._launched.template.check_owner()
        if not self._turn.acquire(blocking=False):
            raise UsageError("this brane is in a call", hint="one call at a time; open a brane for each thread or task")
        try:
            if self._closed or self.conduct.fate is not None:
                raise UsageError("this brane has ended", hint="open another one")
            started = time.monotonic()
            try:
                self._driver.send(self.conduct.session.call(export, args))
            except WireError as error:
                raise UsageError(f"what is sent to the brane is too large: {error}") from error
            self.conduct.called(export, asked(export, args))
            yield started
        finally:
            self._turn.release()

    def _answer(self, output: Collected, started: float) -> tuple[Any, Completed]:
        done = self._driver.result
        completed = outcome(self._launched, self._driver, output, started)
        if done is None and self.conduct.exit_code is None:
            raise UsageError("the brane was closed during the call")
        return (done.value if done else None), completed

    def _record_spawn(self) -> None:
        """Make the spawn record durable; the guest runs meanwhile, but none of its results is read before."""
        if not self._recorded:
            runtimes.runtime().log.append(self._launched.spawned)
            self._recorded = True

    def close(self) -> None:
        """Kill it, record its end, release all that was held of it; during a call, the call does the latter two."""
        self._launched.template.check_owner()
        if self._turn.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._turn.release()
            return
        with self._ending:
            if not self._closed:
                self.conduct.closed()
                self._launched.jailed.kill()

    def _end(self) -> None:
        with self._ending:
            if self._closed:
                return
            self._closed = True
        try:
            self._record_spawn()
            self._driver.end()
        finally:
            release(self._launched)


def asked(export: str, args: list[dict[str, object]]) -> str:
    """Digest of what a call asks."""
    return f"sha256:{hashlib.sha256(rfc8785.dumps([export, args])).hexdigest()}"  # type: ignore[list-item]


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
