"""What an owner does about a brane: the order of records, answers and kills is the point."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from branes import errors, wire
from branes._kernel import Notification
from branes.calling import eval_expression, run_code
from branes.conduct import (
    FREE_PIECES,
    HEADROOM,
    MAX_CALLS,
    PIECE,
    Action,
    Answer,
    Conduct,
    Done,
    Emit,
    Kill,
    Record,
    Run,
    Send,
    Want,
)
from branes.limits import Limits
from branes.outcome import Died, Usage
from branes.plan import Binding
from branes.session import Filed, Session
from branes.values.packed import pack

if TYPE_CHECKING:
    from branes.audit import Event

LIMITS = Limits(memory=1 << 20, timeout=2.0, output=10, refusals=3, calls=3)
DENIED = {"interface": "wasi:sockets/tcp", "function": "start-connect", "tried": "1.2.3.4:80"}
DIED = Died(code=0, signal=0, user=0.5, system=0.25, max_rss=4096)
RUN = run_code("", "app", [])
KILLED = replace(DIED, signal=9)
RECORDED = wire.frame(wire.encode("recorded"))
SOCKET = Notification(id=1, pid=2, number=41, arch=0xC000003E, instruction_pointer=0, args=(2, 1, 0, 0, 0, 0))


def event(kind: str, /, **fields: object) -> bytes:
    return wire.frame(wire.encode(kind, **fields))


@pytest.fixture
def conduct() -> Conduct:
    """A conduct whose brane is in its first call."""
    session = Session()
    made = Conduct(session, "run1", "sha256:" + "0" * 64, LIMITS)
    go = session.go(Binding(args=("app",), env={}, limits=LIMITS, tools=("search",)), LIMITS.memory)
    session.call(RUN)
    assert made.received(event("started", go=hashlib.sha256(go[4:]).digest())) == []
    return made


def kinds(actions: list[Action]) -> list[type]:
    return [type(action) for action in actions]


def recorded(actions: list[Action]) -> list[str]:
    return [made.event for action in actions if isinstance(action, Record) for made in action.events]


def ended(conduct: Conduct, died: Died) -> dict[str, object]:
    """What the record of the end says was done."""
    last = conduct.died(died)[-1]
    assert isinstance(last, Record)
    assert last.events[-1].event == "run.ended"
    return dict(last.events[-1].done)


def test_output_input_and_results_are_passed_on_in_order(conduct: Conduct) -> None:
    stream = event("output", stream=1, data=b"hi") + event("pull", max=5) + event("returned", value=pack(1))
    assert conduct.received(stream) == [Emit(1, b"hi"), Want(5), Done(1)]
    assert conduct.fate is None


def test_input_is_sent_as_it_comes(conduct: Conduct) -> None:
    conduct.received(event("pull", max=5))
    assert conduct.input(b"in", eof=False) == [Send(event("stdin", data=b"in", eof=False))]


def test_a_refusal_is_recorded_before_it_is_answered(conduct: Conduct) -> None:
    actions = conduct.received(event("denied", **DENIED))
    assert kinds(actions) == [Record, Send]
    assert recorded(actions) == ["wasi.denied"]
    assert actions[1] == Send(RECORDED)


def test_a_refusal_is_told_to_the_caller_with_the_number_of_its_record(conduct: Conduct) -> None:
    (record, _) = conduct.received(event("denied", **DENIED))
    assert conduct.denials == []
    assert isinstance(record, Record)
    conduct.recorded(record, 17)
    (denial,) = conduct.denials
    assert (denial.layer, denial.rule, denial.seq) == ("language", "interface-denied", 17)
    assert denial.tried == "wasi:sockets/tcp start-connect 1.2.3.4:80"


def test_the_last_refusal_that_is_allowed_kills_after_its_record(conduct: Conduct) -> None:
    for _ in range(LIMITS.refusals - 1):
        assert kinds(conduct.received(event("denied", **DENIED))) == [Record, Send]
    last = conduct.received(event("denied", **DENIED))
    assert kinds(last) == [Record, Kill]
    assert recorded(last) == ["wasi.denied"]
    assert isinstance(conduct.fate, errors.LimitExceeded)
    assert conduct.fate.limit == "refusals"


def test_a_limit_that_the_guest_may_handle_is_recorded_and_answered(conduct: Conduct) -> None:
    actions = conduct.received(event("limited", limit="memory", asked=1 << 30))
    assert recorded(actions) == ["limit.memory"]
    assert isinstance(actions[0], Record)
    assert actions[0].events[0].tried == {"asked": 1 << 30}
    assert actions[0].events[0].done == {"refused": True, "limit": LIMITS.memory}
    assert actions[1] == Send(RECORDED)
    assert conduct.fate is None


def test_a_guest_that_gives_up_after_it_was_refused_memory_is_at_its_limit(conduct: Conduct) -> None:
    conduct.received(event("limited", limit="memory", asked=1 << 30))
    actions = conduct.received(event("trapped", kind="unreachable-code-reached", detail="abort", backtrace="main"))
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["wasm.trap"]
    assert isinstance(actions[0], Record)
    assert actions[0].events[0].done == {"ended": True, "limit": "memory"}
    assert isinstance(conduct.fate, errors.LimitExceeded)
    assert (conduct.fate.limit, conduct.fate.exit_code) == ("memory", 137)
    assert "--memory" in conduct.fate.hint
    assert ended(conduct, KILLED)["outcome"] == "limit"


@pytest.mark.parametrize("kind", ["integer-division-by-zero", "memory-out-of-bounds", "stack-overflow", "host"])
def test_any_other_trap_of_a_guest_that_was_refused_memory_is_its_own_fault(conduct: Conduct, kind: str) -> None:
    conduct.received(event("limited", limit="memory", asked=1 << 30))
    conduct.received(event("trapped", kind=kind, detail="", backtrace=""))
    assert isinstance(conduct.fate, errors.Trapped)
    assert conduct.fate.exit_code == 134


def test_a_refused_system_call_is_recorded_then_kills_and_is_never_answered(conduct: Conduct) -> None:
    actions = conduct.notified(SOCKET, "socket")
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["seccomp.denied"]
    assert isinstance(conduct.fate, errors.Escaped)
    assert conduct.fate.refusals[0].item == "socket"


def test_too_much_output_is_recorded_then_kills_and_none_of_it_is_passed_on(conduct: Conduct) -> None:
    within = conduct.received(event("output", stream=1, data=b"12345") + event("output", stream=2, data=b"67890"))
    assert kinds(within) == [Emit, Emit]
    beyond = conduct.received(event("output", stream=1, data=b"!"))
    assert kinds(beyond) == [Record, Kill]
    assert recorded(beyond) == ["limit.output"]
    assert isinstance(conduct.fate, errors.LimitExceeded)
    assert conduct.fate.limit == "output"


def test_output_in_too_many_pieces_is_too_much_of_it(conduct: Conduct) -> None:
    conduct.pieces, few = FREE_PIECES - 100, 100 + conduct.limits.output // PIECE
    conduct.output = -few
    one = event("output", stream=1, data=b"!")
    assert kinds(conduct.received(one * few)) == [Emit] * few
    assert kinds(conduct.received(one)) == [Record, Kill]
    assert isinstance(conduct.fate, errors.LimitExceeded)
    assert conduct.fate.limit == "output"


def test_the_end_of_time_is_recorded_then_kills(conduct: Conduct) -> None:
    actions = conduct.timed_out()
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["limit.time"]
    assert isinstance(conduct.fate, errors.DeadlineExceeded)


def test_memory_beyond_the_limit_and_its_headroom_is_recorded_then_kills(conduct: Conduct) -> None:
    assert conduct.grown(LIMITS.memory + HEADROOM) == []
    actions = conduct.grown(LIMITS.memory + HEADROOM + 1)
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["limit.memory"]
    assert conduct.grown(1 << 40) == []


def test_a_broken_protocol_is_recorded_then_kills(conduct: Conduct) -> None:
    actions = conduct.received(event("sealed", listener=3))
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["protocol.broken"]
    assert isinstance(conduct.fate, errors.HostFault)


def test_a_lost_listener_is_recorded_then_kills(conduct: Conduct) -> None:
    actions = conduct.sensor_lost()
    assert recorded(actions) == ["sensor.lost"]
    assert kinds(actions) == [Record, Kill]


def test_a_trap_is_recorded_and_is_the_guests_fault(conduct: Conduct) -> None:
    trap = event("trapped", kind="unreachable-code-reached", detail="\x1b[2J", backtrace="\x1b[2J")
    actions = conduct.received(trap)
    assert recorded(actions) == ["wasm.trap"]
    assert isinstance(conduct.fate, errors.Trapped)
    assert conduct.fate.trap == "unreachable-code-reached"
    assert "\x1b" not in f"{conduct.fate} {conduct.fate.hint} {vars(conduct.fate)}"


def test_a_cancelled_run_is_recorded_then_killed(conduct: Conduct) -> None:
    actions = conduct.cancelled()
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["run.cancelled"]
    assert ended(conduct, KILLED)["outcome"] == "cancelled"


def test_nothing_that_a_condemned_brane_says_counts(conduct: Conduct) -> None:
    conduct.timed_out()
    fate = conduct.fate
    assert conduct.received(event("output", stream=1, data=b"hi") + event("returned", value=pack(0))) == []
    assert conduct.received(b"\xff" * 8) == []
    assert conduct.cancelled() == []
    assert conduct.timed_out() == []
    assert conduct.fate is fate


def test_what_follows_a_break_in_the_same_bytes_is_dropped(conduct: Conduct) -> None:
    actions = conduct.received(event("sealed", listener=3) + event("output", stream=1, data=b"hi"))
    assert kinds(actions) == [Record, Kill]


def test_an_attempt_of_a_condemned_brane_is_still_recorded(conduct: Conduct) -> None:
    conduct.timed_out()
    assert recorded(conduct.notified(SOCKET, "socket")) == ["seccomp.denied"]
    assert isinstance(conduct.fate, errors.DeadlineExceeded)


def test_a_call_is_recorded_with_whatever_comes_next(conduct: Conduct) -> None:
    conduct.called("run", "sha256:" + "1" * 64)
    assert recorded(conduct.received(event("denied", **DENIED))) == ["call.started", "wasi.denied"]
    assert recorded(conduct.died(KILLED)) == ["run.ended"]


def test_many_calls_are_recorded_although_nothing_else_happens(conduct: Conduct) -> None:
    for _ in range(MAX_CALLS - 1):
        conduct.called("run", "sha256:00")
    assert conduct.received(event("returned", value=pack(0))) == [Done(0)]
    conduct.session.call(RUN)
    conduct.called("run", "sha256:00")
    actions = conduct.received(event("returned", value=pack(0)))
    assert kinds(actions) == [Record, Done]
    assert recorded(actions) == ["call.started"] * MAX_CALLS
    assert recorded(conduct.died(KILLED)) == ["run.ended"]


def test_an_exit_is_an_exit_whatever_its_code(conduct: Conduct) -> None:
    for code in (0, 1, 70, 71, 255):
        made = Conduct(Session(), "run1", "", LIMITS)
        made.session.state = conduct.session.state
        assert made.received(event("exited", code=code)) == []
        assert ended(made, DIED)["outcome"] == "exited"
        assert (made.exit_code, made.fate) == (code, None)


@pytest.fixture
def stays_behind() -> Conduct:
    """A conduct whose guest has exited with 3, and whose brane is there for its files."""
    made = Conduct(Session(), "run1", "sha256:" + "0" * 64, LIMITS)
    binding = Binding(args=("app",), env={}, limits=LIMITS, stays=True)
    go = made.session.go(binding, LIMITS.memory)
    made.session.call(RUN)
    made.received(event("started", go=hashlib.sha256(go[4:]).digest()))
    assert made.received(event("exited", code=3)) == [Done(None)]
    return made


def test_an_exit_of_a_guest_whose_brane_stays_is_the_end_of_the_call_and_not_of_the_brane(
    stays_behind: Conduct,
) -> None:
    assert (stays_behind.exit_code, stays_behind.fate) == (3, None)
    stays_behind.session.filed({"stat": {"mount": 0, "path": ""}})
    answer = stays_behind.received(event("file", answer={"failed": {"code": "no-entry"}}))
    assert answer == [Done(Filed("failed", {"code": "no-entry"}))]
    stays_behind.closed()
    done = ended(stays_behind, KILLED)
    assert (done["outcome"], done["exit_code"]) == ("exited", 3)


@pytest.mark.parametrize("died", [KILLED, replace(DIED, signal=11)])
def test_a_brane_that_stays_and_dies_unasked_did_not_do_what_it_should(stays_behind: Conduct, died: Died) -> None:
    stays_behind.session.filed({"stat": {"mount": 0, "path": ""}})
    assert ended(stays_behind, died)["outcome"] == "host-fault"
    assert isinstance(stays_behind.fate, errors.HostFault)


def test_what_a_brane_that_stays_says_unasked_is_recorded_and_kills(stays_behind: Conduct) -> None:
    actions = stays_behind.received(event("output", stream=1, data=b"x"))
    assert kinds(actions) == [Record, Kill]
    assert recorded(actions) == ["protocol.broken"]


def test_what_the_owner_does_about_files_is_recorded_with_what_follows_at_the_latest_its_end(conduct: Conduct) -> None:
    conduct.note("files.read", {"path": "/scratch/a"}, {"bytes": 1})
    conduct.closed()
    assert recorded(conduct.died(KILLED)) == ["files.read", "run.ended"]


def test_a_death_of_memory_that_no_event_announced_is_a_limit(conduct: Conduct) -> None:
    actions = conduct.died(replace(DIED, code=71))
    assert recorded(actions) == ["limit.memory", "run.ended"]
    assert isinstance(conduct.fate, errors.LimitExceeded)


def test_a_death_by_sigsys_is_an_escape(conduct: Conduct) -> None:
    actions = conduct.died(replace(DIED, signal=31))
    assert recorded(actions) == ["seccomp.denied", "run.ended"]
    assert isinstance(conduct.fate, errors.Escaped)


def test_a_death_by_sigsys_is_recorded_whatever_the_brane_said_before(conduct: Conduct) -> None:
    assert conduct.received(event("exited", code=0)) == []
    assert recorded(conduct.died(replace(DIED, signal=31))) == ["seccomp.denied", "run.ended"]
    assert isinstance(conduct.fate, errors.Escaped)


def test_a_death_by_sigsys_is_recorded_whatever_the_brane_was_to_die_of(conduct: Conduct) -> None:
    conduct.timed_out()
    assert recorded(conduct.died(replace(DIED, signal=31))) == ["seccomp.denied", "run.ended"]
    assert isinstance(conduct.fate, errors.DeadlineExceeded)


@pytest.mark.parametrize(
    "died", [replace(DIED, code=70), replace(DIED, code=1), DIED, replace(DIED, signal=11), KILLED]
)
def test_any_other_death_without_a_word_is_the_hosts_fault(conduct: Conduct, died: Died) -> None:
    conduct.died(died)
    assert isinstance(conduct.fate, errors.HostFault)


def test_a_brane_that_its_owner_closed_did_nothing_wrong(conduct: Conduct) -> None:
    conduct.closed()
    assert ended(conduct, KILLED)["outcome"] == "closed"
    assert conduct.fate is None


def test_the_end_says_what_the_last_call_exited_with(conduct: Conduct) -> None:
    conduct.received(event("returned", value=pack(3)))
    conduct.closed()
    done = ended(conduct, KILLED)
    assert (done["outcome"], done["exit_code"]) == ("closed", 3)


def test_the_end_says_no_exit_code_where_the_last_call_had_none(conduct: Conduct) -> None:
    conduct.received(event("returned", value=pack(3)))
    conduct.session.call(eval_expression("1"))
    conduct.called("eval", "sha256:00")
    conduct.received(event("returned", value=pack([0, "1"])))
    conduct.closed()
    assert "exit_code" not in ended(conduct, KILLED)


def test_a_call_that_did_not_come_to_its_end_has_no_exit_code(conduct: Conduct) -> None:
    conduct.received(event("returned", value=pack(3)))
    conduct.session.call(RUN)
    conduct.called("run", "sha256:00")
    conduct.timed_out()
    assert "exit_code" not in ended(conduct, KILLED)


def test_each_call_is_told_of_its_own_refusals_and_the_end_of_all(conduct: Conduct) -> None:
    told = []
    for seq in (1, 2):
        (record, _) = conduct.received(event("denied", **DENIED))
        assert isinstance(record, Record)
        conduct.recorded(record, seq)
        conduct.received(event("returned", value=pack(0)))
        told.append([denial.seq for denial in conduct.completed(0, b"", b"", Usage(wall=0.0)).denials])
        conduct.session.call(RUN)
        conduct.called("run", "sha256:00")
    assert told == [[1], [2]]
    assert conduct.completed(0, b"", b"", Usage(wall=0.0)).denials == ()
    assert ended(conduct, KILLED)["refused"] == 2


def test_of_a_brane_whose_template_died_the_end_says_no_usage(conduct: Conduct) -> None:
    assert ended(conduct, Died(code=0, signal=9))["usage"] == {}


def test_the_end_says_what_was_used_and_refused(conduct: Conduct) -> None:
    (record, _) = conduct.received(event("denied", **DENIED))
    assert isinstance(record, Record)
    conduct.recorded(record, 1)
    done = ended(conduct, KILLED)
    assert done["process"] == {"code": 0, "signal": 9}
    assert done["usage"] == {"user": "0.500000", "system": "0.250000", "max_rss": 4096}
    assert done["refused"] == 1


ASKED = {"name": "search", "arguments": b'{"args":[1],"kwargs":{}}'}
DIGEST = "sha256:" + hashlib.sha256(ASKED["arguments"]).hexdigest()  # type: ignore[arg-type]


def only(actions: list[Action]) -> Event:
    """The last event of the first record."""
    assert isinstance(actions[0], Record)
    return actions[0].events[-1]


def test_a_call_of_a_tool_is_recorded_with_the_digest_of_its_arguments_before_it_runs(conduct: Conduct) -> None:
    actions = conduct.received(event("asked", **ASKED))
    assert actions[1:] == [Run("search", b'{"args":[1],"kwargs":{}}')]
    made = only(actions)
    assert (made.layer, made.event) == ("language", "tool.called")
    assert (made.tried, made.done) == ({"tool": "search", "arguments": DIGEST}, {"granted": True})


@pytest.mark.parametrize(
    ("answer", "done", "result"),
    [
        (Answer(data=b"1"), {}, {"Ok": b"1"}),
        (Answer(data=b"{}", failed="KeyError"), {"failed": "KeyError"}, {"Err": b"{}"}),
    ],
)
def test_what_came_of_a_tool_is_sent_at_once_and_recorded_with_what_follows(
    conduct: Conduct, answer: Answer, done: dict[str, str], result: dict[str, bytes]
) -> None:
    conduct.received(event("asked", **ASKED))
    assert conduct.tool_returned(answer) == [Send(event("answered", result=result))]
    (returned, called) = next(
        action.events for action in conduct.received(event("asked", **ASKED)) if isinstance(action, Record)
    )
    assert (returned.event, called.event) == ("tool.returned", "tool.called")
    assert returned.tried == {"tool": "search", "result": "sha256:" + hashlib.sha256(answer.data).hexdigest()}
    assert returned.done == done


def test_a_tool_that_ends_after_its_brane_was_told_to_die_changes_nothing(conduct: Conduct) -> None:
    conduct.received(event("asked", **ASKED))
    assert kinds(conduct.timed_out()) == [Record, Kill]
    assert conduct.tool_returned(Answer(data=b"1")) == []
    assert isinstance(conduct.fate, errors.DeadlineExceeded)


def test_one_call_of_a_tool_too_many_is_recorded_and_kills_and_does_not_run(conduct: Conduct) -> None:
    for _ in range(LIMITS.calls):
        assert kinds(conduct.received(event("asked", **ASKED))) == [Record, Run]
        conduct.tool_returned(Answer(data=b"1"))
    actions = conduct.received(event("asked", **ASKED))
    assert kinds(actions) == [Record, Kill]
    assert only(actions).done == {"granted": False, "killed": True}
    assert isinstance(conduct.fate, errors.LimitExceeded)
    assert conduct.fate.limit == "calls"


@pytest.mark.parametrize("stream", [event("asked", **ASKED) * 2, event("asked", **ASKED | {"name": "other"})])
def test_a_brane_that_asks_out_of_turn_or_for_what_it_was_not_given_is_recorded_and_killed(
    conduct: Conduct, stream: bytes
) -> None:
    actions = conduct.received(stream)
    assert kinds(actions)[-2:] == [Record, Kill]
    assert recorded(actions)[-1] == "protocol.broken"
    assert isinstance(conduct.fate, errors.HostFault)
    assert conduct.tool_returned(Answer(data=b"1")) == []


@pytest.mark.parametrize("value", [None, pack(256), pack("1"), pack([0]), b"", b"\xc1", pack(1) + pack(1)])
def test_a_result_that_does_not_fit_its_type_kills_and_is_recorded(conduct: Conduct, value: bytes | None) -> None:
    actions = conduct.received(event("returned", value=value))
    assert kinds(actions) == [Record, Kill]
    assert "protocol.broken" in recorded(actions)
    assert isinstance(conduct.fate, errors.HostFault)
