"""Orders of events that no sound brane sends end the session."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branes import session, wire
from branes.calling import run_code
from branes.limits import Limits
from branes.plan import Binding
from branes.session import (
    Asked,
    Broken,
    Denied,
    Exited,
    Filed,
    Limited,
    Output,
    Pull,
    Returned,
    Session,
    State,
    Trapped,
)
from branes.values.packed import pack

RUN = run_code("", "app", [])
BINDING = Binding(args=("app",), env={}, limits=Limits(), tools=("search",))
EVENTS: dict[str, dict[str, object]] = {
    "pull": {"max": 100},
    "output": {"stream": 1, "data": b"hi"},
    "denied": {"interface": "wasi:sockets/tcp", "function": "start-connect", "tried": ""},
    "limited": {"limit": "memory", "asked": 1},
    "asked": {"name": "search", "arguments": b"{}"},
    "file": {"answer": {"stored": {}}},
    "returned": {"value": pack(0)},
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
    made.call(RUN)
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
    assert list(made.feed(event("returned", value=pack(1)))) == [Returned(1)]
    made.call(RUN)
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
    made.call(RUN)
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


@pytest.mark.parametrize("owed", ["denied", "limited", "asked"])
@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_while_an_answer_is_waited_for_breaks_the_session(owed: str, kind: str) -> None:
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


def test_a_tool_is_called_and_answered_once() -> None:
    made = started()
    with pytest.raises(RuntimeError, match="no tool was called"):
        made.answered(b"1", failed=False)
    assert list(made.feed(event("pull") + event("asked"))) == [Pull(100), Asked("search", b"{}")]
    assert made.stdin(b"in", eof=False)
    assert made.answered(b"1", failed=False) == event("answered", result={"Ok": b"1"})
    with pytest.raises(RuntimeError, match="no tool was called"):
        made.answered(b"1", failed=False)
    assert list(made.feed(event("asked"))) == [Asked("search", b"{}")]
    assert made.answered(b"{}", failed=True) == event("answered", result={"Err": b"{}"})


@pytest.mark.parametrize("name", ["", "Search", "search ", "search.", "searc", "db"])
def test_a_tool_that_was_not_granted_breaks_the_session(name: str) -> None:
    made = started()
    assert list(made.feed(event("asked", name=name, arguments=b"{}"))) == [
        Broken("a call of a tool that was not granted")
    ]
    assert made.state is State.ENDED


def test_arguments_of_a_tool_beyond_their_bound_break_the_session() -> None:
    made = started()
    most = {"name": "search", "arguments": bytes(wire.MAX_TOOL)}
    assert [type(one) for one in made.feed(event("asked", **most))] == [Asked]
    made.answered(b"1", failed=False)
    (found,) = made.feed(event("asked", **most | {"arguments": bytes(wire.MAX_TOOL + 1)}))
    assert isinstance(found, Broken)


def test_go_is_said_once_and_a_call_waits_for_the_one_before() -> None:
    made = started()
    with pytest.raises(RuntimeError, match="session is calling"):
        made.go(BINDING, 1)
    with pytest.raises(RuntimeError, match="session is calling"):
        made.call(RUN)


def test_what_does_not_fit_a_frame_changes_nothing() -> None:
    made = started()
    list(made.feed(event("returned")))
    with pytest.raises(wire.WireError):
        made.call(replace(RUN, args=b"a" * wire.MAX_PAYLOAD))
    assert made.state is State.IDLE
    assert made.call(RUN)


STAT = {"stat": {"mount": 0, "path": ""}}
FETCH = {"fetch": {"mount": 0, "path": "a", "offset": 0}}
LIST = {"list": {"mount": 0, "path": "", "after": "b"}}
ENTRY = {"name": "c", "kind": "file", "size": 1, "executable": False, "target": ""}
FAILED = {"failed": {"code": "no-entry"}}


def staying() -> Session:
    """A session whose guest has exited, and whose brane is there for its files."""
    made = Session()
    digest = hashlib.sha256(made.go(replace(BINDING, stays=True), 1)[4:]).digest()
    made.call(RUN)
    assert list(made.feed(event("started", go=digest) + event("exited"))) == [Exited(3)]
    assert made.stays
    return made


def test_files_are_asked_about_before_the_first_call_between_calls_and_after_the_exit() -> None:
    made = Session()
    digest = hashlib.sha256(made.go(BINDING, 1)[4:]).digest()
    made.filed(STAT)
    assert list(made.feed(event("started", go=digest) + event("file", answer=FAILED))) == [
        Filed("failed", {"code": "no-entry"})
    ]
    made.call(RUN)
    assert list(made.feed(event("returned"))) == [Returned(0)]
    made.filed(STAT)
    assert list(made.feed(event("file", answer={"found": ENTRY | {"name": ""}}))) == [
        Filed("found", ENTRY | {"name": ""})
    ]
    assert made.state is State.IDLE
    over = staying()
    for _ in range(2):
        over.filed(FETCH)
        assert list(over.feed(event("file", answer={"fetched": {"data": b"", "end": True}})))
        assert over.stays


@pytest.mark.parametrize("state", [State.PARKED, State.CALLING, State.FILING, State.ENDED])
def test_files_are_asked_about_at_no_other_time(state: State) -> None:
    made = Session()
    made.state = state
    with pytest.raises(RuntimeError, match="expected"):
        made.filed(STAT)


def test_a_brane_that_stays_is_called_no_more() -> None:
    with pytest.raises(RuntimeError, match="session is staying"):
        staying().call(RUN)


@pytest.mark.parametrize("kind", [*EVENTS, "started"])
def test_nothing_comes_from_a_brane_that_stays_and_is_not_asked(kind: str) -> None:
    made = staying()
    (found,) = made.feed(event(kind, **({"go": bytes(32)} if kind == "started" else EVENTS[kind])))
    assert isinstance(found, Broken)
    assert made.state is State.ENDED


@pytest.mark.parametrize("kind", sorted({*EVENTS, "started"} - {"file"}))
def test_nothing_but_an_answer_comes_while_files_are_asked_about(kind: str) -> None:
    made = staying()
    made.filed(STAT)
    (found,) = made.feed(event(kind, **({"go": bytes(32)} if kind == "started" else EVENTS[kind])))
    assert isinstance(found, Broken)


def test_an_answer_comes_once() -> None:
    made = staying()
    made.filed(STAT)
    first, second = made.feed(event("file", answer=FAILED) * 2)
    assert isinstance(first, Filed)
    assert isinstance(second, Broken)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (STAT, {"stored": {}}),
        (STAT, {"listed": {"entries": [], "more": False}}),
        (FETCH, {"found": ENTRY}),
        (FETCH, {"fetched": {"data": b"short", "end": False}}),
        (FETCH, {"fetched": {"data": b"", "end": False}}),
        (LIST, {"fetched": {"data": b"", "end": True}}),
        (LIST, {"listed": {"entries": [], "more": True}}),
        (LIST, {"listed": {"entries": [ENTRY | {"name": "a"}], "more": False}}),
        (LIST, {"listed": {"entries": [ENTRY | {"name": "b"}], "more": False}}),
        (LIST, {"listed": {"entries": [ENTRY, ENTRY], "more": False}}),
        (LIST, {"listed": {"entries": [ENTRY | {"name": "d"}, ENTRY], "more": False}}),
        (LIST, {"listed": {"entries": [ENTRY | {"name": "c/d"}], "more": False}}),
        (LIST | {}, {"listed": {"entries": [ENTRY | {"name": "c\0"}], "more": False}}),
        (
            {"list": {"mount": 0, "path": "", "after": ""}},
            {"listed": {"entries": [ENTRY | {"name": ".."}], "more": False}},
        ),
        (
            {"list": {"mount": 0, "path": "", "after": ""}},
            {"listed": {"entries": [ENTRY | {"name": ""}], "more": False}},
        ),
    ],
)
def test_an_answer_that_can_be_none_to_the_question_breaks_the_session(
    command: dict[str, object], answer: dict[str, object]
) -> None:
    made = staying()
    made.filed(command)
    (found,) = made.feed(event("file", answer=answer))
    assert isinstance(found, Broken)


def test_every_kind_of_event_is_covered_here() -> None:
    assert {*EVENTS, "started"} == wire.FROM_BRANE.keys()
    assert session.Event


def test_a_limit_is_reported_once() -> None:
    made = started()
    assert list(made.feed(event("limited"))) == [Limited("memory", 1)]
    made.recorded()
    assert [type(one) for one in made.feed(event("limited"))] == [Broken]
