"""What an ELF header says (elf(5)): for which machine a program is, and whether it needs a dynamic loader.

Pure, and without a module of this package: `hatch_build.py` loads it by its path, where nothing is installed.
"""

from __future__ import annotations

from typing import Final

_MACHINES: Final = {62: "x86_64", 183: "aarch64"}
_PT_INTERP: Final = 3
_HEADER: Final = 64


def is_static(elf: bytes) -> bool:
    """Whether `elf` is a 64-bit little-endian ELF file with no program header PT_INTERP."""
    if elf[:6] != b"\x7fELF\x02\x01" or len(elf) < _HEADER:
        return False
    start = int.from_bytes(elf[32:40], "little")
    size, count = (int.from_bytes(elf[at : at + 2], "little") for at in (54, 56))
    kinds = [int.from_bytes(elf[start + n * size : start + n * size + 4], "little") for n in range(count)]
    return _PT_INTERP not in kinds


def machine(elf: bytes) -> str:
    """The machine that `elf` is for, as platform.machine() names it."""
    return _MACHINES.get(int.from_bytes(elf[18:20], "little"), "another machine")
