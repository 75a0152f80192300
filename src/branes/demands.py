"""What a template asks of the limits that it is started under, and the way out where the kernel refuses a step.

Pure: numbers and words. `branes.birth` refuses to start where the one that would show too late is missing, and
`branes.host` tells `brane doctor` about all of them; else they are heard of from the step that the kernel refused.
"""

from __future__ import annotations

import errno
import resource
from dataclasses import dataclass
from typing import Final

#: Bytes of a template's stack, soft and hard limit: what `crates/cage/src/birth.rs` sets.
STACK: Final = 40 << 20
#: Descriptors of one process: a brane parks those that it keeps from number 64 on (`crates/cage/src/seal.rs`).
OPEN_FILES: Final = 80
#: Bytes of address space: 10,000 memories, the runtime's own bound, reserve 4 GiB and their guards each. Less would be
#: noticed when a guest's code already runs, and look like its fault.
ADDRESS_SPACE: Final = 64 << 40
#: Bytes of one file: native code of the largest program, in the cache and in memory.
FILE_SIZE: Final = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """The least that a limit (getrlimit(2)) must be.

    Attributes:
        name: what it is a limit of.
        number: which limit: `resource.RLIMIT_*`.
        least: the least that it may be.
        unit: what it counts.
        hard: whether the hard limit is meant; the template sets the other itself.
        way_out: how to raise it.
    """

    name: str
    number: int
    least: int
    unit: str
    hard: bool
    way_out: str

    def lacking(self, soft: int, hard: int) -> str:
        """What there is of it, if that is too little, or ""."""
        limit = hard if self.hard else soft
        if limit == resource.RLIM_INFINITY or limit >= self.least:
            return ""
        return f"{limit} {self.unit} at most"


_OPEN_FILES: Final = Demand(
    name="open files",
    number=resource.RLIMIT_NOFILE,
    least=OPEN_FILES,
    unit="descriptors",
    hard=False,
    way_out="ulimit -n 1024, or more",
)
_STACK: Final = Demand(
    name="stack limit",
    number=resource.RLIMIT_STACK,
    least=STACK,
    unit="bytes",
    hard=True,
    way_out=f"ulimit -Hs {STACK >> 10} or more",
)
SPACE: Final = Demand(
    name="address space",
    number=resource.RLIMIT_AS,
    least=ADDRESS_SPACE,
    unit="bytes",
    hard=False,
    way_out="ulimit -v unlimited",
)
_FILE_SIZE: Final = Demand(
    name="file size",
    number=resource.RLIMIT_FSIZE,
    least=FILE_SIZE,
    unit="bytes",
    hard=False,
    way_out="ulimit -f unlimited",
)
DEMANDS: Final = (_OPEN_FILES, _STACK, SPACE, _FILE_SIZE)

#: The way out by what the kernel said, whatever the step.
_BY_ERRNO: Final = {
    errno.EMFILE: _OPEN_FILES.way_out,
    errno.ENFILE: "as root: raise the sysctl fs.file-max; the machine's open files are all in use",
    errno.EFBIG: _FILE_SIZE.way_out,
    errno.ENOMEM: f"{SPACE.way_out}; where it is already, the machine is out of memory",
    errno.EAGAIN: "ulimit -u unlimited, or more; or the machine's processes are all in use",
}
#: And by the step, whatever the kernel said: EPERM and EINVAL alone would name no setting.
_BY_STEP: Final = {"limit stack": _STACK.way_out, "park descriptor": _OPEN_FILES.way_out}


def way_out(step: str, code: int) -> str:
    """The setting to change where `step` was refused with errno `code`, or "" where only a look around finds it."""
    return _BY_STEP.get(step) or _BY_ERRNO.get(code, "")
