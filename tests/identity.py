"""Components that give back what they are called with, for any types: text, so that what runs is what is read here.

A function takes a value, a number, and so much else that the canonical ABI passes all of it in memory, the value first
and the number after it. It returns value and number as a tuple, which the ABI has in memory in just the same way: the
code of every function is to return its argument, a pointer. Nothing here knows the layout of any type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from branes import wit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from branes.wit import Type

_MODULE = """
  (core module $code
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 65536))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then
            (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
            (br $more))))
      (local.get $at))
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "pair") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "last") (param i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 2))
      (i32.store (i32.const 20) (local.get 3))
      (i32.const 16))
    (func (export "first") (param i32 i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 2))
      (i32.const 16))
    (func (export "length") (param i32 i32) (result i32) (local.get 1))
    (func (export "nothing") (param i32 i32))
    (func (export "well") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (i32.const 0))
      (i32.store (i32.const 20) (local.get 0))
      (i32.store (i32.const 24) (local.get 1))
      (i32.const 16))
    (func (export "ill") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (i32.const 1))
      (i32.store (i32.const 20) (local.get 0))
      (i32.store (i32.const 24) (local.get 1))
      (i32.const 16))
    (func (export "many") (param i32) (result i32)
      (i32.store (i32.const 16) (i32.const 1024))
      (i32.store (i32.const 20) (local.get 0))
      (drop (memory.grow (i32.const 512)))
      (i32.const 16))
    (func (export "count") (result i32)
      (global.set $next (i32.add (global.get $next) (i32.const 1)))
      (i32.sub (global.get $next) (i32.const 65536)))
    (func (export "trap") unreachable))
  (core instance $code (instantiate $code))"""
_REST = " ".join(["u64"] * 16)


def component(types: Sequence[Type]) -> bytes:
    """A component with functions `f0`, `f1`, ..., one a type, each `func(x: T, n: u64, rest: ...) -> tuple<T, u64>`."""
    names = _Names()
    functions = []
    for index, of in enumerate(types):
        written = names.of(of)
        params = f'(param "x" {written}) (param "n" u64) (param "rest" (tuple {_REST}))'
        functions.append(_lifted(f"f{index}", "same", f"{params} (result (tuple {written} u64))"))
    return "\n".join(["(component", _MODULE, *names.lines, *functions, ")"]).encode()


def moving() -> bytes:
    """A component with functions of bytes, text and numbers, and some that fail or count."""
    return "\n".join(
        [
            "(component",
            _MODULE,
            _lifted("bytes", "pair", '(param "x" (list u8)) (result (list u8))'),
            _lifted("as-text", "pair", '(param "x" (list u8)) (result string)'),
            _lifted("as-bytes", "pair", '(param "x" string) (result (list u8))'),
            _lifted("last", "last", '(param "x" (list u8)) (param "y" (list u8)) (result (list u8))'),
            _lifted("last-text", "last", '(param "x" (list u8)) (param "y" string) (result string)'),
            _lifted("last-bytes", "last", '(param "x" string) (param "y" (list u8)) (result (list u8))'),
            _lifted("first", "first", '(param "x" (list u8)) (param "n" u32) (result (list u8))'),
            _lifted("length", "length", '(param "x" (list u8)) (result u32)'),
            _lifted("nothing", "nothing", '(param "x" (list u8))'),
            _lifted("well", "well", '(param "x" (list u8)) (result (result (list u8) (error string)))'),
            _lifted("ill", "ill", '(param "x" (list u8)) (result (result (list u8) (error string)))'),
            _lifted("make", "many", '(param "n" u32) (result (list u8))'),
            _lifted("make-numbers", "many", '(param "n" u32) (result (list u16))'),
            _lifted("count", "count", "(result u32)"),
            _lifted("trap", "trap", ""),
            ")",
        ]
    ).encode()


def _lifted(name: str, core: str, signature: str) -> str:
    options = '(memory $code "memory") (realloc (func $code "realloc"))'
    return f'  (func (export "{name}") {signature} (canon lift (core func $code "{core}") {options}))'


class _Names:
    """Types in the text format; those that must have a name are exported under one."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def of(self, of: Type) -> str:
        match of:
            case wit.Primitive(name):
                return name
            case wit.List(inner):
                return f"(list {self.of(inner)})"
            case wit.Tuple(parts):
                return f"(tuple {' '.join(map(self.of, parts))})"
            case wit.Option(inner):
                return f"(option {self.of(inner)})"
            case wit.Result(ok, err):
                sides = ["" if ok is None else self.of(ok), "" if err is None else f"(error {self.of(err)})"]
                return f"(result {' '.join(sides)})"
        return self._named(of)

    def _named(self, of: Type) -> str:
        match of:
            case wit.Record(fields):
                body = "record " + " ".join(f'(field "{name}" {self.of(inner)})' for name, inner in fields)
            case wit.Variant(cases):
                written = (f'(case "{name}"{"" if inner is None else f" {self.of(inner)}"})' for name, inner in cases)
                body = "variant " + " ".join(written)
            case wit.Enum(names):
                body = "enum " + " ".join(f'"{name}"' for name in names)
            case wit.Flags(names):
                body = "flags " + " ".join(f'"{name}"' for name in names)
            case _:
                raise AssertionError(of)
        number = len(self.lines)
        self.lines.append(f'  (type $t{number} ({body})) (export $n{number} "n{number}" (type $t{number}))')
        return f"$n{number}"
