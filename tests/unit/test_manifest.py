from __future__ import annotations

import dataclasses

import pytest

from branes.errors import UsageError
from branes.layers import wasi
from branes.limits import Limits
from branes.manifest import Manifest, check_text


def test_the_default_manifest_grants_nothing_beyond_a_command() -> None:
    assert Manifest() == Manifest(preset="command", grants=(), denials=(), env={}, limits=Limits())


def test_a_manifest_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Manifest().preset = "python"  # type: ignore[misc]


@pytest.mark.parametrize("env", [{"A": "1"}, {"A": ""}, {"a b": "=\n"}, {"Ü": "✓"}])
def test_an_environment_of_names_and_values_is_taken(env: dict[str, str]) -> None:
    assert Manifest(env=env).env == env


@pytest.mark.parametrize("env", [{"": "1"}, {"A=B": "1"}, {"A\0": "1"}, {"A": "\0"}])
def test_a_variable_that_posix_does_not_allow_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="no valid name or value"):
        Manifest(env=env)


@pytest.mark.parametrize("env", [{"A": "\udc80"}, {"A\udc80": "1"}])
def test_a_variable_that_is_not_unicode_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="not valid Unicode"):
        Manifest(env=env)


def test_text_with_lone_surrogates_is_refused_by_what_it_is() -> None:
    check_text("fine ✓", "an argument")
    with pytest.raises(UsageError, match="an argument is not valid Unicode"):
        check_text("\udcff", "an argument")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("wasi:sokets", "wasi:sockets"),
        ("wais:sockets", "wasi:sockets"),
        ("wasi:sokets/tcp", "wasi:sockets/tcp"),
        ("wasi:random/randm@0.2.0", "wasi:random/random"),
    ],
)
def test_a_misspelled_interface_is_neither_granted_nor_denied(word: str, meant: str) -> None:
    for grants, denials in (([word], []), ([], [word])):
        with pytest.raises(UsageError, match=f"no interface '{word}' to") as caught:
            wasi.states("command", grants, denials)
        assert caught.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("word", ["", "wasi", "evil:corp", "run", "a/b", "\x1b[31m"])
def test_what_names_no_interface_cannot_be_denied(word: str) -> None:
    with pytest.raises(UsageError, match=r"no interface .* to deny"):
        wasi.states("command", [], [word])


@pytest.mark.parametrize(
    "word", ["host:exec/run", "host:exec/run@1.0.0", "wasi:http/types", "wasi:keyvalue/store", "wasi:gpio/general"]
)
def test_an_interface_that_this_host_does_not_have_can_be_denied_by_its_whole_name(word: str) -> None:
    assert wasi.states("none", [], [word]) == {word.partition("@")[0]: "denied"}


def test_what_is_said_to_let_a_program_start_is_accepted() -> None:
    names = ["wasi:sockets/tcp@0.2.0", "host:exec/run", "wasi:sokets/tcp", "lone-function", "wasi:random/random@0.2.0"]
    for refusal in wasi.refusals(names):
        option, _, word = refusal.change.partition(" ")
        if option:
            assert wasi.states("none", *([[word], []] if option == "--grant" else [[], [word]]))
    assert [bool(refusal.change) for refusal in wasi.refusals(names)] == [True, True, False, False, True]
