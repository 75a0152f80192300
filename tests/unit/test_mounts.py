"""Where a guest finds directories, and how a path of it is one of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import mounts
from branes.errors import UsageError
from branes.manifest import Manifest
from branes.mounts import MAX_MOUNTS, Mount, Place, guest_path, locate

PLACES = (Mount(path="/", kind="scratch"), Mount(path="/data", kind="files"), Mount(path="/data/x", kind="tree"))
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="/", exclude_categories=("Cc", "Cf", "Zl", "Zp")),
    min_size=1,
    max_size=20,
)


@pytest.mark.parametrize(
    ("written", "meant"), [("/", "/"), ("/w", "/w"), ("//w/./x//", "/w/x"), ("/a b/ü", "/a b/ü"), ("/.", "/")]
)
def test_a_guests_path_has_one_spelling(written: str, meant: str) -> None:
    assert guest_path(written) == meant
    assert guest_path(meant) == meant


@pytest.mark.parametrize(
    "path",
    [
        "",
        "w",
        "./w",
        "/w/..",
        "/../w",
        "/w\0",
        "/w\n",
        "/\x1b[31m",
        "/\u202ew",
        "/\udc80",
        "/" + "x" * 256,
        "/x" * 65,
        3,
        None,
        b"/w",
    ],
    ids=repr,
)
def test_what_is_no_path_of_a_guest_is_refused_and_never_shown_raw(path: object) -> None:
    with pytest.raises(UsageError) as caught:
        guest_path(path)
    assert str(caught.value).isprintable()


@given(st.lists(NAMES.filter(lambda name: name not in {".", ".."}), max_size=5))
def test_a_path_of_names_is_itself(names: list[str]) -> None:
    assert guest_path("/" + "/".join(names)) == "/" + "/".join(names)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/", (0, "")),
        ("/database", (0, "database")),
        ("/data", (1, "")),
        ("/data/a/b", (1, "a/b")),
        ("/data/x", (2, "")),
        ("/data/x/y", (2, "y")),
        ("/data/xy", (1, "xy")),
    ],
)
def test_the_longest_path_around_it_is_where_a_path_lies(path: str, place: tuple[int, str]) -> None:
    number, inside = place
    assert locate(PLACES, path) == Place(path=path, mount=number, inside=inside, kind=PLACES[number].kind)


def test_a_path_in_no_directory_says_which_there_are() -> None:
    with pytest.raises(UsageError, match="/etc is in no directory") as caught:
        locate(PLACES[1:2], "/etc")
    assert caught.value.hint == "there are: /data"


def test_python_always_has_the_same_two_and_a_command_has_none() -> None:
    both = (Mount(path="/data", kind="files"), Mount(path="/scratch", kind="scratch"))
    assert Manifest(preset="python").mounts() == both
    assert Manifest(preset="python", files={"a": b""}, scratch={"/scratch": {"b": b""}}).mounts() == both
    assert Manifest().mounts() == ()
    assert Manifest(files={}).mounts() == both[:1]


def test_what_is_asked_for_stands_instead_of_what_is_always_there() -> None:
    found = Manifest(preset="python", trees={"/data": "share"}).mounts()
    assert found[0] == Mount(path="/data", kind="tree")


def test_mounts_stand_in_the_order_of_their_paths() -> None:
    found = mounts.decide("command", ["/z", "/a"], ["/m", "/"], files=True)
    assert [mount.path for mount in found] == ["/", "/a", "/data", "/m", "/z"]


@pytest.mark.parametrize(
    "words",
    [
        {"trees": {"/w": "a"}, "scratch": {"/w": None}},
        {"trees": {"/data": "a"}, "files": {}},
        {"scratch": {"/data": None}, "files": {"a": b""}},
        {"scratch": {f"/{n}": None for n in range(MAX_MOUNTS + 1)}},
        {"trees": {"/w/": "a"}},
        {"trees": {"w": "a"}},
        {"scratch": {"/..": None}},
    ],
    ids=repr,
)
def test_two_at_one_path_too_many_and_other_spellings_are_refused(words: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        Manifest(**words)


def test_the_same_path_in_two_spellings_is_given_twice() -> None:
    with pytest.raises(UsageError, match="given twice"):
        mounts.by_path([("/w", 1), ("/w/", 2)])
