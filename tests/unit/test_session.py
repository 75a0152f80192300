"""Orders of events that no sound brane sends end the session."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import session, wire
from branes.limits import Limits
from branes.plan import Binding
from branes.session import Broken, Denied, Exited, Limited, Output, Pull, Returned, Session, State, Trapped

BINDING = Binding(args=("app",), env={}, limits=Limits())
EVENTS: dict[str, dict[str, object]] = {
    "pull": {"max": 100},
    "output": {"stream": 1, "data": b"hi"},
    "denied": {"interface": "wasi:sockets/tcp", "function": "start-connect", "tried": ""},
    "limited": {"limit": "memory", "asked": 1},
    "returned": {"value": None},
    "exited": {"code": 3},
    "trapped": {"kind": "unreachable", "detail": "wasm", "backtrace": ""},
    "failed": {"step": "seal", "errno": 1, "detail": "no"},
}


def event(kind: str, /, **fields: object) -> bytes:
    return wire.frame(wire.encode(kind, **(fields or EVENTS[kind])))


def started() -> Session:
    """A session in its first call."""
    made = Session()
    digest = hashlib.sha256(made.go(BINDING, 1)[4:]).digest()
    made.call("run", [])
    assert list(made.feed(event("started", go=digest))) == []
    return made


def test_a_sound_brane_goes_from_go_to_its_exit() -> None:
    made = started()
    assert list(made.feed(event("output"))) == [Output(1, b"hi")]
    assert list(made.feed(event("pull"))) == [Pull(100)]
    assert made.stdin(b"in", eof=False) == event("stdin", data=b"in", eof=False)
    assert list(made.feed(event("denied"))) == [Denied("wasi:sockets/tcp", "start-connect", "")]
    assert made.recorded() == wire.frame(b"\x81\xa8recorded\x80")
    assert list(made.feed(event("limited"))) == [Limited("memory", 1)]
    made.recorded()
    assert list(made.feed(event("returned", value={"u8": 1}))) == [Returned({"u8": 1})]
    made.call("run", [])
    assert list(made.feed(event("exited"))) == [Exited(3)]
    assert made.state is State.ENDED


def test_a_trap_is_an_end() -> None:
    made = started()
    assert list(made.feed(event("trapped"))) == [Trapped("unreachable", "wasm", "")]
    assert made.state is State.ENDED


@pytest.mark.parametrize("kind", [*EVENTS, "started"])
def test_an_event_before_the_echo_of_go_breaks_the_session(kind: str) -> None:
    made = Session()
    made.go(BINDING, 1)
    made.call("run", [])
    fields = {"go": bytes(32)} if kind == "started" else EVENTS[kind]
    (found,) = made.feed(event(kind, **fields))
    assert isinstance(found, Broken)
    assert made.state is State.ENDED


def test_an_echo_of_other_bindings_breaks_the_session() -> None:
    made = Session()
    other = hashlib.sha256(Session().go(BINDING, 2)[4:]).digest()
    made.go(BINDING, 1)
    assert list(made.feed(event("started", go=other))) == [
        Broken("the brane started with other bindings than it was given")
    ]


def test_a_second_echo_breaks_the_session() -> None:
    made = Session()
    echo = event("started", go=hashlib.sha256(made.go(BINDING, 1)[4:]).digest())
    found = list(made.feed(echo + echo))
    assert [type(one) for one in found] == [Broken]


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_between_calls_breaks_the_session(kind: str) -> None:
    made = started()
    list(made.feed(event("returned")))
    assert made.state is State.IDLE
    assert list(made.feed(event(kind))) == [Broken(f"event {kind} out of turn")]


@pytest.mark.parametrize("owed", ["denied", "limited"])
@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_while_a_record_is_waited_for_breaks_the_session(owed: str, kind: str) -> None:
    made = started()
    first, second = made.feed(event(owed) + event(kind))
    assert not isinstance(first, Broken)
    assert second == Broken(f"event {kind} out of turn")


def test_asking_twice_for_input_breaks_the_session() -> None:
    made = started()
    assert list(made.feed(event("pull") * 2)) == [
        Pull(100),
        Broken("a second request for input before the first was answered"),
    ]


@pytest.mark.parametrize("kind", ["exited", "trapped", "failed"])
def test_nothing_follows_an_end(kind: str) -> None:
    made = started()
    list(made.feed(event(kind)))
    assert [type(one) for one in made.feed(event("output"))] == [Broken]


def test_a_failed_step_breaks_the_session_and_is_named() -> None:
    assert list(started().feed(event("failed"))) == [Broken("step seal failed: no")]


@pytest.mark.parametrize("data", [b"\xff" * 4, wire.frame(b"\xc1"), wire.frame(b""), wire.frame(wire.encode("sealed"))])
def test_what_is_no_event_breaks_the_session(data: bytes) -> None:
    made = started()
    assert [type(one) for one in made.feed(data)] == [Broken]
    assert made.state is State.ENDED


@given(st.lists(st.sampled_from([*EVENTS, "started", "garbage"]), max_size=8))
def test_whatever_the_order_nothing_but_broken_follows_the_first_break_or_end(kinds: list[str]) -> None:
    made = started()
    hostile = {"started": event("started", go=bytes(32)), "garbage": event("pull", max=0)}
    found = [one for kind in kinds for one in made.feed(hostile.get(kind) or event(kind))]
    ends = [index for index, one in enumerate(found) if isinstance(one, Broken | Exited | Trapped)]
    if ends:
        assert all(isinstance(one, Broken) for one in found[ends[0] + 1 :])
        assert made.state is State.ENDED


def test_input_is_given_once_and_no_more_than_was_asked_for() -> None:
    made = started()
    with pytest.raises(RuntimeError, match="nobody asked for"):
        made.stdin(b"", eof=True)
    list(made.feed(event("pull")))
    with pytest.raises(RuntimeError, match="nobody asked for"):
        made.stdin(bytes(101), eof=False)
    made.stdin(bytes(100), eof=False)
    with pytest.raises(RuntimeError, match="nobody asked for"):
        made.stdin(b"", eof=True)


def test_a_request_for_input_is_cut_to_what_fits_a_pipe() -> None:
    assert list(started().feed(event("pull", max=wire.MAX_CHUNK))) == [Pull(wire.MAX_INPUT)]


def test_an_answer_is_given_only_to_what_waits_for_one() -> None:
    with pytest.raises(RuntimeError, match="no record is waited for"):
        started().recorded()


def test_go_is_said_once_and_a_call_waits_for_the_one_before() -> None:
    made = started()
    with pytest.raises(RuntimeError, match="session is calling"):
        made.go(BINDING, 1)
    with pytest.raises(RuntimeError, match="session is calling"):
        made.call("run", [])


def test_what_does_not_fit_a_frame_changes_nothing() -> None:
    made = started()
    list(made.feed(event("returned")))
    with pytest.raises(wire.WireError):
        made.call("run", [{"string": "a" * wire.MAX_PAYLOAD}])
    assert made.state is State.IDLE
    assert made.call("run", [])


def test_every_kind_of_event_is_covered_here() -> None:
    assert {*EVENTS, "started"} == wire.FROM_BRANE.keys()
    assert session.Event


def test_a_limit_is_reported_once() -> None:
    made = started()
    assert list(made.feed(event("limited"))) == [Limited("memory", 1)]
    made.recorded()
    assert [type(one) for one in made.feed(event("limited"))] == [Broken]
