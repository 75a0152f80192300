"""Where symlinks lead: inside the tree, or out of it. Values in, verdicts out.

A symlink stays inside if its target is relative and does not climb above the root, neither as it is written (a reader
that folds `..` first goes there) nor followed through the other symlinks of the tree, as the kernel does. A target that
does not exist is inside if it would be. Work is bounded: when it is used up, whatever was not followed leads out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from branes.trees.bounds import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Symlinks followed on the way of one path, as in path_resolution(7).
_MAX_HOPS: Final = 40
#: Names looked at for all the symlinks of one tree.
_MAX_STEPS: Final = 5_000_000


def leading_out(links: Mapping[str, str]) -> Iterator[str]:
    """The paths of those symlinks that lead out of the tree.

    Args:
        links: every symlink of the tree: its path below the root, and its target.
    """
    walker = _Walker(links)
    return (path for path, target in links.items() if _climbs(path, target) or walker.leads_out(path, target))


def _climbs(path: str, target: str) -> bool:
    """Whether `target` is absolute, or climbs above the root as it is written."""
    depth = path.count("/")
    for name in target.split("/"):
        if name == "..":
            depth -= 1
        elif name not in {"", "."}:
            depth += 1
        if depth < 0:
            return True
    return target.startswith("/")


class _Walker:
    """Follows paths through the symlinks of one tree, as far as its steps go."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links
        self._left = _MAX_STEPS

    def leads_out(self, path: str, target: str) -> bool:
        place = path.split("/")[:-1]
        ahead = target.split("/")[::-1]
        hops = 0
        while ahead:
            self._left -= 1
            if self._left < 0:
                return True
            name = ahead.pop()
            if name == "..":
                if not place:
                    return True
                place.pop()
            elif name not in {"", "."}:
                place.append(name)
                further = self._links.get("/".join(place)) if len(place) <= MAX_DEPTH else None
                if further is None:
                    continue
                hops += 1
                if further.startswith("/"):
                    return True
                if hops > _MAX_HOPS:
                    # The kernel goes no further either: ELOOP.
                    return False
                place.pop()
                ahead += further.split("/")[::-1]
        return False
