"""What one process shares between its branes: state folder, log, compiler, templates.

There is one `Runtime` a process, made on first use and never carried over a fork. Templates are kept by the digest of
their plan, so that the second brane of the same kind is only a fork. Templates of different plans start side by side;
whoever wants one that is starting waits for that one, and tries itself if it fails. Nothing else waits for a start:
what is held meanwhile is the plan's turn, never the lock of the table.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from branes import _executables, state, wire
from branes.audit import AuditLog
from branes.cache import Cache
from branes.channel import TemplateRefused
from branes.compiling import Artifact, Compiler, Progress
from branes.layers import process
from branes.plan import Plan, refused
from branes.spawn import Filters, Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from branes.trees.ingest import Tree

#: Most templates that are kept; the one that was used the longest time ago goes first.
MAX_TEMPLATES: Final = 8
#: Most artifacts that are kept, likewise.
MAX_ARTIFACTS: Final = 8
#: Most trees that are kept, likewise.
MAX_TREES: Final = 8
#: Most bytes of native code that the artifacts that are kept hold, and the templates without a brane likewise.
MAX_BYTES: Final = 1 << 30


@dataclass(slots=True)
class _Kept:
    template: Template
    size: int
    branes: int = 0


@dataclass(slots=True)
class _Turn:
    """Who may start the template of a plan; it is there as long as anybody wants to."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    wanted: int = 0


class Runtime:
    """One process's share of the product.

    Attributes:
        pid: the process.
        state: the folder that lasts.
        log: the audit log.
        key: the host key.
        cache: compiled programs and filters.
        compiler: compiles programs, or finds them compiled.
    """

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.state = state.default()
        self.log = AuditLog(self.state.audit)
        # Made now, not on first use: a lock around that could be held by another thread while this process forks.
        self.key = self.state.host_key()
        self.cache = Cache(self.state.cache, self.key)
        self.compiler = Compiler(cache=self.cache, filters=self.filters, log=self.log)
        self._lock = threading.Lock()
        self._templates: OrderedDict[str, _Kept] = OrderedDict()
        self._turns: dict[str, _Turn] = {}
        self._finding = threading.Lock()
        self._compiling = threading.Lock()
        self._filters: dict[str, bytes] = {}
        self._artifacts: OrderedDict[str, Artifact] = OrderedDict()
        self._trees: OrderedDict[str, Tree] = OrderedDict()

    def artifact(self, read: Callable[[], bytes], progress: Progress, digest: str = "") -> Artifact:
        """The artifact of a program, kept for a while.

        Args:
            read: gives the program's bytes; not called where `digest` is known and the artifact is there.
            progress: told functions done and functions in all.
            digest: SHA-256 of the bytes in hexadecimal, where that is known without reading them.
        """
        program = b"" if digest else read()
        digest = digest or hashlib.sha256(program).hexdigest()
        with self._finding:
            found = self._artifacts.get(digest) or self.compiler.find(digest)
            if found is not None:
                return self._keep(digest, found)
        # One at a time, for each may take gigabytes; what was compiled before does not wait for it.
        with self._compiling:
            found = self.compiler.compile(digest, lambda: program or read(), progress)
        with self._finding:
            return self._keep(digest, found)

    def _keep(self, digest: str, artifact: Artifact) -> Artifact:
        self._artifacts[digest] = artifact
        self._artifacts.move_to_end(digest)
        while len(self._artifacts) > 1 and (
            len(self._artifacts) > MAX_ARTIFACTS or sum(kept.size for kept in self._artifacts.values()) > MAX_BYTES
        ):
            self._artifacts.popitem(last=False)
        return artifact

    def filters(self, second: str) -> Filters:
        """The filters of a cage whose second stage is the policy `second`."""
        return Filters(first=self._filter("template"), second=self._filter(second))

    def _filter(self, policy: str) -> bytes:
        if policy not in self._filters:
            self._filters[policy] = self._make_filter(policy)
        return self._filters[policy]

    def _make_filter(self, policy: str) -> bytes:
        name = f"{process.policy_digest(policy)}-{os.uname().machine}.filter"
        found = self.cache.get(name, "brane-filter")
        if found is None:
            built = process.build_filter(policy)
            self.cache.put(name, [built], b"")
            return built
        memfd, _ = found
        with open(memfd, "rb") as file:
            file.seek(0)
            return file.read()

    def tree(self, tree: Tree) -> Tree:
        """`tree`, or one with the same content that was taken in before: it is held once."""
        with self._lock:
            kept = self._trees.setdefault(tree.digest, tree)
            self._trees.move_to_end(tree.digest)
            if len(self._trees) > MAX_TREES:
                # Whoever uses it holds it, and the last one to do so closes it.
                self._trees.popitem(last=False)
        if kept is not tree:
            tree.close()
        return kept

    def take(self, plan: Plan, artifact: Artifact, trees: Sequence[Tree] = ()) -> Template:
        """A template of `plan`, which stays until `give_back`.

        Args:
            plan: what it holds.
            artifact: the program.
            trees: those of the plan, in its order.

        Raises:
            Refused: the worker found an import that the plan does not link.
            MissingMechanism: the kernel refuses a step.
        """
        digest = plan.template_digest
        with self._turn(digest):
            template = self._lend(digest) or self._take_in(digest, self._start(plan, artifact, trees), artifact.size)
        self._evict()
        return template

    @contextlib.contextmanager
    def _turn(self, digest: str) -> Iterator[None]:
        """One at a time for each plan."""
        with self._lock:
            turn = self._turns.setdefault(digest, _Turn())
            turn.wanted += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.wanted -= 1
                if turn.wanted == 0:
                    del self._turns[digest]

    def _lend(self, digest: str) -> Template | None:
        """The template that is kept, if it lives; one that died is cleared away."""
        with self._lock:
            kept = self._templates.get(digest)
            if kept is None:
                return None
            if kept.template.alive:
                kept.branes += 1
                self._templates.move_to_end(digest)
                return kept.template
            del self._templates[digest]
        kept.template.close()
        return None

    def _take_in(self, digest: str, template: Template, size: int) -> Template:
        """A new template, lent to one brane from now on."""
        with self._lock:
            self._templates[digest] = _Kept(template, size, branes=1)
        return template

    def _evict(self) -> None:
        """End templates without a brane, as many as are too many or hold too much."""
        evicted = []
        with self._lock:
            idle = [digest for digest, kept in self._templates.items() if kept.branes == 0]
            held = sum(self._templates[digest].size for digest in idle)
            for digest in idle:
                if len(self._templates) <= MAX_TEMPLATES and held <= MAX_BYTES:
                    break
                evicted.append(self._templates.pop(digest))
                held -= evicted[-1].size
        for kept in evicted:
            kept.template.close()

    def _start(self, plan: Plan, artifact: Artifact, trees: Sequence[Tree]) -> Template:
        links = [{"name": name, "state": linked} for name, linked in plan.links.items()]
        mounts = [{"path": mount.path, "kind": mount.kind} for mount in plan.mounts]
        job = wire.pack({"interfaces": links, "mounts": mounts})
        worker, filters = _executables.executable("brane-worker"), self.filters("brane")
        try:
            return Template(worker, artifact.memfd, filters, job, [tree.memfd for tree in trees])
        except TemplateRefused as error:
            raise refused(list(error.reasons)) from error

    def give_back(self, template: Template) -> None:
        """A brane of `template` has ended."""
        with self._lock:
            for kept in self._templates.values():
                if kept.template is template:
                    kept.branes -= 1
                    return
        template.close()

    def close(self) -> None:
        """End every template and every brane."""
        with self._lock:
            while self._templates:
                self._templates.popitem()[1].template.close()
        self.log.close()


_runtime: Runtime | None = None
_making = threading.Lock()


def runtime() -> Runtime:
    """This process's runtime, made on first use."""
    global _runtime  # noqa: PLW0603 -- there is one a process
    with _making:
        if _runtime is None or _runtime.pid != os.getpid():
            _runtime = Runtime()
        return _runtime


def _close() -> None:
    if _runtime is not None and _runtime.pid == os.getpid():
        _runtime.close()


def _after_fork() -> None:
    """A thread that is not in this process may have held the lock."""
    global _making  # noqa: PLW0603 -- there is one a process
    _making = threading.Lock()


atexit.register(_close)
os.register_at_fork(after_in_child=_after_fork)
