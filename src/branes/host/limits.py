"""Probes of limits: of what this process may use (`branes.demands`), and who could hold the processor's share."""

from __future__ import annotations

import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

from branes.demands import DEMANDS, Demand
from branes.host.check import Check, read

if TYPE_CHECKING:
    from collections.abc import Iterator


def demands() -> Iterator[Check]:
    """Each limit that a template asks something of."""
    for demand in DEMANDS:
        yield judged(demand, *resource.getrlimit(demand.number))


def judged(demand: Demand, soft: int, hard: int) -> Check:
    """Whether a limit leaves room for what a brane needs."""
    lacking = demand.lacking(soft, hard)
    limit = hard if demand.hard else soft
    detail = "no limit" if limit == resource.RLIM_INFINITY else f"{limit} {demand.unit} at most"
    return Check(name=demand.name, ok=not lacking, detail=detail, hint=demand.way_out if lacking else "")


def cgroups(own: str, root: Path = Path("/sys/fs/cgroup")) -> Check:
    """Whether cgroup v2 controllers are this user's to use. Not required."""
    path = next((line[3:] for line in own.splitlines() if line.startswith("0::")), None)
    folder = root / path.lstrip("/") if path else None
    controllers = read(folder / "cgroup.controllers").split() if folder else []
    is_ours = folder is not None and os.access(folder / "cgroup.subtree_control", os.W_OK)
    held = "cpu is not held; memory is held by RLIMIT_DATA, by the guest's own limits and by the owner's look"
    ok = is_ours and {"cpu", "memory", "pids"} <= set(controllers)
    seen = f"delegated: {' '.join(controllers)}; not used yet" if ok else "controllers are not delegated to this user"
    return Check(name="cgroup v2", ok=ok, detail=f"{seen}; {held}", required=False)
