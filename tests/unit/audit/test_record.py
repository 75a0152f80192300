"""One record, one spelling: hostile values go in, and only that spelling comes out or is let in."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import FrozenInstanceError
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from branes.audit import MAX_LINE, Event, MalformedError, Record, decode, encode
from branes.audit.canonical import SpellingError, dumps, loads
from branes.audit.record import scan

if TYPE_CHECKING:
    from collections.abc import Callable

WALL = "2026-01-02T03:04:05.000006Z"
PREV = "0" * 64
GOLDEN = (
    b'{"boot":7,"done":{"action":"killed"},"event":"seccomp.denied","layer":"process",'
    b'"plan":"sha256:abababababababababababababababababababababababababababababababab",'
    b'"prev":"0000000000000000000000000000000000000000000000000000000000000000",'
    b'"run":"run-1","seq":1,"tried":{"args":[1,"9223372036854775808","x\\ny"],"syscall":"connect"},'
    b'"wall":"2026-01-02T03:04:05.000006Z"}\n'
)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.binary(max_size=20)
)
hostile = st.dictionaries(
    st.text(st.characters(exclude_categories=()), max_size=8),
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=20,
    ),
    max_size=6,
)


def make(**fields: object) -> Event:
    given_fields: dict[str, object] = {"run": "", "plan": "", "layer": "host", "event": "test.event"}
    return Event(**{**given_fields, **fields})  # type: ignore[arg-type]


def line_of(event: Event) -> bytes:
    return encode(event, 1, WALL, 7, PREV)


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels):
        value = {"in": value}
    return value


def test_the_bytes_of_a_record_are_pinned(event: Callable[..., Event]) -> None:
    assert line_of(event()) == GOLDEN


def test_a_record_is_what_rfc8785_makes_of_its_fields() -> None:
    assert rfc8785.dumps(json.loads(GOLDEN)) + b"\n" == GOLDEN


def test_decode_gives_back_every_field(event: Callable[..., Event]) -> None:
    assert decode(GOLDEN) == Record(
        seq=1,
        wall=WALL,
        boot=7,
        run="run-1",
        plan="sha256:" + "ab" * 32,
        layer="process",
        event="seccomp.denied",
        tried=event().tried,
        done=event().done,
        prev=PREV,
        digest=hashlib.sha256(GOLDEN).hexdigest(),
    )


def test_scan_gives_seq_and_prev() -> None:
    assert scan(GOLDEN) == (1, PREV)


@given(tried=hostile, done=hostile)
@settings(deadline=None, max_examples=300)
def test_nothing_hostile_is_refused_and_all_of_it_reads_back(tried: dict[str, object], done: dict[str, object]) -> None:
    event = make(tried=tried, done=done)
    line = line_of(event)
    record = decode(line)
    assert (record.tried, record.done) == (event.tried, event.done)
    assert rfc8785.dumps(json.loads(line)) + b"\n" == line
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_LINE
    assert len(record.tried) == len(tried)


@given(tried=hostile)
@settings(deadline=None)
def test_what_is_recorded_cannot_steer_a_terminal(tried: dict[str, object]) -> None:
    text = line_of(make(tried=tried)).decode()
    steering = [c for c in text[:-1] if ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2066\u2028"]
    assert steering == []


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
@example({"\U0001f600": 1, "\ufb33": 2})
@example({"a": 1e16})
@example([1.0, -0.0, 5e-324, 123456789012345678])
@settings(deadline=None, max_examples=300)
def test_the_fast_spelling_is_that_of_the_reference(value: object) -> None:
    try:
        expected = rfc8785.dumps(value)  # type: ignore[arg-type]
    except ValueError:
        with pytest.raises(SpellingError):
            dumps(value)
    else:
        assert dumps(value) == expected


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), st.booleans())
@settings(deadline=None, max_examples=300)
def test_only_the_reference_spelling_is_read(value: object, escape: bool) -> None:  # noqa: FBT001
    try:
        spelled = json.dumps(value, ensure_ascii=escape, separators=(",", ":")).encode()
    except (TypeError, ValueError):
        return
    try:
        canonical = rfc8785.dumps(json.loads(spelled)) == spelled
    except ValueError:
        canonical = False
    if canonical:
        assert loads(spelled) == json.loads(spelled)
    else:
        with pytest.raises(SpellingError):
            loads(spelled)


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (2**53 - 1, 2**53 - 1),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (1 << 2000, hex(1 << 2000)),
        (math.inf, "inf"),
        (math.nan, "nan"),
        (1e300, "1e+300"),
        (0.5, 0.5),
        (True, True),
        ("\ud800", "\\ud800"),
        ("\x9b31m\u202e\u200b\x7f", "\\x9b31m\\u202e\\u200b\\x7f"),
        (b"caf\xc3\xa9 \xff", "café \\xff"),
        ("\x1b[31m", "\x1b[31m"),  # JSON itself spells C0 controls out
        (IntEnum("Number", {"ONE": 1}).ONE, 1),
        (StrEnum("Text", {"ONE": "one"}).ONE, "one"),
        ((1, [2]), [1, [2]]),
    ],
)
def test_a_value_is_spelled_out(value: object, recorded: object) -> None:
    assert decode(line_of(make(tried={"value": value}))).tried == {"value": recorded}


def test_names_that_come_to_be_spelled_alike_stay_apart() -> None:
    assert make(tried={"\ud800": 1, "\\ud800": 2}).tried == {"\\ud800": 1, "\\ud800~1": 2}


def test_depth_is_bounded() -> None:
    tried = make(tried=nested(5000)).tried
    assert "nested deeper than 16 levels" in str(tried)


def test_an_event_keeps_what_was_true_when_it_was_made() -> None:
    tried = {"paths": ["/etc/passwd"]}
    event = make(tried=tried)
    tried["paths"].append("/root")
    assert event.tried == {"paths": ["/etc/passwd"]}


def test_a_tried_that_is_too_long_is_replaced_by_its_digest_and_size() -> None:
    tried = {"data": "x" * MAX_LINE}
    spelled = rfc8785.dumps(tried)
    event = make(tried=tried, done={"action": "denied"})
    omitted = event.tried["omitted"]
    assert omitted == {
        "bytes": len(spelled),
        "sha256": hashlib.sha256(spelled).hexdigest(),
        "start": spelled[:256].decode(),
    }
    assert event.done == {"action": "denied"}


def test_both_parts_too_long_still_make_a_record() -> None:
    big = {"data": "\x00" * MAX_LINE}
    record = decode(line_of(make(tried=big, done=big)))
    assert set(record.tried) == set(record.done) == {"omitted"}


@pytest.mark.parametrize("size", range(63_400, 64_600, 100))
def test_a_line_never_exceeds_its_bound(size: int) -> None:
    event = make(
        run="r" * 128,
        plan="sha256:" + "0" * 64,
        layer="language",
        event="e." + "v" * 62,
        tried={"data": "x" * size},
    )
    assert len(encode(event, 2**53 - 1, WALL, 2**53 - 1, PREV)) <= MAX_LINE


@pytest.mark.parametrize(
    "fields",
    [
        {"run": "a b"},
        {"run": "a\n"},
        {"run": "x" * 129},
        {"run": "../up"},
        {"plan": "sha256:" + "A" * 64},
        {"plan": "sha512:" + "a" * 64},
        {"layer": "wasm"},
        {"layer": ""},
        {"event": "denied"},
        {"event": "Wasi.denied"},
        {"event": "wasi.denied\n"},
        {"event": "a." + "b" * 63},
    ],
)
def test_a_name_out_of_form_is_the_callers_mistake(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(fields))} is"):
        make(**fields)


@pytest.mark.parametrize("tried", [{"a": {1, 2}}, {"a": object()}, {1: "a"}, [("a", 1)], "text"])
def test_what_json_cannot_express_is_the_callers_mistake(tried: object) -> None:
    with pytest.raises(TypeError, match="expected"):
        make(tried=tried)


@pytest.mark.parametrize(
    "place",
    [(0, WALL, 7, PREV), (1, "2026-01-02 03:04:05Z", 7, PREV), (1, WALL, -1, PREV), (1, WALL, 7, "0")],
)
def test_a_place_out_of_form_is_not_encoded(place: tuple[int, str, int, str]) -> None:
    with pytest.raises(ValueError, match="is not"):
        encode(make(), *place)


def test_an_event_cannot_be_changed(event: Callable[..., Event]) -> None:
    with pytest.raises(FrozenInstanceError):
        event().run = "other"


@pytest.mark.parametrize(
    ("spoiled", "why"),
    [
        (GOLDEN[:-1], "newline"),
        (GOLDEN + b"\n", "spelled|not JSON"),
        (b"\n", "not JSON"),
        (b"{}\n", "fields"),
        (b"[]\n", "fields"),
        (b"null\n", "fields"),
        (b"[" * 5000 + b"]" * 5000 + b"\n", "not JSON"),
        (b"\xff" + GOLDEN, "not JSON"),
        (GOLDEN.replace(b'"boot":7', b'"boot": 7'), "spell"),
        (GOLDEN.replace(b'"boot":7', b'"boot":7.0'), "spell"),
        (GOLDEN.replace(b'"boot":7', b'"boot":1e999'), "spell"),
        (GOLDEN.replace(b'"boot":7', b'"boot":NaN'), "spell"),
        (GOLDEN.replace(b'"boot":7', b'"boot":-7'), "boot"),
        (GOLDEN.replace(b'"boot":7', b'"boot":true'), "boot"),
        (GOLDEN.replace(b'"boot":7', b'"boot":9007199254740992'), "spell"),
        (GOLDEN.replace(b'"boot":7', b'"boot":7,"boot":7'), "spell"),
        (GOLDEN.replace(b'"boot":7,', b""), "fields"),
        (GOLDEN.replace(b'"boot":7', b'"boot":7,"came":1'), "fields"),
        (GOLDEN.replace(b"seccomp", b"\\u0073eccomp"), "spell"),
        (GOLDEN.replace(b"connect", b"\\ud800"), "spell"),
        (GOLDEN.replace(b'"run":"run-1"', b'"run":{}'), "unhashable|run"),
        (GOLDEN.replace(b'"run":"run-1"', b'"run":1'), "expected string"),
        (GOLDEN.replace(b'"layer":"process"', b'"layer":"wasm"'), "layer"),
        (GOLDEN.replace(b'{"action":"killed"}', b'"killed"'), "tried or done"),
        (GOLDEN.replace(b'"seq":1', b'"seq":0'), "seq"),
        (GOLDEN.replace(b"03:04:05.000006Z", b"03:04:05Z"), "wall"),
        (GOLDEN.replace(b"connect", b"c" * MAX_LINE), "longer than"),
    ],
)
def test_any_other_spelling_is_refused(spoiled: bytes, why: str) -> None:
    assert spoiled != GOLDEN
    for read in (decode, scan):
        with pytest.raises(MalformedError, match=why):
            read(spoiled)


@given(at=st.integers(0, len(GOLDEN) - 1), byte=st.integers(0, 255))
@settings(deadline=None, max_examples=500)
def test_one_changed_byte_makes_no_record_or_another(at: int, byte: int) -> None:
    changed = GOLDEN[:at] + bytes([byte]) + GOLDEN[at + 1 :]
    try:
        record = decode(changed)
    except MalformedError:
        assert changed != GOLDEN
    else:
        assert (changed == GOLDEN) == (record == decode(GOLDEN))


def test_why_a_line_is_refused_quotes_none_of_it() -> None:
    with pytest.raises(MalformedError) as caught:
        decode(GOLDEN.replace(b'"run":"run-1"', b'"run":"evil \\u001b[31m"'))
    assert "evil" not in str(caught.value)
