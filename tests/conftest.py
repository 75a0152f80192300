"""One state folder for the whole session: what is compiled once is there for every test. Nothing touches the user's."""

from __future__ import annotations

import os
import shutil
import tempfile

import hypothesis

_kept = os.environ.get("BRANES_TEST_STATE")
_state = _kept or tempfile.mkdtemp(prefix="branes-tests-")
os.environ["BRANES_STATE"] = _state

# The checkout may be read-only, and the machine slow.
hypothesis.settings.register_profile("branes", database=None, deadline=None)
hypothesis.settings.load_profile("branes")


def pytest_unconfigure() -> None:
    if not _kept:
        shutil.rmtree(_state, ignore_errors=True)
