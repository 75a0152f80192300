"""Golden messages: the same bytes mean the same on both sides. The other side is `crates/brane-wire/tests/golden.rs`.

In `message`, `{"bytes": "00ff"}` stands for bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from branes import wire
from branes.wire import WireError

FOLDER = Path(__file__).parent
INCOMING = {"from-brane": wire.FROM_BRANE, "from-sealing": wire.FROM_SEALING, "from-template": wire.FROM_TEMPLATE}
OUTGOING = ("to-brane", "to-template", "link-set")


def read(name: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert entries
    return entries


def plain(message: Any) -> Any:
    """A message as its golden file has it."""
    match message:
        case bytes():
            return {"bytes": message.hex()}
        case dict():
            return {name: plain(value) for name, value in message.items()}
        case list():
            return [plain(value) for value in message]
    return message


def valued(message: Any) -> Any:
    """A message with its bytes."""
    match message:
        case {"bytes": str(digits), **rest} if not rest:
            return bytes.fromhex(digits)
        case dict():
            return {name: valued(value) for name, value in message.items()}
        case list():
            return [valued(value) for value in message]
    return message


def decoded(conversation: str, data: bytes) -> object:
    if conversation in INCOMING:
        kind, fields = wire.decode(data, INCOMING[conversation])
        return {kind: fields}
    return wire.check_fields("died", wire.unpack(data), wire.DIED)


def parameters(*names: str) -> list[Any]:
    return [pytest.param(name, entry, id=f"{name}: {entry['name']}") for name in names for entry in read(name)]


@pytest.mark.parametrize(("conversation", "entry"), parameters(*INCOMING, "died"))
def test_what_comes_in_means_what_is_written(conversation: str, entry: dict[str, Any]) -> None:
    assert plain(decoded(conversation, bytes.fromhex(entry["hex"]))) == entry["message"]


@pytest.mark.parametrize(("conversation", "entry"), parameters(*OUTGOING))
def test_what_goes_out_is_these_bytes(conversation: str, entry: dict[str, Any]) -> None:
    message = valued(entry["message"])
    if conversation == "link-set":
        assert wire.pack(message).hex() == entry["hex"]
        return
    ((kind, fields),) = message.items()
    assert wire.encode(kind, **fields).hex() == entry["hex"]


@pytest.mark.parametrize(
    ("conversation", "data"),
    [
        pytest.param(entry["conversation"], bytes.fromhex(entry["hex"]), id=f"{entry['conversation']}: {entry['name']}")
        for entry in read("refused")
        if entry["conversation"] not in OUTGOING
    ],
)
def test_what_must_be_refused_is_refused(conversation: str, data: bytes) -> None:
    with pytest.raises(WireError):
        decoded(conversation, data)


@pytest.mark.parametrize("conversation", INCOMING)
def test_every_kind_that_may_come_in_has_a_golden_message(conversation: str) -> None:
    assert {kind for entry in read(conversation) for kind in entry["message"]} == INCOMING[conversation].keys()
