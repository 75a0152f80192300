"""Between stages 1 and 2: a program's bytes become native code and a description, in a jail.

Compiling hostile input is an attack surface, so `brane-compile` runs in `brane-jail`: no network, no file, memory and
time capped, 20 system calls. What it answers is hostile, too, until it is authenticated: bounded here, and parsed as
JSON.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import select
import signal
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from branes import _executables, _kernel, component, headroom, wire
from branes.audit import Event
from branes.errors import Escaped, HostFault, InputError, LimitExceeded, Refusal, Refused
from branes.jailed import LOOK, Jailed, growth, read_status
from branes.layers import process, wasi
from branes.spawn import Filters, Template
from branes.text import escape

if TYPE_CHECKING:
    from branes.audit import AuditLog
    from branes.cache import Cache

MAX_INPUT: Final = 256 << 20
MAX_OUTPUT: Final = 1 << 30
#: Bytes of an answer's first line: a description of 8 MiB at most, and some.
MAX_HEADER: Final = 9 << 20
#: Characters of a rejection's message.
MAX_MESSAGE: Final = 4096
SECONDS: Final = 300.0
_OUT_OF_MEMORY: Final = 71

Progress = Callable[[int, int], None]


class Artifact:
    """Native code, ready to be mapped.

    Attributes:
        memfd: sealed; closed with the last reference to this.
        size: bytes that it takes.
        component: what the program is.
    """

    def __init__(self, memfd: int, component: component.Component) -> None:
        self.memfd = memfd
        self.size = os.fstat(memfd).st_size
        self.component = component
        weakref.finalize(self, os.close, memfd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiler:
    """Compiles, or finds what was compiled.

    Attributes:
        cache: where results are kept.
        filters: the seccomp programs of the jail.
        log: where rejections and escapes are recorded.
    """

    cache: Cache
    filters: Callable[[str], Filters]
    log: AuditLog

    def compile(self, digest: str, read: Callable[[], bytes], progress: Progress) -> Artifact:
        """The artifact of a program.

        Args:
            digest: SHA-256 of the program in hexadecimal.
            read: gives its bytes, untrusted: a component, a core module, or `.wat` text. Only called to compile it.
            progress: told functions done and functions in all.

        Raises:
            InputError: it is no program that can be compiled.
            Refused: it is a core module that imports what is not WASI.
            HostFault: the compiler cannot be run.
        """
        found = self.find(digest)
        if found is None:
            self._compile(read(), digest, _name(digest), progress)
            found = self.find(digest)
        if found is None:
            raise HostFault("the cache does not give back what was put into it")
        return found

    def find(self, digest: str) -> Artifact | None:
        """The artifact of a program that was compiled before."""
        found = self.cache.get(_name(digest), "brane-artifact")
        if found is None:
            return None
        memfd, header = found
        return Artifact(memfd, component.from_header(digest, json.loads(header)))

    def _compile(self, program: bytes, digest: str, name: str, progress: Progress) -> None:
        if len(program) > MAX_INPUT:
            raise InputError(f"the program has {len(program)} bytes, at most {MAX_INPUT} allowed")
        if hashlib.sha256(program).hexdigest() != digest:
            raise HostFault("the program is not the one that its digest names", hint="reinstall branes from a wheel")
        memory = headroom.cap(headroom.room())
        jail = Jail(filters=self.filters("compile"), log=self.log, digest=digest, memory=memory)
        header, code = split(jail.run(program, progress))
        if header.get("status") != "compiled":
            why = {"kind": header.get("kind"), "message": header.get("message")}
            jail.record(wasi.LAYER, "component.rejected", why)
            raise rejected(header)
        _check_description(digest, header)
        self.cache.put(name, [code], json.dumps(header).encode())


def _name(digest: str) -> str:
    return f"{digest}-{_settings()}"


@cache
def _settings() -> str:
    """Digest of what the code depends on besides the program: the compiler and the processor."""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
        flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    parts = f"{_executables.executable_digest('brane-compile')}\n{os.uname().machine}\n{flags}"
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Jail:
    """One run of `brane-compile` in `brane-jail`.

    Attributes:
        filters: the seccomp programs of the cage.
        log: where what is refused is recorded.
        digest: SHA-256 of the program, for the records.
        memory: bytes that it may take.
    """

    filters: Filters
    log: AuditLog
    digest: str
    memory: int

    def run(self, program: bytes, progress: Progress) -> bytearray:
        """What `brane-compile` prints for `program`.

        Raises:
            LimitExceeded, Escaped, HostFault: it did not print an answer.
        """
        source = _kernel.sealed_memfd("brane-input", program)
        os.lseek(source, 0, os.SEEK_SET)
        with contextlib.ExitStack() as closing:
            closing.callback(os.close, source)
            answer_r, answer_w = os.pipe()
            progress_r, progress_w = os.pipe()
            closing.callback(os.close, answer_r)
            closing.callback(os.close, progress_r)
            try:
                jailed = self._start(closing, {0: source, 1: answer_w, 2: progress_w})
            finally:
                os.close(answer_w)
                os.close(progress_w)
            return self._collect(jailed, answer_r, progress_r, progress)

    def _start(self, closing: contextlib.ExitStack, streams: Mapping[int, int]) -> Jailed:
        """The compiler, caged, limited and told to go; killed when `closing` closes."""
        compiler = _executables.sealed(_executables.executable("brane-compile"))
        template = Template(_executables.executable("brane-jail"), compiler, self.filters, b"")
        closing.callback(template.close)
        jailed = template.fork(streams)
        closing.callback(template.release, jailed)
        jailed.limit_data(jailed.data_at_birth + self.memory)
        go = wire.encode("go", args=["brane-compile"], env=[], memory=0, late=0, tools=[], stays=False)
        os.write(jailed.commands, wire.frame(go))
        return jailed

    def _collect(self, jailed: Jailed, answer: int, messages: int, progress: Progress) -> bytearray:
        """The whole answer of a compiler that keeps to its time, its output and its filter until it is dead."""
        deadline = time.monotonic() + SECONDS
        startup = list(process.startup("compile"))
        said = bytearray()  # grows in place: what is joined at the end would be there twice
        streams = {answer, messages}
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._over("time", f"compiling took more than {SECONDS:g} s")
            self._look(jailed)
            ready = _kernel.readable([*streams, jailed.listener, jailed.status], min(left, LOOK))
            self._check_listener(jailed, ready.get(jailed.listener, 0), startup)
            for stream in ready.keys() & streams:
                chunk = os.read(stream, 1 << 20)
                if not chunk:
                    streams.remove(stream)
                elif stream == messages:
                    _report(chunk, progress)
                else:
                    said += chunk
            if len(said) > MAX_OUTPUT:
                raise self._over("output", f"the compiler's answer is larger than {MAX_OUTPUT} bytes")
            # A closed stream is not the end: who closed it lives on, and is still to keep to time and filter. One that
            # stays open is no reason to wait either: a fork of this process may hold its other end.
            if jailed.status in ready and not (answer in streams and _kernel.readable([answer], 0)):
                break
        self._check_end(jailed)
        return said

    def _look(self, jailed: Jailed) -> None:
        """RLIMIT_DATA does not count everything (see `jailed.growth`)."""
        try:
            grown = growth(jailed)
        except (OSError, HostFault):
            # It has ended; its answer says more.
            return
        if grown > self.memory:
            raise self._out_of_memory()

    def _check_listener(self, jailed: Jailed, ready: int, startup: list[str]) -> None:
        """Answer what a program asks once at its start; record anything else, and have it killed."""
        if ready & (select.POLLNVAL | select.POLLERR):
            self.record(process.LAYER, "sensor.lost", {})
            raise HostFault("the seccomp listener is gone; the compiler was killed")
        notification = _kernel.receive_notification(jailed.listener) if ready & select.POLLIN else None
        if notification is None:
            return
        name = process.syscall_name(notification.arch, notification.number)
        if name in startup:
            startup.remove(name)
            _kernel.answer_notification(jailed.listener, notification, errno.ENOENT)
            return
        self.record(process.LAYER, "seccomp.denied", {"syscall": name, "number": notification.number})
        raise Escaped(
            f"the compiler tried {name}, which its filter does not allow, and was killed",
            refusals=(Refusal(layer=process.LAYER, rule="seccomp", item=name),),
        )

    def _check_end(self, jailed: Jailed) -> None:
        died = read_status(jailed.status)
        if died.code == _OUT_OF_MEMORY:
            raise self._out_of_memory()
        if died.signal == signal.SIGSYS:
            self.record(process.LAYER, "seccomp.denied", {"syscall": "of a foreign architecture"})
            item = "a system call of a foreign architecture"
            raise Escaped(
                f"the compiler tried {item} and was killed",
                refusals=(Refusal(layer=process.LAYER, rule="architecture", item=item),),
            )
        if died.code or died.signal:
            self.record("host", "compile.died", {"code": died.code, "signal": died.signal})
            raise HostFault(f"the compiler died: exit code {died.code}, signal {died.signal}")

    def _out_of_memory(self) -> LimitExceeded:
        message = f"compiling needs more than {self.memory} bytes"
        if self.memory >= headroom.MOST:
            return self._over("memory", message, "no program gets more; build it smaller, without debug information")
        message = f"{message}, which is what this machine can give now"
        return self._over("memory", message, "free memory, or raise the memory limit of the cgroup: half of it is used")

    def _over(self, limit: str, message: str, hint: str = "") -> LimitExceeded:
        """A limit that was met, recorded; the compiler is killed as the error goes up."""
        self.record(process.LAYER, f"limit.{limit}", {"message": message})
        return LimitExceeded(message, limit=limit, hint=hint)

    def record(self, layer: str, event: str, tried: Mapping[str, object]) -> None:
        """Make durable what the compiler, or the program through it, tried."""
        about = {"compiling": self.digest, **tried}
        self.log.append(Event(run="", plan="", layer=layer, event=event, tried=about, done={"compiled": False}))


def _report(data: bytes, progress: Progress) -> None:
    """Lines of two numbers; anything else is not ours to show."""
    for line in data.splitlines():
        words = line.split()
        if len(words) == 2 and all(word.isdigit() and len(word) < 12 for word in words):
            progress(int(words[0]), int(words[1]))


def split(answer: bytes | bytearray) -> tuple[Mapping[str, Any], memoryview]:
    """Header and code of an answer.

    Raises:
        HostFault: it is not one.
    """
    end = answer.find(b"\n", 0, MAX_HEADER)
    if end < 0:
        raise HostFault("the compiler's answer has no header")
    code = memoryview(answer)[end + 1 :]
    try:
        header = json.loads(answer[:end])
        sound = header["status"] == "rejected" or header["artifact_bytes"] == len(code) > 0
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise HostFault("the compiler's answer is not one") from error
    if not sound:
        raise HostFault("the compiler's answer is incomplete")
    return header, code


def _check_description(digest: str, header: Mapping[str, Any]) -> None:
    """Nothing is kept that could not be read again."""
    try:
        component.from_header(digest, header)
    except (KeyError, TypeError) as error:
        raise HostFault("the compiler's answer has no description") from error


def rejected(header: Mapping[str, Any]) -> InputError | Refused:
    """The error that a rejection means."""
    message = escape(str(header.get("message", ""))[:MAX_MESSAGE])
    names = header.get("imports")
    if header.get("kind") == "foreign-imports" and isinstance(names, list):
        imports = [escape(str(name)) for name in names]
        return Refused(message, refusals=wasi.refusals(imports), hint="a core module may import WASI preview 1 only")
    return InputError(f"not a program that can run: {message}")
