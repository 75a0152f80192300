"""What comes from a brane is hostile: a message is exactly one of those expected, or a WireError."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import wire
from branes.wire import WireError

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
GOOD: dict[str, dict[str, object]] = {
    "started": {"go": bytes(32)},
    "pull": {"max": 1},
    "output": {"stream": 2, "data": b"x"},
    "denied": {"interface": "a", "function": "b", "tried": ""},
    "limited": {"limit": "memory", "asked": 2**64 - 1},
    "asked": {"name": "search", "arguments": b"{}"},
    "file": {"answer": {"stored": {}}},
    "returned": {"value": b"\x01"},
    "exited": {"code": 255},
    "trapped": {"kind": "unreachable", "detail": "", "backtrace": ""},
    "failed": {"step": "seal", "errno": 1, "detail": ""},
}


@given(ANY)
def test_a_value_survives_the_way_there_and_back(value: object) -> None:
    assert wire.unpack(wire.pack(value)) == value


@given(st.binary())
def test_any_bytes_are_a_message_or_a_wire_error(data: bytes) -> None:
    try:
        kind, fields = wire.decode(data, wire.FROM_BRANE)
    except WireError:
        return
    assert wire.FROM_BRANE[kind].keys() == fields.keys()


@given(st.lists(st.binary(max_size=50)), st.data())
def test_payloads_are_the_same_however_the_stream_is_split(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(wire.frame(payload) for payload in payloads)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    deframer = wire.Deframer()
    pieces = [stream[start:end] for start, end in pairwise([0, *cuts, len(stream)])]
    assert [payload for piece in pieces for payload in deframer.feed(piece)] == payloads


def test_every_kind_of_event_has_an_example_that_passes() -> None:
    assert GOOD.keys() == wire.FROM_BRANE.keys()
    for kind, fields in GOOD.items():
        assert wire.decode(wire.encode(kind, **fields), wire.FROM_BRANE) == (kind, fields)


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_too_few_or_too_many_is_refused(kind: str) -> None:
    fewer = [{name: value for name, value in GOOD[kind].items() if name != left_out} for left_out in GOOD[kind]]
    for fields in (*fewer, GOOD[kind] | {"more": 1}, {}, [], None, list(GOOD[kind].values())):
        with pytest.raises(WireError, match="other fields"):
            wire.decode(wire.pack({kind: fields}), wire.FROM_BRANE)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("started", "go", bytes(31)),
        ("started", "go", "a" * 32),
        ("pull", "max", 0),
        ("pull", "max", (64 << 10) + 1),
        ("pull", "max", True),
        ("pull", "max", 1.0),
        ("pull", "max", -1),
        ("output", "stream", 0),
        ("output", "stream", 3),
        ("output", "data", bytes((64 << 10) + 1)),
        ("output", "data", "text"),
        ("denied", "interface", "a" * 1025),
        ("denied", "function", b"bytes"),
        ("denied", "tried", "a" * 2049),
        ("limited", "limit", "time"),
        ("limited", "asked", -1),
        ("limited", "asked", float("nan")),
        ("returned", "value", 1),
        ("returned", "value", float("nan")),
        ("returned", "value", {}),
        ("returned", "value", "text"),
        ("exited", "code", 256),
        ("exited", "code", -1),
        ("trapped", "kind", "a" * 65),
        ("trapped", "detail", None),
        ("failed", "errno", 4096),
        ("failed", "step", ["a"]),
    ],
)
def test_a_field_of_another_type_or_out_of_bounds_is_refused(kind: str, field: str, value: object) -> None:
    with pytest.raises(WireError, match=f"field {field} of message {kind}"):
        wire.decode(wire.encode(kind, **GOOD[kind] | {field: value}), wire.FROM_BRANE)


@pytest.mark.parametrize("message", [{}, {"pull": {"max": 1}, "parked": {}}, [], ["pull", {"max": 1}], "pull", 1, None])
def test_what_is_not_a_map_of_one_kind_is_refused(message: object) -> None:
    with pytest.raises(WireError, match="not a map of one kind"):
        wire.decode(wire.pack(message), wire.FROM_BRANE)


@pytest.mark.parametrize("kind", ["go", "call", "born", "Pull", "", "pull\0"])
def test_a_kind_of_another_conversation_is_refused(kind: str) -> None:
    with pytest.raises(WireError, match="unexpected kind"):
        wire.decode(wire.pack({kind: {}}), wire.FROM_BRANE)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x81\xa4pull",
        wire.encode("pull", max=1) + b"\xc0",
        wire.encode("pull", max=1) * 2,
        b"\x81\xa4pull\x82\xa3max\x01\xa3max\x01",
        b"\x82\xa6parked\x80\xa6parked\x80",
        b"\x81\xa4pull\x81\x01\x01",
        b"\x81\x01\x80",
        b"\x81\xc4\x04pull\x81\xa3max\x01",
        b"\x81\xa4pull\x81\xa3max\xd4\x05a",
        b"\x81\xa4pull\x81\xa3max\xd6\xff\0\0\0\0",
        b"\x81\xa6exited\x81\xa4code\xa1\xff",
        b"\x81\xa2\xed\xa0\x80",
        b"\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ],
    ids=lambda data: data.hex()[:24] or "nothing",
)
def test_bytes_that_are_not_one_whole_message_are_refused(data: bytes) -> None:
    with pytest.raises(WireError, match="malformed message"):
        wire.decode(data, wire.FROM_BRANE)


@pytest.mark.parametrize("head", [b"\x91", b"\x81\xa1a", b"\xdc\x0f\xff"], ids=["arrays", "maps", "wide arrays"])
def test_nesting_as_deep_as_a_frame_allows_is_refused_without_a_crash(head: bytes) -> None:
    with pytest.raises(WireError, match="malformed message"):
        wire.unpack(head * (wire.MAX_PAYLOAD // len(head)))


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd" + (1 << 23).to_bytes(4, "big") + b"\x90" * (1 << 23),
        (b"\xdc\x00\xff" + b"\x80" * 254) * 4000,
        b"\xdc\x10\x00" + (b"\xdc\x10\x00" + b"\xa2xy" * 4096) * 4096,
    ],
    ids=["one array of empty ones", "arrays of empty maps", "arrays of texts"],
)
def test_a_message_cannot_become_much_more_than_its_bytes(data: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="malformed message"):
            wire.unpack(data)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_a_frame_as_large_as_allowed_passes_and_one_byte_more_is_refused_both_ways() -> None:
    payload = bytes(wire.MAX_PAYLOAD)
    assert list(wire.Deframer().feed(wire.frame(payload))) == [payload]
    with pytest.raises(WireError, match="at most 16777216 allowed"):
        wire.frame(payload + b"a")
    with pytest.raises(WireError, match="at most 16777216 allowed"):
        list(wire.Deframer().feed((wire.MAX_PAYLOAD + 1).to_bytes(4, "little")))


def test_an_oversized_frame_is_refused_after_those_before_it() -> None:
    fed = wire.Deframer().feed(wire.frame(b"first") + b"\xff" * 4)
    assert next(fed) == b"first"
    with pytest.raises(WireError):
        next(fed)


def test_an_unfinished_frame_is_no_payload() -> None:
    deframer = wire.Deframer()
    assert list(deframer.feed(wire.frame(b"abc")[:-1])) == []
    assert list(deframer.feed(b"c")) == [b"abc"]


def test_the_library_that_packs_is_asked_for_binary_and_text_apart() -> None:
    assert wire.pack({"a": b"b"}) == b"\x81\xa1a\xc4\x01b" == msgpack.packb({"a": b"b"}, use_bin_type=True)
