"""A WebAssembly module byte by byte, for tests that break it: a command that writes "canary" to standard output.

Sections and their order are those of the WebAssembly specification, "Binary Format, Modules".
"""

from typing import Final

I32: Final = 0x7F
COMPONENT: Final = b"\0asm\x0d\0\x01\0"


def size(number: int) -> bytes:
    """An unsigned LEB128."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + size(rest) if rest else bytes([low])


def vector(*items: bytes) -> bytes:
    """How many, then each."""
    return size(len(items)) + b"".join(items)


def text(name: str) -> bytes:
    """How many bytes, then each."""
    return size(len(name)) + name.encode()


def section(number: int, content: bytes) -> bytes:
    """A section of a module or a component."""
    return bytes([number]) + size(len(content)) + content


def function_type(params: int, results: int) -> bytes:
    """Numbers of i32 in and out."""
    return b"\x60" + vector(*[bytes([I32])] * params) + vector(*[bytes([I32])] * results)


def constant(number: int) -> bytes:
    """`i32.const` of at most 63."""
    return bytes([0x41, number])


#: fd_write(1, 8, 1, 16), its result dropped.
BODY: Final = b"\0" + constant(1) + constant(8) + constant(1) + constant(24) + b"\x10\0\x1a\x0b"
#: At 8 address and length of the word, which is at 16.
DATA: Final = (16).to_bytes(4, "little") + (6).to_bytes(4, "little") + b"canary"

MODULE: Final = b"".join(
    (
        b"\0asm\1\0\0\0",
        section(1, vector(function_type(4, 1), function_type(0, 0))),
        section(2, vector(text("wasi_snapshot_preview1") + text("fd_write") + b"\0" + size(0))),
        section(3, vector(size(1))),
        section(5, vector(b"\0" + size(1))),
        section(7, vector(text("memory") + b"\2" + size(0), text("_start") + b"\0" + size(1))),
        section(10, vector(size(len(BODY)) + BODY)),
        section(11, vector(b"\0" + constant(8) + b"\x0b" + size(len(DATA)) + DATA)),
    )
)


def component(module: bytes) -> bytes:
    """A component that holds `module` and does nothing with it."""
    return COMPONENT + section(1, module)
