"""W24: use a feature of WebAssembly that is switched off: refused by its name, and no code of the program runs."""

import branes
from escapes.canaries import Nonce, Word
from escapes.harness import Guest, Row, Run, language
from escapes.lab import Ended, Lab

SOUND = """(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 8) "\\10\\00\\00\\00\\06\\00\\00\\00canary")
    {}
    (func (export "_start") {} (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 24)))))"""
COMPONENT = '(component (import "f" (func {})))'

#: The feature as the answer names it, what stands beside the functions, and what stands in one.
MODULES = (
    ("struct", "gc", "(type $s (struct))", "(drop (struct.new $s))"),
    ("array", "gc", "(type (array i8))", ""),
    ("i31", "gc", "", "(drop (ref.i31 (i32.const 1)))"),
    ("anyref", "gc", "(table 1 anyref)", ""),
    ("recursive-types", "gc", "(rec (type (func)) (type (func (param i32))))", ""),
    ("shared-memory", "threads", "(memory 1 1 shared)", ""),
    ("atomics", "threads", "", "(drop (i32.atomic.load (i32.const 0)))"),
    ("continuations", "stack-switching", "(type $f (func)) (type (cont $f))", ""),
    ("wide-arithmetic", "wide arithmetic", "", "(i64.mul_wide_s (i64.const 1) (i64.const 1)) (drop) (drop)"),
)
COMPONENTS = (
    ("async-function", "cm-async", "async"),
    ("stream", "cm-async", '(param "x" (stream u8))'),
    ("future", "cm-async", '(param "x" (future u8))'),
    ("error-context", "cm-error-context", '(param "x" error-context)'),
)


def upload(text: str, feature: str = "") -> Run:
    def run(lab: Lab, _canary: Nonce) -> Ended:
        ended = lab.guest(lambda: branes.run(text.encode()))
        if feature:
            (record,) = ended.records
            assert feature in str(record.tried["message"]), "the answer names the feature"
        return ended

    return Run(text, run)


def refused(name: str, feature: str, text: str) -> Guest:
    return Guest(
        name=name,
        expected=language("component.rejected", "bad-input", before_start=True, kind="unsupported"),
        run=upload(text, feature),
        without=upload(SOUND.format("", "")),
        differs="what is switched off cannot run anywhere here; the same program without it",
    )


ROW = Row(
    id="W24",
    title="a feature that is switched off",
    layers=("language",),
    canary=Word,
    attempts=(
        *(refused(name, feature, SOUND.format(beside, inside)) for name, feature, beside, inside in MODULES),
        *(refused(name, feature, COMPONENT.format(signature)) for name, feature, signature in COMPONENTS),
    ),
)
