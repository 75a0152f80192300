"""What this machine offers: probes for `brane doctor`, each done by trying, or by reading the kernel's own view.

A probe returns a `Check` and raises nothing: what cannot be found out is not ok. Probes that change a process do so in
a child of their own. Nothing here decides whether a brane may run; `spawn` looks at each one for itself.
"""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from branes.host import installed, limits, namespaces, syscalls
from branes.host.check import Check, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.state import StateDir

__all__ = ["Check", "probe"]


def probe(state: StateDir) -> Iterator[Check]:
    """All checks, one after the other."""
    yield installed.machine(platform.system(), platform.machine(), installed.built_for())
    yield syscalls.kernel(platform.release())
    user = namespaces.user_namespaces()
    yield user
    yield from namespaces.other_namespaces() if user.ok else ()
    own = {name: read(f"/proc/self/{name}") for name in ("uid_map", "gid_map", "status")}
    yield namespaces.id_range(os.geteuid(), own["uid_map"], own["gid_map"], status=own["status"])
    yield from syscalls.seccomp()
    yield installed.libseccomp()
    yield syscalls.clone3()
    yield syscalls.pidfd_getfd()
    yield syscalls.memfd()
    yield syscalls.keyring()
    yield namespaces.proc(read("/proc/self/mountinfo"))
    yield from limits.demands()
    yield installed.executables()
    yield installed.audit_log(state)
    yield limits.cgroups(read("/proc/self/cgroup"))
