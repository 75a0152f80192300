"""Fixtures of the matrix: one private runtime a test file, its log, and the attack program."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parents[1]))  # rows and tests import one harness

from escapes.lab import Lab


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.private(tmp_path_factory.mktemp("state", numbered=True)) as private:
        yield private
