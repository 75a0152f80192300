"""What a compiler that was taken over may answer."""

from __future__ import annotations

import json

import pytest

from branes import compiling
from branes.errors import HostFault, InputError


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]\n",
        b'"status"\n',
        b"1\n",
        b"{\n" + b"x" * 10,
        b"[" * 100_000 + b"\n",
        b" " * compiling.MAX_HEADER + b"{}\n",
        b'{"status": "compiled", "artifact_bytes": 2}\nx',
        b'{"status": "compiled", "artifact_bytes": 0}\n',
    ],
)
def test_what_is_no_answer_is_the_hosts_fault(answer: bytes) -> None:
    with pytest.raises(HostFault):
        compiling.split(answer)


@pytest.mark.parametrize("imports", [None, 1, {}, "x"])
def test_a_rejection_without_its_imports_is_still_one(imports: object) -> None:
    header = {"status": "rejected", "kind": "foreign-imports", "message": "\x1b" * 100_000, "imports": imports}
    found, _ = compiling.split(json.dumps(header).encode() + b"\n")
    error = compiling.rejected(found)
    assert isinstance(error, InputError)
    assert error.message.isprintable()
    assert len(error.message) < 5 * compiling.MAX_MESSAGE
