"""Fixtures of the layers' tests: a lab as in `tests/escapes`, and owners in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # one lab for escapes and layers

from escapes.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.private(tmp_path_factory.mktemp("lab")) as private:
        yield private


TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Owner:
    """Starts owners: Python programs with a state folder that they share."""

    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of an owner."""
        path = os.pathsep.join([str(TESTS), *filter(None, sys.path)])
        return {**os.environ, "PYTHONPATH": path, "BRANES_STATE": str(self.state)}

    def run(self, code: str, *args: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, by way of `before`."""
        command = [*before, sys.executable, "-c", code, *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=self.environment)

    def start(self, code: str, *args: str) -> subprocess.Popen[str]:
        """Start a program."""
        command = [sys.executable, "-c", code, *args]
        options: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env=self.environment, **options)


@pytest.fixture(scope="session")
def owner(tmp_path_factory: pytest.TempPathFactory) -> Owner:
    state = tmp_path_factory.mktemp("owner")
    state.chmod(0o700)
    return Owner(state)
