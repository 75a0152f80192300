"""Trees and late images, which a brane's memory shares with its owner: nothing is mapped that could still change."""

from __future__ import annotations

import contextlib
import os
from fcntl import F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, fcntl
from typing import TYPE_CHECKING, Final

import pytest

from branes import _executables, wire
from branes.errors import MissingMechanism
from branes.jailed import sizes
from branes.spawn import Template
from branes.trees import image
from escapes import binary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from escapes.lab import Lab

SEALED: Final = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE
INDEX: Final = image.index([image.Entry(path="", kind="directory")])
EMPTY: Final = image.header(image.HEADER_SIZE, len(INDEX)) + INDEX
#: What a brane maps before there is anything (brane-wire, MAX_LATE).
LATE: Final = 16 << 30


@contextlib.contextmanager
def memfd(content: bytes, seals: int = SEALED) -> Iterator[int]:
    descriptor = os.memfd_create("tree", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.write(descriptor, content)
        fcntl(descriptor, F_ADD_SEALS, seals)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def started(lab: Lab, kinds: Sequence[str], trees: Sequence[int] = ()) -> Iterator[Template]:
    """A worker's template with mounts of these kinds."""
    artifact = lab.runtime.artifact(lambda: binary.MODULE, lambda _done, _total: None)
    names = {name.partition("@")[0] for name in artifact.component.imports}
    links = [{"name": name, "state": "granted"} for name in sorted(names)]
    mounts = [{"path": f"/{number}", "kind": kind} for number, kind in enumerate(kinds)]
    job = wire.pack({"interfaces": links, "mounts": mounts})
    worker = _executables.executable("brane-worker")
    template = Template(worker, artifact.memfd, lab.runtime.filters("brane"), job, trees)
    try:
        yield template
    finally:
        template.close()


@pytest.mark.parametrize("missing", [F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE])
def test_a_tree_that_could_still_change_is_not_mapped(lab: Lab, missing: int) -> None:
    refused = pytest.raises(MissingMechanism, match="check seals of tree")
    with memfd(EMPTY, SEALED & ~missing) as tree, refused, started(lab, ["tree"], [tree]):
        pass


def test_a_tree_that_is_no_memfd_is_not_mapped(lab: Lab) -> None:
    refused = pytest.raises(MissingMechanism, match="check seals of tree")
    with open(__file__, "rb") as file, refused, started(lab, ["tree"], [file.fileno()]):
        pass


@pytest.mark.parametrize("content", [b"nothing", EMPTY[:-1], EMPTY.replace(b"version", b"Version")])
def test_a_tree_that_is_no_image_ends_the_template(lab: Lab, content: bytes) -> None:
    with memfd(content) as tree, pytest.raises(MissingMechanism, match="tree of /0"), started(lab, ["tree"], [tree]):
        pass


def test_a_tree_is_needed_for_each_mount_that_wants_one(lab: Lab) -> None:
    with memfd(EMPTY) as tree:
        for kinds, trees in ((["tree"], []), (["scratch"], [tree])):
            with pytest.raises(MissingMechanism, match="trees came"), started(lab, kinds, trees):
                pass


def test_a_brane_holds_no_descriptor_of_what_it_maps_and_pays_nothing_for_it(lab: Lab) -> None:
    with memfd(EMPTY) as tree, started(lab, ["tree", "scratch"], [tree]) as template:
        plain, late = template.fork(), template.fork(late=True)
        try:
            # The look has compared descriptors already: a fork with one too many is refused.
            assert set(late.enforced.descriptors) == set(plain.enforced.descriptors)
            assert late.data_at_birth == plain.data_at_birth
            with open(f"/proc/{late.pid}/maps", encoding="utf-8") as lines:
                mapped = [line.split() for line in lines if "memfd:" in line]
            images = {words[5]: words for words in mapped if words[5] in ("/memfd:tree", "/memfd:branes-late")}
            first, last = (int(place, 16) for place in images["/memfd:branes-late"][0].split("-"))
            assert last - first == LATE
            assert [words[1] for words in images.values()] == ["r--p", "r--p"]
            assert sizes(late.pid)[0] == late.data_at_birth
        finally:
            template.release(plain)
            template.release(late)
