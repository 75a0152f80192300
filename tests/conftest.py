"""One state folder for the whole session: what is compiled once is there for every test. Nothing touches the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_kept = os.environ.get("BRANES_TEST_STATE")
_state = _kept or tempfile.mkdtemp(prefix="branes-tests-")
os.environ["BRANES_STATE"] = _state

# The checkout may be read-only, and the machine slow.
hypothesis.settings.register_profile("branes", database=None, deadline=None)
hypothesis.settings.load_profile("branes")


def pytest_unconfigure() -> None:
    if not _kept:
        shutil.rmtree(_state, ignore_errors=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that is skipped shows nothing: it fails the session."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def pipe() -> Iterator[SimpleNamespace]:
    """`reader`, a descriptor; `open`, a file for it; `writer`, a raw file that the test may close."""
    reader, writer = os.pipe()

    def open_reader(**words: Any) -> Any:
        return open(reader, "rb", closefd=False, **words)

    with open(writer, "wb", buffering=0) as file:
        yield SimpleNamespace(reader=reader, writer=file, open=open_reader)
    os.close(reader)
