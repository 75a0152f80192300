"""Which modules the guest has: all of CPython's standard library except what is listed here, with the reason.

A module must be loaded at build, because a brane has no library on disk to load it from. The list is
complete: a module that cannot be imported and is not listed fails the build.
"""

import importlib
import os
import pkgutil
import sys
from collections.abc import Iterator

# Each name stands for itself and everything below it. The reason is what a failing import is told.
LEFT_OUT = {
    "its C library is not in this Python: use zlib or gzip": (
        "bz2",
        "compression.bz2",
        "compression.lzma",
        "compression.zstd",
        "encodings.bz2_codec",
        "lzma",
    ),
    "TLS is not in this Python, and a brane has no network of its own": ("ssl",),
    "a brane cannot load native code": ("ctypes",),
    "its database library is not in this Python: use sqlite3, dbm.sqlite3 or dbm.dumb": (
        "dbm.gnu",
        "dbm.ndbm",
    ),
    "a brane has no terminal": ("_pyrepl", "curses", "pty", "readline", "termios", "tty"),
    "a brane has no screen": ("idlelib", "tkinter", "turtle", "turtledemo"),
    "a brane has no users and groups": ("grp", "pwd"),
    "WASI has no such system calls": ("fcntl", "mmap", "resource", "syslog"),
    "a brane has one process, one thread and one interpreter": (
        "asyncio.tools",
        "concurrent.futures.interpreter",
        "concurrent.interpreters",
        "multiprocessing.forkserver",
        "multiprocessing.heap",
        "multiprocessing.popen_fork",
        "multiprocessing.popen_forkserver",
        "multiprocessing.popen_spawn_posix",
        "multiprocessing.popen_spawn_win32",
        "multiprocessing.resource_tracker",
        "multiprocessing.shared_memory",
        "multiprocessing.sharedctypes",
        "multiprocessing.synchronize",
    ),
    "nothing can be installed in a brane": ("ensurepip", "venv"),
    "it is for another operating system": (
        "_aix_support",
        "_android_support",
        "_apple_support",
        "_ios_support",
        "_osx_support",
        "asyncio.windows_events",
        "asyncio.windows_utils",
        "encodings.mbcs",
        "encodings.oem",
        "msvcrt",
        "winreg",
        "winsound",
    ),
    "its implementation in C is used instead": ("_pydatetime", "_pydecimal", "_pyio"),
    "importing it has an effect and gives nothing": ("__hello__", "__phello__", "antigravity", "this"),
}
REASONS = {name: reason for reason, names in LEFT_OUT.items() for name in names}
NOT_BUILT = "it is not in CPython's build for WASI"
ADVICE = (
    "this Python has the standard library and nothing else, and nothing can be installed; "
    "do it with the standard library, or put what is needed into the one source text"
)


def why_absent(name: str) -> str:
    """What to tell somebody who imports a top-level module that is not there."""
    return REASONS.get(name) or (NOT_BUILT if name in sys.stdlib_module_names else ADVICE)


def load_all() -> None:
    """Import the library; ImportError names a module that `LEFT_OUT` should have."""
    for name in library(os.path.dirname(pkgutil.__file__)):
        importlib.import_module(name)


def library(folder: str, prefix: str = "") -> Iterator[str]:
    """The dotted names of the modules in a folder that are to be loaded."""
    for module in pkgutil.iter_modules([folder]):
        name = prefix + module.name
        if name in REASONS or module.name == "__main__":
            continue
        yield name
        if module.ispkg:
            yield from library(os.path.join(folder, module.name), name + ".")
