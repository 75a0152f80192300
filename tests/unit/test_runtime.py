"""What one process keeps for the next brane is bounded, by number and by bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import pytest

from branes import runtime as runtimes
from branes.compiling import Artifact
from branes.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from branes.component import Component
    from branes.spawn import Template


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


@pytest.fixture
def artifact() -> Callable[[int], Artifact]:
    """Makes an artifact of so many bytes, none of which takes memory."""

    def make(size: int) -> Artifact:
        memfd = os.memfd_create("artifact")
        os.ftruncate(memfd, size)
        return Artifact(memfd, cast("Component", None))

    return make


class Ended:
    """What is told of templates: which were ended."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def template(self, name: str) -> Template:
        """A template that only says when it is ended."""
        told = self.names

        class Told:
            def close(self) -> None:
                told.append(name)

        return cast("Template", Told())


def test_as_many_artifacts_are_kept_as_fit(runtime: Runtime, artifact: Callable[[int], Artifact]) -> None:
    third = runtimes.MAX_BYTES // 3
    for name in ("one", "two", "three"):
        runtime._keep(name, artifact(third))
    runtime._keep("one", runtime._artifacts["one"])
    runtime._keep("four", artifact(third))
    assert list(runtime._artifacts) == ["three", "one", "four"]


def test_an_artifact_that_is_too_large_for_all_others_is_kept_alone(
    runtime: Runtime, artifact: Callable[[int], Artifact]
) -> None:
    runtime._keep("small", artifact(1))
    large = artifact(runtimes.MAX_BYTES + 1)
    descriptor = runtime._artifacts["small"].memfd
    assert runtime._keep("large", large) is large
    assert list(runtime._artifacts) == ["large"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_no_more_artifacts_are_kept_than_so_many(runtime: Runtime, artifact: Callable[[int], Artifact]) -> None:
    for number in range(runtimes.MAX_ARTIFACTS + 1):
        runtime._keep(str(number), artifact(1))
    assert list(runtime._artifacts) == [str(number) for number in range(1, runtimes.MAX_ARTIFACTS + 1)]


def test_templates_without_a_brane_hold_no_more_than_so_many_bytes(runtime: Runtime) -> None:
    ended = Ended()
    half = runtimes.MAX_BYTES // 2
    for name, branes in (("used", 1), ("old", 0), ("older", 0), ("new", 0)):
        runtime._templates[name] = runtimes._Kept(ended.template(name), half, branes=branes)
    runtime._evict()
    assert ended.names == ["old"]
    assert list(runtime._templates) == ["used", "older", "new"]


def test_no_more_templates_are_kept_than_so_many_unless_they_are_used(runtime: Runtime) -> None:
    ended = Ended()
    for number in range(runtimes.MAX_TEMPLATES + 3):
        branes = 1 if number == 0 else 0
        runtime._templates[str(number)] = runtimes._Kept(ended.template(str(number)), 1, branes=branes)
    runtime._evict()
    assert ended.names == ["1", "2", "3"]
