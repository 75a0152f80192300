"""What must differ from one instance to the next, though all start from the same saved interpreter.

The saved heap holds the seeds, clocks, paths and streams of the machine that built it. `detach_from_build`
removes what may not be used at all; `begin_once` renews, in the instance, what each needs of its own. Two things
are beyond it. The secret of string hashes, on which every existing dict depends, is the same in all instances
of a build. And `random()` in sqlite3's SQL is seeded with the clock, in seconds, alone.
"""

import builtins
import contextlib
import io
import logging
import multiprocessing.process
import os
import random
import sys
import tempfile
import time
import uuid

#: The directory that code may write, where the owner gives it: relative paths and temporary files are there.
SCRATCH = "/scratch"

_begun = False


def detach_from_build() -> None:
    """Forget the paths of the build and make the standard streams what a script expects them to be."""
    sys.path[:] = [""]
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = True
    sys.stdin = sys.__stdin__ = standard_stream(0, "stdin", "strict")
    sys.stdout = sys.__stdout__ = standard_stream(1, "stdout", "strict")
    sys.stderr = sys.__stderr__ = standard_stream(2, "stderr", "backslashreplace")
    # Those of `site` close standard input, which would be gone for the calls that follow.
    builtins.exit = builtins.quit = sys.exit


def standard_stream(descriptor: int, name: str, errors: str) -> io.TextIOWrapper:
    """A UTF-8 text stream; written lines leave at once. The build's own are unbuffered, a call each write."""
    mode = "r" if descriptor == 0 else "w"
    raw = io.FileIO(descriptor, mode, closefd=False)
    raw.name = f"<{name}>"
    binary = io.BufferedReader(raw) if mode == "r" else io.BufferedWriter(raw)
    stream = io.TextIOWrapper(binary, "utf-8", errors, line_buffering=mode == "w")
    stream.mode = mode
    return stream


def renew_input() -> None:
    """Give a run standard input of its own: what the last one left unread, or its end, is not this one's."""
    replaced = sys.stdin is not sys.__stdin__
    try:
        sys.__stdin__ = standard_stream(0, "stdin", "strict")
    except OSError:
        # A run closed the descriptor itself, as `with open(0)` does, and there is no way to get it back.
        sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), "utf-8")
    if not replaced:
        sys.stdin = sys.__stdin__


def begin_once() -> None:
    """Give this instance chance, time and names of its own, unless it has them.

    The runtime has filled `os.environ` by the first call.
    """
    global _begun
    if not _begun:
        _begun = True
        with contextlib.suppress(OSError):
            os.chdir(os.environ.get("PWD", SCRATCH))
        renew_seeds()
        settle_temporary_files()


def renew_seeds() -> None:
    """Replace what was drawn or read when the modules were loaded, or by code that ran before a fork."""
    random.seed(os.urandom(32))
    multiprocessing.process.current_process().authkey = os.urandom(32)
    tempfile._name_sequence = tempfile.tempdir = None
    uuid._node = uuid._last_timestamp = uuid._last_timestamp_v7 = None
    uuid._last_counter_v7 = 0
    logging._startTime = time.time_ns()


def settle_temporary_files() -> None:
    """Have `tempfile` use the scratch directory, wherever code goes; what the environment names comes first."""
    if not any(name in os.environ for name in ("TMPDIR", "TEMP", "TMP")) and os.path.isdir(SCRATCH):
        tempfile.tempdir = SCRATCH
