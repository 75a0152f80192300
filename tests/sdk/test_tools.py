"""Tools: functions of the owner's that code in a brane calls, whatever either of the two does about it."""

from __future__ import annotations

import _thread
import contextvars
import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import branes
from branes import errors, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from branes.audit import Record

    Records = Callable[[str], list[Record]]
    Dies = Callable[[int], AbstractContextManager[None]]

#: Says what a call comes to, as JSON.
TELL = """
import json, tools
def tell(call):
    try:
        said = call()
    except tools.ToolError as error:
        said = {"tool": error.tool, "type": error.type, "message": error.message, "text": str(error)}
    except Exception as error:
        said = {"raised": type(error).__name__, "message": str(error)}
    return said
"""


def ask(py: branes.Python, expression: str) -> Any:
    """What a call in the guest comes to."""
    py.run(TELL)
    return py.eval(f"tell(lambda: {expression})")


def names(records: list[Record]) -> list[str]:
    return [record.event for record in records]


def run_of(py: branes.Python) -> str:
    assert py._brane
    return py._brane.conduct.run


def pid_of(py: branes.Python) -> int:
    assert py._brane
    return py._brane._launched.jailed.pid


def echo(*args: Any, **kwargs: Any) -> Any:
    return [list(args), kwargs]


class Held:
    """A tool that begins, and does not return until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go, self.ended = threading.Event(), threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go.wait(60)
        self.ended.set()
        return "late"


@pytest.fixture
def held() -> Iterator[Held]:
    made = Held()
    yield made
    made.go.set()
    if made.begun.is_set():
        assert made.ended.wait(60)


# -- what goes through ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**53 + 1,
        10**4000,
        0.1,
        -0.0,
        1e308,
        "",
        "ü\0\x1b[31m\u202e\U0001f600",
        [],
        {},
        [[1, [2]], {"a": {"b": None}}],
        {"": 1, "ü": [True]},
        "x" * 1_000_000,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_value_that_json_can_say_goes_both_ways(value: Any) -> None:
    with branes.python(tools={"echo": echo}) as py:
        py.run("import json, sys, tools; value = json.loads(sys.stdin.read())", stdin=json.dumps(value))
        py.run("found = tools.echo(value, k=value)")
        assert py.eval("found == [[value], {'k': value}]") is True
        assert py.eval("found")[0] == [value]


def test_tools_are_found_by_their_names() -> None:
    given = {"search": echo, "db": echo, "db.lookup": lambda key: {"key": key}, "db.deep.one": echo}
    with branes.python(tools=given) as py:
        assert ask(py, "dir(tools)") == ["ToolError", "call", "db", "search"]
        assert ask(py, "dir(tools.db)") == ["deep", "lookup"]
        assert ask(py, "tools.db.lookup('k')") == {"key": "k"}
        assert ask(py, "[tools.db(1), tools.db.deep.one(2), tools.call('search', 3, k=4)]") == [
            [[1], {}],
            [[2], {}],
            [[3], {"k": 4}],
        ]
        assert py.run("from tools import search, ToolError; search(name=1, self=2)").exit_code == 0
        assert ask(py, "repr(tools.db.lookup)") == "<tool 'db.lookup'>"
        assert "search" in ask(py, "tools.search.__doc__")


def test_a_name_that_is_not_there_is_an_attribute_error_that_lists_those_that_are() -> None:
    with branes.python(tools={"search": echo, "db.lookup": echo}) as py:
        assert ask(py, "tools.serach(1)") == {
            "raised": "AttributeError",
            "message": "no tool 'serach' was granted; there are: db.lookup, search",
        }
        assert ask(py, "hasattr(tools, 'delete') or hasattr(tools.db, 'drop')") is False
        done = py.run("from tools import delete")
        assert b"ImportError" in done.stderr
        assert done.denials == ()


# -- what is refused ------------------------------------------------------------------------------------------------


def test_without_tools_the_module_has_no_names_and_every_call_is_refused_and_recorded(records: Records) -> None:
    with branes.python() as py:
        assert ask(py, "dir(tools)") == ["ToolError", "call"]
        done = py.run("import tools\ntry: tools.call('search', 'x')\nexcept tools.ToolError as e: print(e.type)")
        assert done.stdout == b"PermissionError\n"
        (denial,) = done.denials
        assert (denial.layer, denial.rule) == ("language", "interface-denied")
        assert denial.tried == "branes:tools/tools@0.1.0 call search"
    assert names(records(done.run)).count("wasi.denied") == 1
    assert "tool.called" not in names(records(done.run))


@pytest.mark.parametrize("granted", [False, True])
def test_a_tool_that_was_not_granted_is_refused_recorded_and_without_effect_and_granted_it_has_its_effect(
    tmp_path: Path, records: Records, *, granted: bool
) -> None:
    canary = tmp_path / "canary"
    canary.write_text("untouched")

    def wipe(text: str) -> None:
        canary.write_text(text)

    with branes.python(tools={"wipe" if granted else "wipe2": wipe}) as py:
        done = py.run("import tools\ntry: tools.call('wipe', 'gone')\nexcept tools.ToolError as e: print(e)")
    assert canary.read_text() == ("gone" if granted else "untouched")
    assert done.stdout == (b"" if granted else b"PermissionError: no tool of this name is granted\n")
    assert len(done.denials) == (0 if granted else 1)
    (record,) = [one for one in records(done.run) if one.event == ("tool.called" if granted else "wasi.denied")]
    assert record.tried["tool" if granted else "arguments"] == "wipe"
    assert record.layer == "language"


@pytest.mark.parametrize("name", ["", "search ", "Search", "search\0", "x" * 300, "x" * 1_000_000, "search.x", "ü"])
def test_a_name_that_is_only_alike_is_refused(name: str) -> None:
    with branes.python(tools={"search": echo}) as py:
        py.run("import sys; name = sys.stdin.read()", stdin=name)
        assert ask(py, "tools.call(name)")["type"] == "PermissionError"


def test_a_guest_that_goes_on_calling_what_it_may_not_is_killed() -> None:
    with branes.python() as py, pytest.raises(errors.LimitExceeded, match="100 refused calls"):
        py.run("import tools\nwhile True:\n try: tools.call('x')\n except tools.ToolError: pass")


# -- what is recorded -----------------------------------------------------------------------------------------------


def test_a_call_is_in_the_log_before_it_runs_and_its_end_after(records: Records) -> None:
    seen: list[list[str]] = []

    def look(text: str) -> int:
        seen.append([record.event for record in records(run_of(py))])
        return len(text)

    with branes.python(tools={"look": look}) as py:
        run = py.run("import tools; tools.look('first'); tools.look('second')").run
    assert [events[-1] for events in seen] == ["tool.called", "tool.called"]
    assert seen[1][-2:] == ["tool.returned", "tool.called"]
    found = records(run)
    called = [record for record in found if record.event == "tool.called"]
    assert [record.tried["tool"] for record in called] == ["look", "look"]
    assert len({str(record.tried["arguments"]) for record in called}) == 2
    assert all(record.done == {"granted": True} for record in called)
    (spawned,) = [record for record in found if record.event == "run.spawned"]
    assert spawned.tried["tools"] == ["look"]
    assert "first" not in json.dumps([record.tried for record in found])


def test_other_tools_are_another_plan_of_the_same_template(records: Records) -> None:
    runs = []
    for given in ({}, {"a": echo}, {"b": echo}, {"b": print}):
        with branes.python(tools=given) as py:
            runs.append(py.run("pass").run)
    spawned = [next(one for one in records(run) if one.event == "run.spawned") for run in runs]
    assert len({str(one.tried["template"]) for one in spawned}) == 1
    assert len({str(one.plan) for one in spawned}) == 3


# -- tools that do not do well --------------------------------------------------------------------------------------


class OddError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def raising(error: BaseException) -> Callable[[], None]:
    def tool() -> None:
        raise error

    return tool


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (KeyError("k"), "KeyError", "'k'"),
        (ValueError("no\n\x1b[31m\0such"), "ValueError", "no\n\x1b[31m\0such"),
        (RuntimeError("x" * 10_000), "RuntimeError", "x" * 4096),
        (RuntimeError("lone \ud800"), "RuntimeError", "lone \\ud800"),
        (OddError(), "OddError", "<exception str() failed>"),
        (errors.UsageError("mine"), "UsageError", "mine"),
        (StopIteration(), "StopIteration", ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_tool_raises_arrives_as_a_tool_error(error: Exception, kind: str, message: str) -> None:
    with branes.python(tools={"bad": raising(error)}) as py:
        found = ask(py, "tools.bad()")
        assert (found["tool"], found["type"], found["message"]) == ("bad", kind, message)
        assert found["text"] == (f"{kind}: {message}" if message else kind)
        assert py.eval("1 + 1") == 2


def test_an_uncaught_tool_error_is_an_uncaught_exception_and_shows_nothing_of_the_owners_code() -> None:
    with branes.python(tools={"bad": raising(KeyError("k"))}) as py:
        done = py.run("import tools\ntools.bad()")
        assert done.exit_code == 1
        assert done.stderr.endswith(b"tools.ToolError: KeyError: 'k'\n")
        assert __file__.encode() not in done.stderr
        with pytest.raises(errors.GuestError) as caught:
            py.eval("tools.bad()")
        assert caught.value.type == "tools.ToolError"


def circle() -> list[Any]:
    made: list[Any] = []
    made.append(made)
    return made


def nested(levels: int) -> list[Any]:
    made: list[Any] = []
    for _ in range(levels - 1):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (object(), "TypeError"),
        (b"bytes", "TypeError"),
        ({1, 2}, "TypeError"),
        ({1: "a", "1": "b"}, "TypeError"),
        (float("nan"), "ValueError"),
        ([float("inf")], "ValueError"),
        ("\ud800", "UnicodeEncodeError"),
        (10**5000, "ValueError"),
        (circle(), "ValueError"),
        (nested(65), "ValueError"),
        ([0] * 300_000, "ValueError"),
        ("x" * (wire.MAX_TOOL - 1), "ValueError"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_becomes_an_error_for_the_guest_and_a_record_for_the_owner(
    value: Any, kind: str, records: Records
) -> None:
    with branes.python(tools={"junk": lambda: value}) as py:
        found = ask(py, "tools.junk()")
        run = run_of(py)
        assert py.eval("1 + 1") == 2
    assert found["type"] == kind
    assert found["message"].startswith("the tool returned what cannot be passed on as JSON: ")
    (returned,) = [record for record in records(run) if record.event == "tool.returned"]
    assert returned.done == {"failed": kind}


def test_the_largest_value_and_the_deepest_go_through() -> None:
    given = {"large": lambda: "x" * (wire.MAX_TOOL - 2), "deep": lambda: nested(64), "size": len}
    with branes.python(tools=given, memory="512MiB") as py:
        assert ask(py, f"len(tools.large()) == {wire.MAX_TOOL - 2}") is True
        assert ask(py, "tools.deep()") == nested(64)
        most = wire.MAX_TOOL - len(json.dumps({"args": [""], "kwargs": {}}))
        assert ask(py, f"tools.size('x' * {most})") == most
        found = ask(py, f"tools.size('x' * {most + 1})")
        assert (found["type"], found["message"]) == ("ValueError", "the arguments are larger than 8 MiB as JSON")


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("tools.echo(object())", "TypeError"),
        ("tools.echo(b'')", "TypeError"),
        ("tools.echo(x={1: 2})", "TypeError"),
        ("tools.echo(float('nan'))", "ValueError"),
        ("tools.echo('\\ud800')", "UnicodeEncodeError"),
        ("tools.call(1)", "TypeError"),
        ("tools.call('\\ud800')", "UnicodeEncodeError"),
        ("tools.echo(json.loads('[' * 63 + ']' * 63))", "ValueError"),
    ],
)
def test_arguments_that_json_cannot_say_raise_in_the_guest_and_nothing_is_called(expression: str, kind: str) -> None:
    called: list[Any] = []
    with branes.python(tools={"echo": called.append}) as py:
        assert ask(py, expression)["raised"] == kind
    assert called == []


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "[]",
        "{",
        '{"args": []}',
        '{"args": [], "kwargs": {}, "more": 1}',
        '{"args": {}, "kwargs": {}}',
        '{"args": [NaN], "kwargs": {}}',
        '{"args": [1e999], "kwargs": {}}',
        '{"args": [], "args": [], "kwargs": {}}',
        '{"args": ["\\\\ud800"], "kwargs": {}}',
        '{"args": [], "kwargs": {"a": {"b": 1, "b": 2}}}',
        "[" * 100_000,
        '{"args": [' + "[" * 63 + "]" * 63 + '], "kwargs": {}}',
        '{"args": [' + "[]," * 200_000 + '[]], "kwargs": {}}',
        '"' + '\\\\"' * 1_000_000,
        '{"args": [' + "9" * 5000 + '], "kwargs": {}}',
    ],
    ids=lambda text: text[:40],
)
def test_hostile_arguments_are_no_call_and_no_harm(arguments: str, records: Records) -> None:
    called: list[Any] = []
    with branes.python(tools={"echo": lambda *args, **words: called.append((args, words))}) as py:
        py.run("import sys; text = sys.stdin.read()", stdin=arguments.replace("\\\\", "\\"))
        code = "from componentize_py_types import Err\nfrom wit_world.imports import tools as raw\n"
        done = py.run(f"{code}try: raw.call('echo', text)\nexcept Err as error: print(error.value)")
        answer = json.loads(done.stdout)
        run = run_of(py)
    assert called == []
    assert answer["message"].startswith("the arguments are not what a tool takes: ")
    (returned,) = [record for record in records(run) if record.event == "tool.returned"]
    assert returned.done == {"failed": answer["type"]}


def test_wrong_arguments_are_the_tools_own_type_error() -> None:
    with branes.python(tools={"one": lambda x: x}) as py:
        found = ask(py, "tools.one()")
        assert found["type"] == "TypeError"
        assert "missing 1 required positional argument" in found["message"]
        assert ask(py, "tools.one(1, 2)")["type"] == "TypeError"


# -- time, and who else acts meanwhile ------------------------------------------------------------------------------


def test_a_tool_that_hangs_is_ended_by_the_deadline_and_what_it_comes_to_is_dropped(
    held: Held, dies: Dies, records: Records
) -> None:
    with branes.python(tools={"hang": held}, timeout=1) as py:
        run = run_of(py)
        with dies(pid_of(py)), pytest.raises(errors.DeadlineExceeded) as caught:
            py.run("import tools; tools.hang()")
        assert caught.value.completed
        assert 1 <= caught.value.completed.usage.wall < 10
        with pytest.raises(errors.UsageError, match="has ended"):
            py.run("pass")
    held.go.set()
    assert held.ended.wait(60)
    events = names(records(run))
    assert events[-3:] == ["tool.called", "limit.time", "run.ended"]


def test_the_time_of_a_tool_counts_and_the_next_call_has_its_own(held: Held) -> None:
    timer = threading.Timer(0.5, held.go.set)
    timer.start()
    with branes.python(tools={"hang": held}) as py:
        done = py.run("import tools; print(tools.hang())")
        assert done.stdout == b"late\n"
        assert done.usage.wall >= 0.4
    timer.join()


def test_a_tool_runs_in_a_thread_of_its_own_and_sees_context_variables() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("mine")
    here = threading.get_ident()
    with branes.python(tools={"look": lambda: [variable.get(), threading.get_ident() != here]}) as py:
        assert ask(py, "tools.look()") == ["mine", True]


def test_a_tool_that_uses_the_same_brane_is_told_and_the_call_goes_on() -> None:
    with branes.python(tools={"again": lambda: py.run("x = 1")}) as py:
        found = ask(py, "tools.again()")
        assert found["type"] == "UsageError"
        assert "in a call" in found["message"]
        assert py.eval("1 + 1") == 2


def test_a_tool_may_open_another_brane() -> None:
    def other(code: str) -> Any:
        with branes.python(tools={"double": lambda x: 2 * x}) as inner:
            return inner.eval(code)

    with branes.python(tools={"other": other}) as py:
        assert ask(py, "[tools.other('1 + 1'), tools.other('__import__(\"tools\").double(4)')]") == [2, 8]
        assert py.eval("1 + 1") == 2


def test_a_tool_may_close_the_brane_that_calls_it(dies: Dies) -> None:
    def close() -> None:
        assert py._brane
        py._brane.close()

    py = branes.python(tools={"close": close})
    with py, dies(pid_of(py)), pytest.raises(errors.UsageError, match="closed during the call"):
        py.run("import tools; tools.close()")


def test_a_guest_that_is_killed_in_the_middle_of_a_tool_ends_its_call(held: Held, records: Records) -> None:
    with branes.python(tools={"hang": held}) as py:
        jailed, run = py._brane._launched.jailed, run_of(py)  # type: ignore[union-attr]
        killer = threading.Thread(target=lambda: (held.begun.wait(60), jailed.kill()))
        killer.start()
        with pytest.raises(errors.HostFault, match="died of signal 9"):
            py.run("import tools; tools.hang()")
        killer.join()
    assert names(records(run))[-2:] == ["tool.called", "run.ended"]


def test_ten_thousand_calls_are_made_and_recorded_and_one_more_is_the_limit() -> None:
    count = [0]

    def step(number: int) -> int:
        assert number == count[0]
        count[0] += 1
        return count[0]

    with branes.python(tools={"step": step}, timeout="300s") as py:
        done = py.run("import tools\nn = 0\nwhile n < 10_000: n = tools.step(n)\nprint(n)")
        assert done.stdout == b"10000\n"
        with pytest.raises(errors.LimitExceeded, match="10000 calls of tools") as caught:
            py.run("tools.step(n)")
        assert caught.value.limit == "calls"
    assert count == [10_000]


def test_ctrl_c_while_a_tool_runs_ends_the_brane_at_once(held: Held, dies: Dies, records: Records) -> None:
    def hang() -> None:
        _thread.interrupt_main()
        held()

    with branes.python(tools={"hang": hang}) as py:
        run = run_of(py)
        with dies(pid_of(py)), pytest.raises(KeyboardInterrupt):
            py.run("import tools; tools.hang()")
        assert not held.ended.is_set()
        with pytest.raises(errors.UsageError, match="has ended"):
            py.run("pass")
    assert names(records(run))[-2:] == ["run.cancelled", "run.ended"]
    held.begun.wait(60)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_what_is_no_exception_is_the_owners_and_ends_the_brane(
    error: BaseException, dies: Dies, records: Records
) -> None:
    with branes.python(tools={"bad": raising(error)}) as py:
        run = run_of(py)
        with dies(pid_of(py)), pytest.raises(type(error)) as caught:
            py.run("import tools\ntry: tools.bad()\nexcept BaseException: print('told')")
        assert caught.value is error
    assert names(records(run))[-2:] == ["run.cancelled", "run.ended"]


def test_tools_and_input_and_output_do_not_mix() -> None:
    code = "import sys, tools\nfor line in sys.stdin:\n print(tools.echo(line.strip())[0][0])\n sys.stdout.flush()"
    lines = [f"line {number}" for number in range(300)]
    with branes.python(tools={"echo": echo}) as py:
        assert py.run(code, stdin="\n".join(lines)).stdout.decode().split("\n") == [*lines, ""]


def test_threads_each_with_a_brane_share_a_tool() -> None:
    def one(number: int) -> Any:
        with branes.python(tools={"echo": echo}) as py:
            return ask(py, f"[tools.echo({number} + i) for i in range(20)]")

    with ThreadPoolExecutor(4) as pool:
        for number, found in enumerate(pool.map(one, range(8))):
            assert found == [[[number + i], {}] for i in range(20)]


# -- what a caller may write ----------------------------------------------------------------------------------------


async def coroutine() -> None: ...


class AsyncCall:
    async def __call__(self) -> None: ...


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([echo], "expected a mapping"),
        ({"a": 1}, "expected a function"),
        ({1: echo}, "expected str"),
        ({"": echo}, "not valid"),
        ({"1a": echo}, "not valid"),
        ({"a..b": echo}, "not valid"),
        ({"a.": echo}, "not valid"),
        ({"_a": echo}, "not valid"),
        ({"a b": echo}, "not valid"),
        ({"a\n": echo}, "not valid"),
        ({"ä": echo}, "not valid"),
        ({"x" * 257: echo}, "not valid"),
        ({"call": echo}, "taken"),
        ({"ToolError.x": echo}, "taken"),
        ({f"t{n}": echo for n in range(257)}, "at most 256"),
        ({"a": coroutine}, "coroutine function"),
        ({"a": AsyncCall()}, "coroutine function"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_before_anything_starts(given: Any, message: str) -> None:
    with pytest.raises(errors.UsageError, match=message):
        branes.python(tools=given)


def test_a_plain_function_that_returns_a_coroutine_is_told_so() -> None:
    def bad() -> Any:
        return coroutine()

    with branes.python(tools={"bad": bad}) as py:
        found = ask(py, "tools.bad()")
        assert found["message"] == "the tool returned a coroutine, which nobody awaits"


def test_the_agent_of_the_examples_does_its_work_with_its_tools_alone() -> None:
    example = Path(__file__).parents[2] / "examples" / "agent.py"
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=120, check=True)
    *turns, answer, mailed = done.stdout.splitlines()
    said = [json.loads(turn) for turn in turns]
    assert said[0]["error"] == "tools.ToolError: KeyError: '19'"
    assert said[1]["error"] == ""
    assert said[2]["refused"] == ["branes:tools/tools@0.1.0 call orders.delete"]
    assert said[3]["error"] == "tools.ToolError: PermissionError: mail goes to sales only"
    assert answer == "answer: ['17', '18']"
    assert mailed == "mailed: ['2 orders checked']"
