"""Templates: kept for the branes to come, replaced when they die, and not kept without end."""

from __future__ import annotations

import os
import select
import signal
import time
from typing import TYPE_CHECKING

import pytest

import branes
from branes import channel, drive, errors, runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import SimpleNamespace

    from branes.audit import Record
    from branes.spawn import Template


def kill(template: Template) -> None:
    signal.pidfd_send_signal(template._pidfd, signal.SIGKILL)
    assert select.select([template._pidfd], [], [], 30)[0]


def stop(template: Template) -> None:
    """Stop it, and wait until it is."""
    signal.pidfd_send_signal(template._pidfd, signal.SIGSTOP)
    os.waitid(os.P_PIDFD, template._pidfd, os.WSTOPPED)


def template_of(py: branes.Python) -> Template:
    assert py._brane
    return py._brane._launched.template


def test_the_second_brane_of_a_kind_is_a_fork_of_the_same_template() -> None:
    with branes.python() as first, branes.python(env={"A": "1"}) as second, branes.python(memory="64MiB") as third:
        assert template_of(first) is template_of(second)
        assert template_of(first) is not template_of(third)


def test_no_more_templates_are_kept_than_allowed_unless_they_have_branes(programs: SimpleNamespace) -> None:
    with branes.python() as py:
        for code in range(runtime.MAX_TEMPLATES + 3):
            assert branes.run(programs.exit(code + 100)).exit_code == code + 100
        kept = runtime.runtime()._templates
        assert len(kept) <= runtime.MAX_TEMPLATES
        assert py.eval("1") == 1


def test_a_template_that_died_is_replaced_and_nothing_is_left_of_it() -> None:
    def use() -> Template:
        with branes.python() as py:
            assert py.eval("1") == 1
            return template_of(py)

    first = use()
    before = sorted(os.listdir("/proc/self/fd"))
    kill(first)
    assert use() is not first
    assert len(os.listdir("/proc/self/fd")) == len(before)


@pytest.mark.parametrize("moment", ["idle", "closing", "calling"])
def test_a_brane_whose_template_dies_is_dead_and_its_end_is_recorded(
    moment: str,
    records: Callable[[str], list[Record]],
    dies: Callable[[int], AbstractContextManager[None]],
) -> None:
    with branes.python() as py:
        run = py.run("pass").run
        template = template_of(py)
        assert py._brane
        with dies(py._brane._launched.jailed.pid):
            if moment == "calling":
                with pytest.raises(errors.HostFault, match="the template died"):
                    py.run("print(1)\nwhile True: pass", on_stdout=lambda _data: kill(template))
            else:
                kill(template)
        if moment == "idle":
            with pytest.raises(errors.HostFault, match="the template died"):
                py.eval("1")
    end = records(run)[-1]
    assert (end.event, end.done["outcome"]) == ("run.ended", "host-fault")


def test_a_template_that_is_stopped_before_a_fork_is_waited_for_as_long_as_said_then_ended_and_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with branes.python() as py:
        template = template_of(py)
    stop(template)
    started = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr(channel, "PATIENCE", 0.5)
        with pytest.raises(errors.HostFault, match="does not answer while waiting for"):
            branes.python().__enter__()
    assert 0.5 <= time.monotonic() - started < 5
    assert not template.alive
    with branes.python() as py:
        assert py.eval("1") == 1
        assert template_of(py) is not template


@pytest.mark.parametrize("code", ["while True: pass", "pass"], ids=["endless", "returning"])
def test_a_template_that_is_stopped_during_a_call_changes_no_limit_and_nothing_is_left_running(
    code: str, records: Callable[[str], list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drive, "DEATH", 0.5)
    py = branes.python(timeout=1.0)
    py.__enter__()
    template = template_of(py)
    assert py._brane
    run = py._brane.conduct.run
    brane = os.dup(py._brane._launched.jailed.pidfd)
    started = time.monotonic()

    def stopping(_data: bytes) -> None:
        stop(template)

    if code == "pass":
        assert py.run(f"print(1)\n{code}", on_stdout=stopping).exit_code == 0
        py.close()
    else:
        with pytest.raises(errors.DeadlineExceeded):
            py.run(f"print(1)\n{code}", on_stdout=stopping)
    assert time.monotonic() - started < 1.0 + 3 * 0.5 + 3
    assert select.select([brane], [], [], 0)[0]
    os.close(brane)
    assert not template.alive
    assert records(run)[-1].event == "run.ended"
    with branes.python() as after:
        assert after.eval("1") == 1
