"""Templates: kept for the branes to come, replaced when they die, and not kept without end."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING

import pytest

import branes
from branes import errors, runtime

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import SimpleNamespace

    from branes.audit import Record
    from branes.spawn import Template


def kill(template: Template) -> None:
    signal.pidfd_send_signal(template._pidfd, signal.SIGKILL)
    assert select.select([template._pidfd], [], [], 30)[0]


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
