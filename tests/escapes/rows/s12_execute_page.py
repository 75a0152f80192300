"""S12: make machine code at run time and jump to it."""

from escapes.harness import Native, Row, call, denied

READ_IMPLIES_EXEC, SHM_EXEC = 0x0400000, 0o100000
PROT_EXEC, MAP_PRIVATE_ANONYMOUS = 4, 0x22

ROW = Row(
    id="S12",
    title="run machine code that was made here",
    layers=("process",),
    attempts=(
        Native(name="mprotect", expected=denied("mprotect")),
        Native(name="mmap", expected=denied("mmap", 0, 4096, 7)),
        Native(name="pkey_mprotect", expected=denied("pkey_mprotect")),
        call("mmap", 0, 4096, PROT_EXEC, MAP_PRIVATE_ANONYMOUS, -1, 0),
        call("mmap", 0, 4096, PROT_EXEC | 1 << 32, MAP_PRIVATE_ANONYMOUS, -1, 0),
        call("mprotect", 4096, 4096, PROT_EXEC | 0x01000000),
        call("personality", READ_IMPLIES_EXEC),
        call("shmat", 0, 0, SHM_EXEC),
        call("modify_ldt", 1, 0, 0),
        call("remap_file_pages", 4096, 4096, 0, 0, 0),
    ),
)
