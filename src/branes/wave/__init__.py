"""Values as text, in WAVE (the WebAssembly Value Encoding), guided by the type. Pure.

The notation is the one that the wasm-wave crate of wasm-tools documents: `1`, `"text"`, `[1, 2]`, `(1, "x")`,
`{field: 1}`, `{flag-a, flag-b}`, `circle(1.5)`, `some(1)`, `none`, `ok(1)`, `err("x")`. Errors are `UsageError`s that
name the column, what was got and what was expected. Text is at most `MAX_TEXT` characters; depth is that of the type.
"""

from __future__ import annotations

from branes.wave.read import MAX_TEXT, parse, parse_call
from branes.wave.write import text

__all__ = ["MAX_TEXT", "parse", "parse_call", "text"]
