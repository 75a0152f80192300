"""Typed calls, through real branes: every type there and back, errors, bounds, and what a brane has left after them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import branes
import identity
import wit_types
from branes import aio, errors, wit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from branes.wit import Type

REST = (0,) * 16
MOVING = identity.moving()


def has_fixed(of: Type) -> bool:
    return isinstance(of, wit.FixedList) or any(map(has_fixed, wit.children(of)))


TYPED = wit_types.types().filter(lambda of: not has_fixed(of))
PAIRS = TYPED.flatmap(lambda of: st.tuples(st.just(of), wit_types.values(of)))


@pytest.fixture(scope="module")
def app() -> Iterator[branes.App]:
    with branes.open(MOVING, preset="none") as opened:
        yield opened


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PAIRS, min_size=1, max_size=12))
def test_values_of_any_types_come_back_as_they_were_given(pairs: list[tuple[Type, Any]]) -> None:
    with branes.open(identity.component([of for of, _ in pairs]), preset="none") as opened:
        for index, (_, value) in enumerate(pairs):
            assert opened.call(f"f{index}", value, index, REST) == (value, index)


BYTES = b"\0\xff bytes"


@pytest.mark.parametrize(
    ("name", "args", "value"),
    [
        ("bytes", (BYTES,), BYTES),
        ("bytes", ([1, 2, 255],), b"\x01\x02\xff"),
        ("bytes", (b"",), b""),
        ("as-text", (b"text",), "text"),
        ("as-bytes", ("\u00fc",), b"\xc3\xbc"),
        ("last", (b"a", BYTES), BYTES),
        ("last-text", (b"a", "b"), "b"),
        ("last-bytes", ("a", BYTES), BYTES),
        ("length", (BYTES,), len(BYTES)),
        ("nothing", (BYTES,), None),
        ("well", (BYTES,), BYTES),
        ("make", (3,), bytes(3)),
        ("make-numbers", (3,), [0, 0, 0]),
    ],
)
def test_bytes_and_text_come_back_as_they_were_given(
    app: branes.App, name: str, args: tuple[object, ...], value: object
) -> None:
    assert app.call(name, *args) == value


def test_an_error_that_a_function_returns_is_raised_and_the_brane_is_well(app: branes.App) -> None:
    with pytest.raises(errors.ResultError, match="`ill` returned an error: no\\\\x1b way") as caught:
        app.call("ill", b"no\x1b way")
    assert (caught.value.value, caught.value.exit_code) == ("no\x1b way", 1)
    assert caught.value.completed is app.last
    assert app.call("bytes", b"a") == b"a"


def test_state_stays_between_calls_and_not_between_branes() -> None:
    opened = branes.open(MOVING)
    for _ in range(2):
        with opened as app:
            assert [app.call("count") for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "args", "message"),
    [
        ("byte", (b"a",), "no exported function is called `byte`"),
        ("bytes", (), "takes 1 argument, got 0: bytes: func\\(x: list<u8>\\) -> list<u8>"),
        ("bytes", ("a",), "argument 1 \\(`x`\\): got str, expected list<u8>"),
        ("bytes", ([1, 256],), "argument 1 \\(`x`\\), index 1: got 256"),
        ("bytes", (bytes(17 << 20),), "more than"),
    ],
)
def test_what_does_not_fit_is_the_callers_mistake_and_nothing_is_sent(
    app: branes.App, name: str, args: tuple[object, ...], message: str
) -> None:
    with pytest.raises(errors.UsageError, match=message):
        app.call(name, *args)
    assert app.call("bytes", b"a") == b"a"


def test_functions_are_listed_with_their_signatures(app: branes.App) -> None:
    assert app.functions["well"] == "well: func(x: list<u8>) -> result<list<u8>, string>"


def test_a_trap_ends_the_brane_and_a_later_call_says_why() -> None:
    with branes.open(MOVING) as app:
        with pytest.raises(errors.Trapped):
            app.call("trap")
        with pytest.raises(errors.UsageError, match="this brane has ended: the guest trapped"):
            app.call("count")


def test_bytes_move_in_megabytes_within_the_default_memory(app: branes.App) -> None:
    data = bytes(range(256)) * (10 << 12)
    assert app.call("bytes", data) == data


@pytest.mark.parametrize(
    ("name", "count"), [("make", 17 << 20), ("make-numbers", (1 << 20) + 1), ("make-numbers", 8 << 20)]
)
def test_a_result_that_is_too_large_is_a_limit_with_a_name(name: str, count: int) -> None:
    with branes.open(MOVING, memory="1GiB") as app:
        with pytest.raises(errors.LimitExceeded) as caught:
            app.call(name, count)
        assert caught.value.limit == "result"


def test_a_component_that_is_not_open_or_not_closed_is_told_of() -> None:
    held = [branes.open(MOVING)]
    with pytest.raises(errors.UsageError, match="this component is not open"):
        held[0].call("count")
    held[0].__enter__()
    with pytest.warns(ResourceWarning, match="unclosed component, run"):
        held.clear()


def test_the_asyncio_twin_does_the_same() -> None:
    async def main() -> None:
        async with aio.open(MOVING) as app:
            assert await app.call("bytes", BYTES) == BYTES
            assert app.functions["count"] == "count: func() -> u32"
            with pytest.raises(errors.ResultError):
                await app.call("ill", b"no")
            assert app.last is not None

    asyncio.run(main())


RESOURCE = b"""(component
  (type $r (resource (rep i32)))
  (export $thing "thing" (type $r))
  (core module $code (func (export "f") (param i32)) (func (export "g") (result i32) (i32.const 7)))
  (core instance $code (instantiate $code))
  (func (export "take") (param "x" (own $thing)) (canon lift (core func $code "f")))
  (func (export "seven") (result u8) (canon lift (core func $code "g"))))"""


def test_a_function_with_a_resource_is_refused_by_name_and_the_others_can_be_called() -> None:
    with branes.open(RESOURCE) as app:
        assert app.functions == {"seven": "seven: func() -> u8"}
        assert app.call("seven") == 7
        with pytest.raises(errors.UsageError, match=r"`take` cannot be called: argument 1 \(`x`\).*own<thing>"):
            app.call("take", 1)
