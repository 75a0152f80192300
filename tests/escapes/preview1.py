"""Core modules that call WASI preview 1 by hand, where a C library would refuse before the host is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import branes

if TYPE_CHECKING:
    from escapes.lab import Ended, Lab

#: The first directory that a guest is given (WASI preview 1).
FIRST = 3
_MODULE = """(module
    (import "wasi_snapshot_preview1" "path_open"
        (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\\40\\00\\00\\00{length}\\00\\00\\00")
    (data (i32.const 64) "{word}")
    (data (i32.const 256) "{path}")
    (func (export "_start")
        (call $open (i32.const {first}) (i32.const 1) (i32.const 256) (i32.const {size})
            (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 32))
        (if (i32.eqz) (then (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))))"""


def open_path(path: str, word: str) -> str:
    """Opens `path` in the first directory, and writes `word` if that can be."""
    size = len(path.encode())
    return _MODULE.format(length=f"\\{len(word):02x}", word=word, path=path, first=FIRST, size=size)


def run(lab: Lab, text: str) -> Ended:
    """Runs it with /data, where `a.txt` is."""
    return lab.guest(lambda: branes.run(text.encode(), files={"a.txt": b"content"}))
