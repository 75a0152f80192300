"""WebAssembly exceptions, which C++ programs are published with: caught, not caught, and too many of them."""

import pytest

import branes
from branes.errors import LimitExceeded, Trapped

#: Throws a number, catches it, and exits with it.
CAUGHT = """(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (tag $thrown (param i32))
    (func $deep (param i32) (throw $thrown (local.get 0)))
    (func (export "_start")
        (block $caught (result i32)
            (try_table (catch $thrown $caught) (call $deep (i32.const 7)))
            (i32.const 1))
        (call $exit)))"""
UNCAUGHT = """(module
    (memory (export "memory") 1)
    (tag $thrown)
    (func (export "_start") (throw $thrown)))"""
#: Throws and drops what it catches, many times over.
DROPPED = """(module
    (memory (export "memory") 1)
    (tag $thrown (param i64))
    (func (export "_start") (local $count i32)
        (loop $again
            (block $caught (result i64 exnref)
                (try_table (catch_ref $thrown $caught) (throw $thrown (i64.const 1)))
                (unreachable))
            (drop) (drop)
            (local.set $count (i32.add (local.get $count) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $count) (i32.const 1000000))))))"""
#: Each exception holds the one before, for ever.
KEPT = """(module
    (memory (export "memory") 1)
    (tag $thrown (param exnref))
    (func (export "_start") (local $last exnref)
        (loop $again
            (block $caught (result exnref exnref)
                (try_table (catch_ref $thrown $caught) (throw $thrown (local.get $last)))
                (unreachable))
            (local.set $last) (drop)
            (br $again))))"""


def test_an_exception_is_caught_with_what_it_carries() -> None:
    assert branes.run(CAUGHT.encode()).exit_code == 7


def test_an_exception_that_nobody_catches_is_a_trap() -> None:
    with pytest.raises(Trapped, match="exception"):
        branes.run(UNCAUGHT.encode())


def test_exceptions_that_are_dropped_cost_nothing() -> None:
    assert branes.run(DROPPED.encode(), memory="16MiB").exit_code == 0


def test_exceptions_that_are_kept_count_against_the_memory_limit() -> None:
    with pytest.raises(LimitExceeded) as exceeded:
        branes.run(KEPT.encode(), memory="64MiB")
    assert exceeded.value.limit == "memory"
    assert exceeded.value.completed is not None
    assert exceeded.value.completed.usage.max_rss < 160 << 20
