from __future__ import annotations

import dataclasses

import pytest

from branes.errors import UsageError
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
