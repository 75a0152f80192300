"""Where attacks are run: a runtime of its own, whose owner's side is the product's own, line for line.

`Lab.caged` puts the attack program where the worker would be and drives it with the product's template, session,
conduct and driver. `bare` runs the same program without a cage. What came of either is a value; the harness judges it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
import select
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from branes import _kernel, audit
from branes import runtime as runtimes
from branes.brane import Collected
from branes.calling import COMMAND
from branes.conduct import Conduct
from branes.drive import NOBODY, Caller, Driver
from branes.errors import BranesError
from branes.launching import limit_memory
from branes.layers import process
from branes.limits import Limits
from branes.plan import Binding, Plan, plan_digest
from branes.session import Session
from branes.spawn import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from branes.audit import Record, Verdict
    from branes.jailed import Jailed
    from branes.outcome import Completed, Denial, Died

ROOT: Final = Path(__file__).parents[2]
#: Seconds that a control may take.
PATIENCE: Final = 60.0
_MANY: Final = 200


def program() -> Path:
    """The attack program.

    Raises:
        AssertionError: it was not built; a matrix that is not run has not passed.
    """
    built = ROOT / "target" / f"{platform.machine()}-unknown-linux-gnu" / "release" / "brane-attacks"
    path = Path(os.environ.get("BRANES_ATTACKS", built))
    assert path.is_file(), f"the attack program is not at {path}; build it with `make`, or set BRANES_ATTACKS"
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of an attack against the layer.

    Attributes:
        fate: why it was refused or killed, or None.
        exit_code: its own, if it came to its end.
        output: what it wrote.
        died: how its process ended, where the harness drove it.
        denials: as the caller of a run gets them.
        records: what the log has of it.
        verify: says whether the whole log is sound.
    """

    fate: BranesError | None
    exit_code: int | None
    output: bytes
    died: Died | None = None
    denials: tuple[Denial, ...]
    records: tuple[Record, ...]
    verify: Callable[[], Verdict]

    @property
    def dumped(self) -> bool:
        """Whether the kernel wrote a core; the owner of a cage is not told, and looks for a file."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """What came of the same attack without a cage.

    Attributes:
        code: exit code, or minus the signal.
        dumped: whether the kernel made a core.
        output: what it wrote.
        errors: what it said of its failure.
    """

    code: int
    dumped: bool
    output: bytes
    errors: bytes


class Lab:
    """A runtime of its own, and a template of the attack program."""

    def __init__(self) -> None:
        self.runtime = runtimes.runtime()
        self._artifact = _kernel.sealed_memfd("attack", b"nothing")
        self._template: Template | None = None

    @classmethod
    @contextlib.contextmanager
    def private(cls, state: Path) -> Iterator[Lab]:
        """A lab whose state is in `state`, while the context lasts."""
        state.chmod(0o700)
        before, named = runtimes._runtime, os.environ.get("BRANES_STATE")
        runtimes._runtime = None
        os.environ["BRANES_STATE"] = str(state)
        lab = cls()
        try:
            yield lab
        finally:
            lab.close()
            runtimes._runtime = before
            del os.environ["BRANES_STATE"]
            if named is not None:
                os.environ["BRANES_STATE"] = named

    def close(self) -> None:
        if self._template is not None:
            self._template.close()
        os.close(self._artifact)
        self.runtime.close()

    @property
    def template(self) -> Template:
        """The template that branes are forked from; made again when it is gone."""
        if self._template is None or not self._template.alive:
            self._template = self.new_template()
        return self._template

    def new_template(self, path: Path | None = None) -> Template:
        """One more template; the caller closes it."""
        return Template(path or program(), self._artifact, self.runtime.filters("brane"), b"")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the attack program."""
        return hashlib.sha256(program().read_bytes()).hexdigest()

    def caged(
        self,
        words: Sequence[str],
        *,
        limits: Limits | None = None,
        look: Callable[[Jailed], object] = lambda _jailed: None,
        path: Path | None = None,
    ) -> Ended:
        """Run a payload in a fresh brane.

        Args:
            words: its words.
            limits: of the brane.
            look: called when the brane is parked, before it hears anything.
            path: a program for a template of its own.
        """
        if path is None:
            return self._caged(self.template, words, limits or Limits(), look)
        template = self.new_template(path)
        try:
            return self._caged(template, words, limits or Limits(), look)
        finally:
            template.close()

    def _caged(
        self, template: Template, words: Sequence[str], limits: Limits, look: Callable[[Jailed], object]
    ) -> Ended:
        jailed = template.fork()
        try:
            look(jailed)
            limit_memory(jailed, limits)
            conduct, opening = self._conduct(words, limits)
            output = Collected()
            driver = Driver(jailed, conduct, self.runtime.log)
            driver.send(opening)
            conduct.called("attack", hashlib.sha256(repr(words).encode()).hexdigest())
            driver.send(conduct.session.call(COMMAND))
            with contextlib.suppress(BranesError):
                driver.call(Caller(source=NOBODY.source, emit=output.emit), limits.timeout)
            driver.end()
        finally:
            template.release(jailed)
        return self._outcome(driver, conduct, bytes(output.stdout))

    def _conduct(self, words: Sequence[str], limits: Limits) -> tuple[Conduct, bytes]:
        policies = {"template": process.policy_digest("template"), "brane": process.policy_digest("brane")}
        plan = Plan(app=self.digest, preset="none", links={}, filters=policies, ceilings=limits)
        binding = Binding(args=tuple(words), env={}, limits=limits)
        digest = plan_digest(plan.template_digest, binding.digest(self.runtime.key))
        session = Session()
        conduct = Conduct(session, secrets.token_hex(8), digest, limits)
        return conduct, session.go(binding, limits.memory)

    def _outcome(self, driver: Driver, conduct: Conduct, output: bytes) -> Ended:
        records = tuple(record for record in self.records() if record.run == conduct.run)
        assert {record.plan for record in records} == {conduct.plan}
        return Ended(
            fate=conduct.fate,
            exit_code=conduct.exit_code,
            output=output,
            died=driver.died,
            denials=tuple(conduct.denials),
            records=records,
            verify=self.verify,
        )

    def guest(self, run: Callable[[], Completed]) -> Ended:
        """Run a guest by the public interface; what it came to, and all that was recorded meanwhile."""
        before = self.records(1)
        fate: BranesError | None = None
        completed: Completed | None
        try:
            completed = run()
        except BranesError as error:
            fate, completed = error, error.completed
        return Ended(
            fate=fate,
            exit_code=completed.exit_code if completed else None,
            output=completed.stdout if completed else b"",
            denials=completed.denials if completed else (),
            records=tuple(record for record in self.records() if not before or record.seq > before[0].seq),
            verify=self.verify,
        )

    def records(self, most: int = _MANY) -> tuple[Record, ...]:
        """The last records; more than any one attempt leaves."""
        folder = self.runtime.state.audit
        return tuple(audit.tail(folder, most)) if folder.exists() else ()

    def verify(self) -> Verdict:
        """Whether the log is sound from its first line to its last."""
        return audit.verify(self.runtime.state.audit)


def bare(words: Sequence[str], *, stage: str = "none", path: Path | None = None, **options: Any) -> Bare:
    """Run the same payload with no cage around it."""
    command = [path or program(), "bare", stage, *words]
    options = {"stdin": subprocess.DEVNULL, **options}
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=output, stderr=errors, **options)
        # Not by `process.wait`, which does not say whether there was a core.
        ended, status = _end_of(process.pid)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert ended, f"the control took longer than {PATIENCE:g} s"
        output.seek(0)
        errors.seek(0)
        return Bare(code=process.returncode, dumped=os.WCOREDUMP(status), output=output.read(), errors=errors.read())


def _end_of(pid: int) -> tuple[bool, int]:
    """Whether the child ended by itself, and its wait status; it is killed if it takes too long."""
    pidfd = os.pidfd_open(pid)
    try:
        ended = bool(select.select([pidfd], [], [], PATIENCE)[0])
        if not ended:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    finally:
        os.close(pidfd)
    return ended, os.waitpid(pid, 0)[1]
