"""What must differ from one instance to the next, though all start from the same saved interpreter.

The saved heap holds the seeds, clocks, paths and streams of the machine that built it. `detach_from_build` removes
what may not be used at all, at build; `begin` renews what each instance needs of its own. One thing cannot be renewed:
the secret of string hashes, on which every existing dict depends. It is the same for all instances of a build.
"""

import io
import logging
import multiprocessing.process
import os
import random
import sys
import tempfile
import time
import uuid

_begun = False


def detach_from_build() -> None:
    """Forget the paths of the build and open the standard streams as a script expects them."""
    sys.path[:] = [""]
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = True
    sys.stdin = sys.__stdin__ = standard_stream(0, "stdin", "strict")
    sys.stdout = sys.__stdout__ = standard_stream(1, "stdout", "strict")
    sys.stderr = sys.__stderr__ = standard_stream(2, "stderr", "backslashreplace")


def standard_stream(descriptor: int, name: str, errors: str) -> io.TextIOWrapper:
    """A UTF-8 text stream; written lines leave at once, whatever the interpreter was told at build."""
    mode = "r" if descriptor == 0 else "w"
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = f"<{name}>"
    binary = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(binary, "utf-8", errors, line_buffering=mode == "w")
    stream.mode = mode
    return stream


def begin_once() -> None:
    """Begin, unless that is done; the runtime has put the environment into `os.environ` before the first call."""
    if not _begun:
        begin(list(os.environ.items()))


def begin(environment: list[tuple[str, str]]) -> None:
    """Give this instance its environment and chance, time and names of its own."""
    global _begun
    _begun = True
    os.environ.clear()
    os.environ.update(environment)
    random.seed(os.urandom(32))
    tempfile._name_sequence = tempfile.tempdir = None
    uuid._node = uuid._last_timestamp = uuid._last_timestamp_v7 = None
    uuid._last_counter_v7 = 0
    multiprocessing.process.current_process().authkey = os.urandom(32)
    logging._startTime = time.time_ns()
