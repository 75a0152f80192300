from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from branes import state
from branes.errors import HostFault
from branes.state import StateDir


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def foreign(path: Path) -> Path:
    """A folder of another user: only root can give one away, and only others have root's at hand."""
    if os.geteuid() != 0:
        return Path("/usr")
    path.mkdir()
    os.chown(path, 12345, 12345)
    return path


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANES_STATE", str(tmp_path / "a" / "b"))
    assert state.default().root == tmp_path / "a" / "b"
    monkeypatch.delenv("BRANES_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "xdg"))
    assert state.default().root == tmp_path / "xdg" / "branes"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert state.default().root == tmp_path / "home" / ".local" / "state" / "branes"


@pytest.mark.parametrize("name", ["BRANES_STATE", "XDG_STATE_HOME"])
def test_a_relative_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BRANES_STATE")
    monkeypatch.setenv(name, "here")
    with pytest.raises(HostFault, match=f"{name} is here, expected an absolute path") as caught:
        state.default()
    assert caught.value.hint == f"write {name}={tmp_path}/here"
    assert list(tmp_path.iterdir()) == []


def test_naming_the_folder_does_not_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRANES_STATE", str(tmp_path / "state"))
    assert state.named().audit == tmp_path / "state" / "audit"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_for_this_user_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert mode(state.private(tmp_path / "made")) == 0o700
    finally:
        os.umask(before)


def test_every_folder_that_is_made_is_this_users_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        state.private(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(before)
    assert [mode(tmp_path / made) for made in ("a", "a/b", "a/b/c")] == [0o700] * 3


@pytest.mark.parametrize("below", ["state", "a/b/state"])
def test_a_folder_that_anybody_could_replace_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(HostFault, match=f"is below {tmp_path}/open, where everybody can put another") as caught:
        state.private(tmp_path / "open" / below)
    assert caught.value.hint.startswith(f"chmod o-w {tmp_path}/open")
    assert list((tmp_path / "open").iterdir()) == []


def test_a_link_does_not_hide_that_anybody_could_replace_the_folder(tmp_path: Path) -> None:
    (tmp_path / "open" / "a").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to("open/a")
    with pytest.raises(HostFault, match="where everybody can put another"):
        state.private(tmp_path / "link" / "state")


@pytest.mark.parametrize("open_to", [0o1777, 0o775])
def test_a_folder_below_a_sticky_one_or_one_of_a_group_is_taken(tmp_path: Path, open_to: int) -> None:
    (tmp_path / "above").mkdir()
    (tmp_path / "above").chmod(open_to)
    assert mode(state.private(tmp_path / "above" / "state")) == 0o700


@pytest.mark.parametrize("open_to", [0o720, 0o702, 0o777])
def test_a_folder_that_others_can_write_to_is_refused(tmp_path: Path, open_to: int) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(open_to)
    with pytest.raises(HostFault, match="only this user can write to"):
        state.private(tmp_path / "open")


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HostFault, match="only this user can write to"):
        state.private(foreign(tmp_path / "theirs"))


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to("target")
    with pytest.raises(HostFault):
        state.private(tmp_path / "link")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HostFault, match="cannot be made"):
        state.private(tmp_path / "file")


@pytest.fixture
def folder(tmp_path: Path) -> StateDir:
    return StateDir(root=tmp_path)


def test_a_key_is_made_once_and_only_this_user_can_read_it(folder: StateDir) -> None:
    key = folder.host_key()
    assert len(key) == 32
    assert folder.host_key() == key
    path = folder.root / "keys" / "host.key"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["host.key"]


def test_two_folders_have_different_keys(tmp_path: Path) -> None:
    assert StateDir(root=tmp_path / "a").host_key() != StateDir(root=tmp_path / "b").host_key()


def test_those_that_make_a_key_at_the_same_time_get_the_same(folder: StateDir) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: folder.host_key(), range(8)))) == 1


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620, 0o601])
def test_a_key_that_others_can_reach_is_refused(folder: StateDir, open_to: int) -> None:
    folder.host_key()
    (folder.root / "keys" / "host.key").chmod(open_to)
    with pytest.raises(HostFault, match="not a key that only this user can read"):
        folder.host_key()


@pytest.mark.parametrize("content", [b"", b"a" * 31, b"a" * 33])
def test_a_key_of_another_size_is_refused(folder: StateDir, content: bytes) -> None:
    folder.host_key()
    (folder.root / "keys" / "host.key").write_bytes(content)
    with pytest.raises(HostFault, match="not a key"):
        folder.host_key()


def test_a_link_in_place_of_the_key_is_refused(folder: StateDir, tmp_path: Path) -> None:
    folder.host_key()
    path = folder.root / "keys" / "host.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HostFault, match="cannot be read"):
        folder.host_key()


def test_a_key_of_somebody_else_is_refused(folder: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.host_key()
    (folder.root / "keys").chmod(0o700)
    actual = os.geteuid()
    state._read_key(folder.root / "keys" / "host.key")
    monkeypatch.setattr(os, "geteuid", lambda: actual + 1)
    with pytest.raises(HostFault, match="not a key that only this user can read"):
        state._read_key(folder.root / "keys" / "host.key")


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("BRANES_STATE", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
    with pytest.raises(HostFault, match="no home folder"):
        state.default()


def test_a_pipe_in_the_place_of_the_key_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "keys" / "host.key", 0o600)
    with pytest.raises(HostFault, match="not a key"):
        StateDir(root=tmp_path).host_key()
