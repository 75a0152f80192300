"""Real branes. Programs are text, so that what runs is what is read here."""

from __future__ import annotations

import os
import select
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from branes import runtime
from branes.audit import Record, tail

sys.path.insert(0, str(Path(__file__).parents[1]))  # components and types are shared with other tests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WASI = "wasi_snapshot_preview1"
_ECHO = f"""
(module
  (import "{_WASI}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "{_WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (loop $more
      (i32.store (i32.const 0) (i32.const 1024))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (i32.ne (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (i32.const 0))
        (then unreachable))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (i32.load (i32.const 8))
        (then
          (loop $rest
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
            (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 12))))
            (i32.store (i32.const 4) (i32.sub (i32.load (i32.const 4)) (i32.load (i32.const 12))))
            (br_if $rest (i32.load (i32.const 4))))
          (br $more))))))
"""
_SPIN = '(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))'
_TRAP = '(module (memory (export "memory") 1) (func (export "_start") unreachable))'
_NO_COMMAND = '(component (core module $m (func (export "f"))))'
_FOREIGN = '(component (import "evil:host/anything" (instance)))'


def _exit(code: int) -> bytes:
    return f"""
(module
  (import "{_WASI}" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const {code}))))
""".encode()


def _print(what: str) -> bytes:
    """Prints `args` or `environ` as the guest gets them: texts, each with a NUL after it."""
    return f"""
(module
  (import "{_WASI}" "{what}_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "{_WASI}" "{what}_get" (func $get (param i32 i32) (result i32)))
  (import "{_WASI}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (drop (call $sizes (i32.const 16) (i32.const 4)))
    (drop (call $get (i32.const 1024) (i32.const 8192)))
    (i32.store (i32.const 0) (i32.const 8192))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
""".encode()


@pytest.fixture(scope="session")
def programs() -> SimpleNamespace:
    return SimpleNamespace(
        echo=_ECHO.encode(),
        spin=_SPIN.encode(),
        trap=_TRAP.encode(),
        no_command=_NO_COMMAND.encode(),
        foreign=_FOREIGN.encode(),
        exit=_exit,
        print_args=_print("args"),
        print_env=_print("environ"),
    )


@pytest.fixture(scope="session")
def records() -> Callable[[str], list[Record]]:
    """The records of a run, oldest first."""

    def find(run: str) -> list[Record]:
        return [record for record in tail(runtime.runtime().state.audit, 500) if record.run == run]

    return find


@pytest.fixture(scope="session")
def dies() -> Callable[[int], object]:
    """Checks that the process is dead when the block ends."""

    @contextmanager
    def check(pid: int) -> Iterator[None]:
        pidfd = os.pidfd_open(pid)
        try:
            yield
            assert select.select([pidfd], [], [], 30)[0], "the brane lives"
        finally:
            os.close(pidfd)

    return check
