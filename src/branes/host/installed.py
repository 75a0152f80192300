"""Probes of what is installed: executables for this machine, libseccomp, a log that can be written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from branes import _elf, _executables
from branes.errors import BranesError
from branes.host.check import Check

if TYPE_CHECKING:
    from branes.state import StateDir

_EXECUTABLES: Final = ("brane-compile", "brane-jail", "brane-worker")


def machine(system: str, arch: str, built_for: str) -> Check:
    """Linux, on a processor that the executables were built for."""
    ok = system == "Linux" and arch == built_for
    hint = "" if ok else "install the package that was built for this machine; only Linux can run branes"
    return Check(name="machine", ok=ok, detail=f"{system} on {arch}, executables for {built_for}", hint=hint)


def executables() -> Check:
    """What ships is there, runs here and needs no library of this machine: its ELF header names no interpreter."""
    try:
        wrong = [name for name in _EXECUTABLES if not _elf.is_static(_executables.executable(name).read_bytes())]
        _executables.find("_guests", "python.wasm")
    except (BranesError, OSError) as error:
        return Check(name="executables", ok=False, detail=str(error), hint=getattr(error, "hint", ""))
    detail = f"not static: {', '.join(wrong)}" if wrong else f"{', '.join(_EXECUTABLES)}: static; the Python guest"
    return Check(name="executables", ok=not wrong, detail=detail, hint="reinstall branes from a wheel" if wrong else "")


def libseccomp() -> Check:
    """The library that makes the filters."""
    from branes.layers import process  # noqa: PLC0415 -- of this probe alone

    try:
        size = len(process.build_filter("brane"))
    except BranesError as error:
        return Check(name="libseccomp", ok=False, detail=error.message, hint=error.hint)
    return Check(name="libseccomp", ok=True, detail=f"makes a brane's filter, of {size // 8} instructions")


def audit_log(state: StateDir) -> Check:
    """The folder of the log can be written, has space, and the log's end is sound."""
    from branes import audit  # noqa: PLC0415 -- of this probe alone

    try:
        folder = state.audit if state.audit.exists() else state.root
        if not os.access(folder, os.W_OK | os.X_OK):
            return Check(name="audit log", ok=False, detail=f"{folder} cannot be written", hint="set BRANES_STATE")
        space = os.statvfs(folder)
        free = space.f_bavail * space.f_frsize
        records = audit.tail(state.audit, 2) if state.audit.exists() else []
    except (BranesError, OSError) as error:
        return Check(name="audit log", ok=False, detail=str(error), hint=getattr(error, "hint", ""))
    follows = len(records) < 2 or records[1].prev == records[0].digest
    ok = follows and free > (1 << 20)
    detail = f"{state.audit}: {records[-1].seq if records else 0} records, {free >> 20} MiB free"
    hint = "" if ok else "free space there" if follows else "`brane audit verify` names the first fault"
    return Check(name="audit log", ok=ok, detail=detail if follows else f"{detail}; its end is broken", hint=hint)


def built_for() -> str:
    """The machine that the executables were built for, as platform.machine() names it."""
    try:
        return _elf.machine(_executables.executable("brane-worker").read_bytes())
    except (BranesError, OSError):
        return "nothing: they are missing"
