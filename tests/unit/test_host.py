"""What `brane doctor` concludes from what it reads, and its probes on this machine."""

from __future__ import annotations

import errno
import os
import resource
from typing import TYPE_CHECKING

import pytest

from branes import host
from branes.state import StateDir

if TYPE_CHECKING:
    from pathlib import Path

PROC = "22 1 0:21 / /proc rw,nosuid shared:5 - proc proc rw{}\n"


@pytest.mark.parametrize(("release", "ok"), [("6.18.44-fc", True), ("5.15.0", True), ("5.14.9", False), ("x", False)])
def test_a_kernel_is_judged_by_its_number(release: str, *, ok: bool) -> None:
    check = host.kernel(release)
    assert check.ok is ok
    assert bool(check.hint) is not ok


def test_executables_of_another_machine_are_named() -> None:
    assert host.machine("Linux", "x86_64", "x86_64").ok
    check = host.machine("Linux", "aarch64", "x86_64")
    assert not check.ok
    assert check.detail == "Linux on aarch64, executables for x86_64"


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
    assert says in host.namespace_hint("net", code, sysctls, container)


def test_root_of_a_rootless_container_has_no_ids_to_give() -> None:
    whole, rootless = "         0          0 4294967295\n", "0 1000 1\n1 100000 65536\n"
    assert host.id_range(0, whole, whole).ok
    assert not host.id_range(0, whole, rootless).ok
    assert not host.id_range(0, "", "").ok
    assert host.id_range(1000, rootless, rootless).ok


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
    check = host.proc(mountinfo)
    assert (check.ok, check.detail) == (ok, detail)


@pytest.mark.parametrize(("hard", "ok"), [(resource.RLIM_INFINITY, True), (40 << 20, True), ((40 << 20) - 1, False)])
def test_the_stack_limit_must_leave_room(hard: int, *, ok: bool) -> None:
    assert host.stack(hard).ok is ok


def test_controllers_that_are_not_delegated_are_no_reason_not_to_run(tmp_path: Path) -> None:
    check = host.cgroups("0::/user.slice\n", tmp_path)
    assert (check.ok, check.required) == (False, False)
    assert "cpu is not held" in check.detail
    folder = tmp_path / "user.slice"
    folder.mkdir()
    (folder / "cgroup.controllers").write_text("cpu memory pids\n")
    (folder / "cgroup.subtree_control").write_text("")
    assert host.cgroups("0::/user.slice\n", tmp_path).ok


def test_a_child_tells_the_errno_of_what_it_tried() -> None:
    assert host.in_child(lambda: errno.EPERM) == errno.EPERM
    assert host.in_child(lambda: 0) == 0


def test_a_child_that_fails_is_not_taken_for_success() -> None:
    def fails() -> int:
        raise RuntimeError

    assert host.in_child(fails) != 0


def test_a_program_header_for_an_interpreter_means_not_static() -> None:
    dynamic = os.path.realpath("/bin/sh")
    with open(dynamic, "rb") as file:
        assert not host.is_static(file.read())
    assert not host.is_static(b"#!/bin/sh\n")
    assert host.executables().ok


def test_the_end_of_the_log_is_looked_at(tmp_path: Path) -> None:
    state = StateDir(root=tmp_path)
    assert host.audit_log(state).ok
    state.audit.mkdir(mode=0o700)
    (state.audit / "000001.jsonl").write_bytes(b"{}\n")
    assert not host.audit_log(state).ok


def test_every_probe_answers_on_this_machine_which_runs_branes(tmp_path: Path) -> None:
    checks = list(host.probe(StateDir(root=tmp_path)))
    assert [check for check in checks if check.required and not check.ok] == []
    assert len({check.name for check in checks}) == len(checks)
