"""What `brane doctor` concludes from what it reads, and its probes on this machine."""

from __future__ import annotations

import errno
import os
import resource
from typing import TYPE_CHECKING

import pytest

from branes import _elf, demands, host
from branes.host import check, installed, limits, namespaces, syscalls
from branes.state import StateDir

if TYPE_CHECKING:
    from pathlib import Path

PROC = "22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw{}\n"


@pytest.mark.parametrize(("release", "ok"), [("6.18.44-fc", True), ("5.15.0", True), ("5.14.9", False), ("x", False)])
def test_a_kernel_is_judged_by_its_number(release: str, *, ok: bool) -> None:
    found = syscalls.kernel(release)
    assert found.ok is ok
    assert bool(found.hint) is not ok


def test_executables_of_another_machine_are_named() -> None:
    assert installed.machine("Linux", "x86_64", "x86_64").ok
    found = installed.machine("Linux", "aarch64", "x86_64")
    assert not found.ok
    assert found.detail == "Linux on aarch64, executables for x86_64"


@pytest.mark.parametrize(
    ("code", "sysctls", "container", "says"),
    [
        (errno.EPERM, {"kernel/unprivileged_userns_clone": "0"}, "", "sysctl -w kernel.unprivileged_userns_clone=1"),
        (errno.ENOSPC, {"user/max_user_namespaces": "0"}, "", "sysctl -w user.max_user_namespaces=15000"),
        (
            errno.EPERM,
            {"kernel/apparmor_restrict_unprivileged_userns": "1"},
            "",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (errno.EPERM, {}, "a Docker container", "--security-opt seccomp=unconfined"),
        (errno.ENOSPC, {"user/max_user_namespaces": "100"}, "", "raise user.max_net_namespaces"),
        (errno.EPERM, {}, "", "a security module or a seccomp filter"),
    ],
)
def test_a_refused_namespace_names_the_setting_to_change(
    code: int, sysctls: dict[str, str], container: str, says: str
) -> None:
    assert says in namespaces.namespace_hint("net", code, sysctls, container)


def test_root_that_has_no_ids_to_give_is_told_that_branes_share_its_own() -> None:
    whole, rootless = "         0          0 4294967295\n", "0 1000 1\n1 100000 65536\n"
    able = "Name:\tbrane\nCapEff:\t000001ffffffffff\n"
    assert namespaces.id_range(0, whole, whole, status=able).detail.endswith("for each brane its own")
    for maps in ((whole, rootless), (rootless, whole), ("", "")):
        found = namespaces.id_range(0, *maps, status=able)
        assert found.detail.startswith("branes run as this user, 0: the user namespace of this root has no ids from")
    assert namespaces.id_range(1000, rootless, rootless, status=able).detail == "branes run as this user, 1000"


@pytest.mark.parametrize(
    ("mountinfo", "ok", "detail"),
    [
        (PROC.format(""), True, "mounted"),
        (PROC.format(",hidepid=invisible"), True, "mounted, hidepid=invisible"),
        (PROC.format(",subset=pid"), False, "mounted, subset=pid"),
        ("22 1 0:21 / /sys rw - sysfs sysfs rw\n", False, "not mounted"),
        ("", False, "not mounted"),
    ],
)
def test_how_proc_is_mounted_is_read_from_mountinfo(mountinfo: str, detail: str, *, ok: bool) -> None:
    found = namespaces.proc(mountinfo)
    assert (found.ok, found.detail) == (ok, detail)


@pytest.mark.parametrize("demand", demands.DEMANDS, ids=lambda demand: demand.name)
@pytest.mark.parametrize(("more", "ok"), [(-1, False), (0, True), (1, True), (None, True)])
def test_a_limit_must_leave_room(demand: demands.Demand, more: int | None, *, ok: bool) -> None:
    limit = resource.RLIM_INFINITY if more is None else demand.least + more
    # The other one of the two says nothing.
    found = limits.judged(demand, *((0, limit) if demand.hard else (limit, 0)))
    assert (found.ok, found.name) == (ok, demand.name)
    assert found.hint == ("" if ok else demand.way_out)


@pytest.mark.parametrize(
    ("step", "code", "says"),
    [
        ("limit stack", errno.EPERM, "ulimit -Hs 40960 or more"),
        ("park descriptor", errno.EINVAL, "ulimit -n"),
        ("make map pipe", errno.EMFILE, "ulimit -n"),
        ("make map pipe", errno.ENFILE, "fs.file-max"),
        ("clone brane", errno.ENOMEM, "ulimit -v"),
        ("", errno.EFBIG, "ulimit -f"),
        ("clone user and pid namespace", errno.EAGAIN, "ulimit -u"),
        ("set host name", errno.EPERM, ""),
    ],
)
def test_a_refused_step_names_the_setting_where_one_is_known(step: str, code: int, says: str) -> None:
    found = demands.way_out(step, code)
    assert says in found
    assert bool(found) is bool(says)


def test_controllers_that_are_not_delegated_are_no_reason_not_to_run(tmp_path: Path) -> None:
    found = limits.cgroups("0::/user.slice\n", tmp_path)
    assert (found.ok, found.required) == (False, False)
    assert "cpu is not held" in found.detail
    folder = tmp_path / "user.slice"
    folder.mkdir()
    (folder / "cgroup.controllers").write_text("cpu memory pids\n")
    (folder / "cgroup.subtree_control").write_text("")
    assert limits.cgroups("0::/user.slice\n", tmp_path).ok


def test_a_child_tells_the_errno_of_what_it_tried() -> None:
    assert check.in_child(lambda: errno.EPERM) == errno.EPERM
    assert check.in_child(lambda: 0) == 0


def test_a_child_that_fails_is_not_taken_for_success() -> None:
    def fails() -> int:
        raise RuntimeError

    assert check.in_child(fails) != 0


def test_a_program_header_for_an_interpreter_means_not_static() -> None:
    dynamic = os.path.realpath("/bin/sh")
    with open(dynamic, "rb") as file:
        assert not _elf.is_static(file.read())
    assert not _elf.is_static(b"#!/bin/sh\n")
    assert installed.executables().ok


def test_the_end_of_the_log_is_looked_at(tmp_path: Path) -> None:
    state = StateDir(root=tmp_path)
    assert installed.audit_log(state).ok
    state.audit.mkdir(mode=0o700)
    (state.audit / "000001.jsonl").write_bytes(b"{}\n")
    assert not installed.audit_log(state).ok


def test_every_probe_answers_on_this_machine_which_runs_branes(tmp_path: Path) -> None:
    checks = list(host.probe(StateDir(root=tmp_path)))
    assert [found for found in checks if found.required and not found.ok] == []
    assert len({found.name for found in checks}) == len(checks)
