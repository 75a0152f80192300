"""What is brought into a brane as files: trees taken in before there is any, files and seeds written just before "go".

A tree is read once, whole, and held for as long as what was prepared with it. Late content is written into the memfd
that the brane maps already, and sealed; the brane reads nothing of it before "go" says how long it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from branes import runtime as runtimes
from branes.errors import HostFault
from branes.trees import late

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from branes.jailed import Jailed
    from branes.manifest import Manifest
    from branes.mounts import Mount
    from branes.trees.ingest import Tree
    from branes.trees.late import Late, Seed

    Reading = Callable[[int, int], None]


def take_in(manifest: Manifest, mounts: Sequence[Mount], reading: Reading | None = None) -> tuple[Tree, ...]:
    """The trees of a manifest, in the order of its mounts.

    Args:
        manifest: what was asked for.
        mounts: its mounts.
        reading: told bytes read and bytes in all, for each tree anew.

    Raises:
        InputError: a folder cannot be taken in. HostFault: there is no memory for it.
    """
    if not manifest.trees:
        return ()
    from branes.trees.ingest import ingest  # noqa: PLC0415 -- few branes have any

    folders = [Path(manifest.trees[mount.path]) for mount in mounts if mount.kind == "tree"]
    return tuple(runtimes.runtime().tree(ingest(folder, reading)) for folder in folders)


def seeds(manifest: Manifest, mounts: Sequence[Mount]) -> dict[int, Seed]:
    """What is bound late, by the number of its mount; a mount that begins empty is not there."""
    found: dict[int, Seed] = {}
    for number, mount in enumerate(mounts):
        seed = manifest.files if mount.kind == "files" else manifest.scratch.get(mount.path)
        if seed is not None and seed != {}:
            found[number] = seed
    return found


def bind(jailed: Jailed, content: Mapping[int, Seed]) -> Late | None:
    """Write what is bound late and seal it; None if there is nothing. The owner's descriptor of it is closed.

    Raises:
        UsageError: a name is none, or content is none. InputError: it cannot be read, or is too much.
        HostFault: there is no memory for it.
    """
    descriptor = jailed.late.last()
    try:
        if not content:
            return None
        if descriptor is None:
            raise HostFault("a brane that files are brought into has no place for them")
        return late.write(descriptor, content)
    finally:
        jailed.late.close()
