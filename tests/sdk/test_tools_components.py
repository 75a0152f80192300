"""Tools of a component that no one wrote in Python: the interface of `guests/wit/tools.wit`, by name and type."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import branes
from branes import aio, errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from branes.audit import Record

    Records = Callable[[str], list[Record]]

#: Calls `search` with what its data says, and returns the length of the answer's text, 100 more for an error, as
#: its exit code; the number of names is 10 more each.
COMPONENT = b"""
(component
  (import "branes:tools/tools@0.1.0" (instance $tools
    (export "call" (func (param "name" string) (param "arguments" string) (result (result string (error string)))))
    (export "names" (func (result (list string))))))
  (import "wasi:cli/exit@0.2.0" (instance $cli
    (export "exit-with-code" (func (param "status-code" u8)))))
  (core module $memory
    (memory (export "memory") 2)
    (global $free (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
      (global.set $free (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $memory (instantiate $memory))
  (core func $call (canon lower (func $tools "call") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $names (canon lower (func $tools "names") (memory $memory "memory") (realloc (func $memory "realloc"))))
  (core func $exit (canon lower (func $cli "exit-with-code")))
  (core module $main
    (import "host" "memory" (memory 1))
    (import "host" "call" (func $call (param i32 i32 i32 i32 i32)))
    (import "host" "names" (func $names (param i32)))
    (import "host" "exit" (func $exit (param i32)))
    (data (i32.const 16) "search")
    (data (i32.const 32) "{\\"args\\":[\\"x\\"],\\"kwargs\\":{}}")
    (func (export "run") (result i32)
      (call $names (i32.const 80))
      (call $call (i32.const 16) (i32.const 6) (i32.const 32) (i32.const 26) (i32.const 64))
      (call $exit
        (i32.add
          (i32.add (i32.mul (i32.load8_u (i32.const 64)) (i32.const 100)) (i32.load (i32.const 72)))
          (i32.mul (i32.load (i32.const 84)) (i32.const 10))))
      (i32.const 0)))
  (core instance $main (instantiate $main (with "host" (instance
    (export "memory" (memory $memory "memory"))
    (export "call" (func $call))
    (export "names" (func $names))
    (export "exit" (func $exit))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $exports (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $exports)))
"""
REFUSAL = len('{"type":"PermissionError","message":"no tool of this name is granted"}')


def test_a_component_calls_a_tool_through_the_interface() -> None:
    got: list[str] = []

    def search(text: str) -> str:
        got.append(text)
        return "found"

    done = branes.run(COMPONENT, tools={"search": search})
    assert (done.exit_code, got) == (10 + len('"found"'), ["x"])


def test_a_component_that_may_not_call_a_tool_is_refused_at_the_call(records: Records) -> None:
    done = branes.run(COMPONENT, tools={"other": len})
    assert done.exit_code == 100 + 10 + REFUSAL
    assert [denial.tried for denial in done.denials] == ["branes:tools/tools@0.1.0 call search"]
    assert "wasi.denied" in [record.event for record in records(done.run)]
    assert branes.run(COMPONENT, grants=["branes:tools"]).exit_code == 100 + REFUSAL


def test_a_component_that_imports_tools_does_not_start_without_them() -> None:
    with pytest.raises(errors.Refused) as caught:
        branes.run(COMPONENT)
    (refusal,) = caught.value.refusals
    assert (refusal.item, refusal.change) == ("branes:tools/tools@0.1.0", "--grant branes:tools/tools")


def test_denied_the_interface_refuses_even_what_was_given() -> None:
    with pytest.raises(errors.Trapped):
        branes.run(COMPONENT, tools={"search": len}, denials=["branes:tools"])


def test_an_interface_of_another_shape_is_refused_before_it_starts() -> None:
    other = COMPONENT.replace(b"(result (result string (error string)))", b"(result string)")
    with pytest.raises(errors.Refused, match="types do not match"):
        branes.run(other, tools={"search": len})


#: The same as a function that is called, and may be called again.
LIBRARY = (
    COMPONENT[: COMPONENT.index(b"  (func $run (result (result))")].replace(b"(call $exit", b"(return")
    + b'  (func $ask (result u32) (canon lift (core func $main "run")))\n  (export "ask" (func $ask)))'
)


def test_an_open_component_calls_tools_in_each_of_its_calls(records: Records) -> None:
    got: list[str] = []
    with branes.open(LIBRARY, preset="command", tools={"search": got.append}) as app:
        assert [app.call("ask"), app.call("ask")] == [10 + len("null")] * 2
        assert app._brane
        run = app._brane.conduct.run
    assert got == ["x", "x"]
    assert [record.event for record in records(run)].count("tool.called") == 2


def test_an_open_component_is_opened_with_coroutine_functions_in_a_loop_alone() -> None:
    async def search(text: str) -> str:
        return text

    async def main() -> int:
        async with aio.open(LIBRARY, preset="command", tools={"search": search}) as app:
            found: int = await app.call("ask")
            return found

    with pytest.raises(errors.UsageError, match="coroutine function"):
        branes.open(LIBRARY, preset="command", tools={"search": search})
    assert asyncio.run(main(), debug=True) == 10 + len('"x"')
