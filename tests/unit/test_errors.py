from __future__ import annotations

import pytest

from branes import errors

CODES = {
    "UsageError": 2,
    "InputError": 2,
    "FileError": 2,
    "Refused": 126,
    "Escaped": 126,
    "Trapped": 134,
    "GuestError": 1,
    "ResultError": 1,
    "LimitExceeded": 137,
    "DeadlineExceeded": 124,
    "HostFault": 125,
    "MissingMechanism": 125,
    "AuditError": 125,
}


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_every_error_has_the_exit_code_that_its_tree_says(name: str, code: int) -> None:
    kind = getattr(errors, name)
    assert issubclass(kind, errors.BranesError)
    assert kind.exit_code == code
    assert f"exit {code}" in next(line for line in (errors.__doc__ or "").splitlines() if f" {name} " in line)


def test_every_error_of_the_package_is_in_the_table() -> None:
    found = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.BranesError)
    }
    assert found == {*CODES, "BranesError", "GuestFault"}


def test_a_hint_is_apart_from_the_message() -> None:
    error = errors.UsageError("what happened", hint="the way out")
    assert (str(error), error.message, error.hint) == ("what happened", "what happened", "the way out")


def test_an_os_error_becomes_the_hosts_fault() -> None:
    with (
        pytest.raises(errors.HostFault, match="it cannot be done: gone") as caught,
        errors.host_faults("it cannot be done"),
    ):
        raise OSError("gone")
    assert isinstance(caught.value.__cause__, OSError)
