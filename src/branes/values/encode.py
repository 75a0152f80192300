"""Python to plain, for what a caller gives: misfits are `UsageError`s that say where. Pure.

Nothing is converted that could mean something else: a bool is no integer, text is no list, an integer out of range is
not cut. What would not fit into a message is refused while it is walked, so that a value that contains itself ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar, cast

from branes import wit
from branes.errors import UsageError
from branes.values import scalars
from branes.values.fields import fields_of, one_of
from branes.values.misfit import Misfit, got, is_scalar
from branes.values.shapes import Case, Err, Ok, Some
from branes.wire import MAX_PAYLOAD
from branes.wit import INTEGERS, quoted

if TYPE_CHECKING:
    from branes.wit import Function, Type

Plain: TypeAlias = "bool | int | float | str | bytes | list[Plain] | None"
_Walked = TypeVar("_Walked")
#: Bytes that all arguments of a call have on the wire, at most. The exact bound is the frame's.
MAX_BYTES: Final = MAX_PAYLOAD


def encode(of: Type, value: object, *, at: str = "") -> Plain:
    """What travels for a Python value of a type.

    Args:
        of: the type.
        value: in a shape of docs/values.md.
        at: what the value is, for errors.

    Raises:
        UsageError: it does not fit; the message leads there.
    """
    plain: Plain = _told(lambda: _Encoder().value(of, value), at)
    return plain


def encode_arguments(function: Function, args: Sequence[object]) -> list[Plain]:
    """What travels for the arguments of a call.

    Raises:
        UsageError: the function cannot be called, takes another number of arguments, or one does not fit.
    """
    function.check()
    function.check_count(len(args))
    params = function.params
    pairs = [(of, value) for (_, of), value in zip(params, args, strict=True)]
    return _told(
        lambda: _Encoder().all(pairs, lambda index: f"argument {index + 1} ({quoted(params[index][0])})"),
        "",
    )


def _told(walk: Callable[[], _Walked], at: str) -> _Walked:
    try:
        return walk()
    except Misfit as misfit:
        if at:
            misfit.within(at)
        raise UsageError(str(misfit)) from None


class _Encoder:
    """One walk; `left` is how many bytes the message may still have."""

    def __init__(self) -> None:
        self.left = MAX_BYTES

    def value(self, of: Type, value: Any) -> Any:
        return _KINDS[type(of)](self, of, value)

    def all(self, pairs: Iterable[tuple[Type, Any]], step: Callable[[int], str]) -> list[Plain]:
        """Each value; `step` names the one that does not fit by its index."""
        encoded: list[Plain] = []  # its length says which one did not fit
        try:
            for of, value in pairs:
                encoded.append(self.value(of, value))
        except Misfit as misfit:
            misfit.within(step(len(encoded)))
            raise
        return encoded

    def one(self, of: Type, value: Any, step: str) -> Any:
        """A value inside, by the name of the way to it."""
        return self.all([(of, value)], lambda _: step)[0]

    def spend(self, count: int) -> None:
        """Pay for at least that many bytes."""
        self.left -= count
        if self.left < 0:
            raise Misfit(f"the value takes more than {MAX_BYTES} bytes, which is all that a call may send")

    def as_primitive(self, of: wit.Primitive, value: Any) -> Any:
        self.spend(1)
        if of.name in INTEGERS:
            return scalars.integer(of, value)
        match of.name:
            case "bool" if isinstance(value, bool):
                return value
            case "f32" | "f64":
                return scalars.number(of, value)
            case "char" if isinstance(value, str) and is_scalar(value):
                return str.__str__(value)
            case "char" if isinstance(value, str):
                raise Misfit(f"got a str of {len(value)} characters, expected char: one Unicode scalar value")
            case "string" if isinstance(value, str):
                return self.text(value)
        raise got(value, of)

    def text(self, value: str) -> str:
        self.spend(len(value))
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise Misfit(f"got a lone surrogate at index {error.start}, expected string: Unicode text") from None
        return str.__str__(value)

    def as_list(self, of: wit.List, value: Any) -> Any:
        if of.element == _U8 and (data := scalars.buffer_of(value)) is not None:
            self.spend(len(data))
            return data
        items = self.items(of, value)
        if of.element == _U8:
            return bytes(cast("list[int]", self.each(of.element, items)))
        return self.each(of.element, items)

    def as_fixed(self, of: wit.FixedList, value: Any) -> list[Plain]:
        items = self.items(of, value)
        if len(items) != of.length:
            raise Misfit(f"got {len(items)} items, expected {of.length}")
        return self.each(of.element, items)

    def items(self, of: Type, value: Any) -> list[Any]:
        """A list of what a sequence, or a buffer of numbers, holds."""
        if isinstance(value, str | bytes | bytearray | Mapping):
            raise got(value, of)
        if isinstance(value, Sequence) and not isinstance(value, memoryview):
            self.spend(len(value))
            return list(value)
        try:
            view = memoryview(value)
            self.spend(view.nbytes // view.itemsize if view.itemsize else 0)
            found = view.tolist()
        except (TypeError, NotImplementedError):
            found = None
        if not isinstance(found, list):
            raise got(value, of)
        return found

    def each(self, of: Type, items: list[Any]) -> list[Plain]:
        if isinstance(of, wit.Primitive) and (many := scalars.many(of.name, items)) is not None:
            if of.name == "string":
                self.spend(sum(map(len, items)))
            return many
        return self.all(zip(repeat(of), items), lambda index: f"index {index}")

    def as_tuple(self, of: wit.Tuple, value: Any) -> list[Plain]:
        if not isinstance(value, tuple | list):
            raise got(value, of)
        if len(value) != len(of.parts):
            raise Misfit(f"got {len(value)} items, expected {len(of.parts)}")
        self.spend(1)
        return self.all(zip(of.parts, value, strict=True), lambda index: f"index {index}")

    def as_record(self, of: wit.Record, value: Any) -> list[Plain]:
        self.spend(1)
        given = fields_of(of, value)
        pairs = [(inner, given[name]) for name, inner in of.fields]
        return self.all(pairs, lambda index: f"field {quoted(of.fields[index][0])}")

    def as_variant(self, of: wit.Variant, value: Any) -> list[Plain]:
        self.spend(2)
        if not isinstance(value, Case | str):
            raise got(value, "a Case, or a str for a case without value")
        name, payload = (value.name, value.value) if isinstance(value, Case) else (value, None)
        names = [case for case, _ in of.cases]
        if name not in names:
            raise one_of("case", name, names)
        index = names.index(name)
        inner = of.cases[index][1]
        if inner is None:
            if payload is not None:
                raise Misfit(f"case {quoted(name)} takes no value, got {type(payload).__name__}")
            return [index, None]
        if not isinstance(value, Case):
            raise Misfit(f"case {quoted(name)} takes a value: got str, expected Case({name!r}, ...)")
        return [index, self.one(inner, payload, f"case {quoted(name)}")]

    def as_enum(self, of: wit.Enum, value: Any) -> int:
        self.spend(1)
        if not isinstance(value, str):
            raise got(value, of)
        if value not in of.names:
            raise one_of("case", value, of.names)
        return of.names.index(value)

    def as_option(self, of: wit.Option, value: Any) -> list[Plain] | None:
        self.spend(1)
        if value is None:
            return None
        if isinstance(value, Some):
            return [self.one(of.some, value.value, "some")]
        if isinstance(of.some, wit.Option):
            raise got(value, "None or Some(...)")
        return [self.value(of.some, value)]

    def as_result(self, of: wit.Result, value: Any) -> list[Plain]:
        self.spend(2)
        if not isinstance(value, Ok | Err):
            raise got(value, "Ok(...) or Err(...)")
        side, inner = (0, of.ok) if isinstance(value, Ok) else (1, of.err)
        if inner is not None:
            return [side, self.one(inner, value.value, ("ok", "err")[side])]
        if value.value is not None:
            raise Misfit(f"{type(value).__name__} takes no value, got {type(value.value).__name__}")
        return [side, None]

    def as_flags(self, of: wit.Flags, value: Any) -> list[Plain]:
        if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
            raise got(value, "an iterable of names of flags")
        given = set()
        for name in value:
            if not isinstance(name, str):
                raise got(name, "the name of a flag")
            if name not in of.names:
                raise one_of("flag", name, of.names)
            given.add(name)
        self.spend(1 + len(given))
        return [index for index, name in enumerate(of.names) if name in given]

    def refuse(self, of: Type, _: Any) -> None:
        raise Misfit(f"a value of type {wit.type_text(of, most=80)} cannot be passed")


_U8: Final = wit.Primitive("u8")
_KINDS: Final[Mapping[type, Callable[[_Encoder, Any, Any], Any]]] = {
    wit.Primitive: _Encoder.as_primitive,
    wit.List: _Encoder.as_list,
    wit.FixedList: _Encoder.as_fixed,
    wit.Record: _Encoder.as_record,
    wit.Tuple: _Encoder.as_tuple,
    wit.Variant: _Encoder.as_variant,
    wit.Enum: _Encoder.as_enum,
    wit.Option: _Encoder.as_option,
    wit.Result: _Encoder.as_result,
    wit.Flags: _Encoder.as_flags,
    wit.Handle: _Encoder.refuse,
    wit.Unsupported: _Encoder.refuse,
}
