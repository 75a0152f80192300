"""WAVE to values. Pure.

The type says what may stand at each place, so that reading nests no deeper than the type. What is read becomes plain
first (see `branes.values`), and then Python through the one decoder that there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from branes import wit
from branes.errors import UsageError
from branes.values import decode
from branes.values.misfit import nearest_f32
from branes.wave.scan import KEYWORDS, Scanner
from branes.wit import INTEGERS, quoted, type_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from branes.wit import Exports, Function, Type

#: Characters of a text.
MAX_TEXT: Final = 16 << 20
#: Values in a text, those of fields that are left out among them.
MAX_VALUES: Final = 16 << 20
#: Characters of a number: the longest exact f64 has fewer.
_MAX_NUMBER: Final = 1100


def parse(of: Type, text: str) -> Any:
    """The Python value that `text` stands for.

    Raises:
        UsageError: it is no value of the type.
    """
    reader = _Reader(_checked(text))
    plain = reader.value(of)
    reader.scan.end()
    return decode(of, plain)


def parse_call(text: str, exports: Exports) -> tuple[Function, list[Any]]:
    """The function and the Python values of a call such as `iface#func(1, "x")`.

    Arguments at the end may be left out where they are options.

    Raises:
        UsageError: there is no such function, it cannot be called, or takes other arguments.
    """
    name, opened, _ = _checked(text).partition("(")
    scan = Scanner(text)
    if not opened:
        scan.at = len(text)
        raise scan.error("`(` after the name of the function")
    function = exports.find(name.strip().removeprefix("%"))
    function.check()
    scan.at = len(name) + 1
    reader = _Reader(text, scan)
    plain = reader.arguments(function)
    scan.end()
    return function, [decode(of, value) for (_, of), value in zip(function.params, plain, strict=True)]


def _checked(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise UsageError(f"got a text of {len(text)} characters, expected at most {MAX_TEXT}")
    return text


class _Reader:
    """One walk through a text."""

    def __init__(self, text: str, scan: Scanner | None = None) -> None:
        self.scan = scan or Scanner(text)
        self.left = MAX_VALUES

    def value(self, of: Type) -> Any:
        self.left -= 1
        if self.left < 0:
            raise self.scan.wrong(f"got more than {MAX_VALUES} values", self.scan.at)
        self.scan.skip()
        return _KINDS[type(of)](self, of)

    def arguments(self, function: Function) -> list[Any]:
        values: list[Any] = []
        for _ in self.until(")"):
            if len(values) == len(function.params):
                break
            values.append(self.value(function.params[len(values)][1]))
        else:
            rest = function.params[len(values) :]
            if all(isinstance(of, wit.Option) for _, of in rest):
                return [*values, *[None] * len(rest)]
        count = f"{len(values)}" if len(values) < len(function.params) else f"more than {len(values)}"
        raise self.scan.wrong(
            f"got {count} arguments, expected {len(function.params)}: {wit.signature(function, 400)}", self.scan.at
        )

    def until(self, close: str) -> Iterator[int]:
        """Once for every item of a list that ends with `close`, in which a comma may follow the last."""
        index = 0
        while not self.scan.accept(close):
            yield index
            index += 1
            if not self.scan.accept(","):
                self.scan.expect(close, " or `,`")
                return

    def as_primitive(self, of: wit.Primitive) -> Any:
        start = self.scan.at
        if of.name in INTEGERS:
            return self.integer(of.name, start)
        if of.name in {"f32", "f64"}:
            return self.decimal(of.name, start)
        read: Mapping[str, Callable[[], Any]] = {
            "bool": self.truth,
            "char": self.scan.char,
            "string": self.scan.string,
        }
        value = read[of.name]()
        if value is None:
            raise self.scan.error(_EXAMPLES.get(of.name, of.name))
        if isinstance(value, str) and any("\ud800" <= char <= "\udfff" for char in value):
            raise self.scan.wrong(f"got a lone surrogate, expected {of.name}", start)
        return value

    def truth(self) -> bool | None:
        word = self.scan.peek_label()
        if word not in {"true", "false"}:
            return None
        self.scan.label()
        return word == "true"

    def integer(self, name: str, start: int) -> int:
        low, high = INTEGERS[name]
        written = self.scan.number()
        if written is None or not written.removeprefix("-").isdecimal():
            raise self.scan.error(f"{name}: {low} to {high}", start)
        # No integer in range has as many digits, and Python refuses to read very many.
        value = int(written) if len(written) < 30 else high + 1
        if not low <= value <= high:
            raise self.scan.error(f"{name}: {low} to {high}", start)
        return value

    def decimal(self, name: str, start: int) -> float:
        written = self.scan.number()
        if written is None or len(written) > _MAX_NUMBER:
            raise self.scan.error(f"{name}: a number, nan, inf or -inf", start)
        value = float(written)
        try:
            in_range = "inf" in written or value not in {float("inf"), float("-inf")}
            value = nearest_f32(value) if name == "f32" else value
        except OverflowError:
            in_range = False
        if not in_range:
            raise self.scan.error(f"{name}: a number in its range", start)
        return value

    def as_list(self, of: wit.List) -> Any:
        values = self.items(of.element, "[", "]", of)
        return bytes(values) if of.element == wit.Primitive("u8") else values

    def as_fixed(self, of: wit.FixedList) -> Any:
        start = self.scan.at
        values = self.items(of.element, "[", "]", of)
        if len(values) != of.length:
            raise self.scan.wrong(f"got {len(values)} items, expected {of.length}", start)
        return values

    def items(self, element: Type, opening: str, close: str, of: Type) -> Any:
        self.open(opening, of)
        return [self.value(element) for _ in self.until(close)]

    def open(self, opening: str, of: Type) -> None:
        if not self.scan.accept(opening):
            raise self.scan.error(f"`{opening}` of {type_text(of, most=80)}")

    def as_tuple(self, of: wit.Tuple) -> Any:
        self.open("(", of)
        values: list[Any] = []
        for index in self.until(")"):
            if index == len(of.parts):
                raise self.scan.error(f"`)` after {len(of.parts)} items")
            values.append(self.value(of.parts[index]))
        if len(values) < len(of.parts):
            raise self.scan.wrong(f"got {len(values)} items, expected {len(of.parts)}", self.scan.at)
        return values

    def as_record(self, of: wit.Record) -> Any:
        start = self.scan.at
        self.open("{", of)
        fields = dict(of.fields)
        given: dict[str, Any] = {}
        if self.scan.accept(":"):
            self.scan.expect("}")
        else:
            for _ in self.until("}"):
                name = self.one_of("field", list(fields), given)
                self.scan.expect(":")
                given[name] = self.value(fields[name])
        missing = [name for name, inner in of.fields if name not in given and not isinstance(inner, wit.Option)]
        if missing:
            raise self.scan.wrong(f"field {quoted(missing[0])} is missing", start)
        self.left -= len(fields) - len(given)
        return [given.get(name) for name in fields]

    def as_flags(self, of: wit.Flags) -> Any:
        self.open("{", of)
        given: dict[str, int] = {}
        for _ in self.until("}"):
            name = self.one_of("flag", of.names, given)
            given[name] = of.names.index(name)
        return sorted(given.values())

    def one_of(self, what: str, names: Sequence[str], given: Mapping[str, object]) -> str:
        """A label that is one of `names`, and is not given yet."""
        self.scan.skip()
        start = self.scan.at
        name = (self.scan.label() or "").removeprefix("%")
        if name not in names:
            raise self.scan.error(_choice(what, names), start)
        if name in given:
            raise self.scan.wrong(f"{what} {quoted(name)} is given twice", start)
        return name

    def case(self, names: Sequence[str]) -> int:
        """Index of the case whose label is next."""
        start = self.scan.at
        written = self.scan.label() or ""
        name = written.removeprefix("%")
        if name not in names:
            raise self.scan.error(_choice("case", names), start)
        if written in KEYWORDS:
            raise self.scan.error(f"`%{name}`, since the word alone is a keyword", start)
        return names.index(name)

    def as_enum(self, of: wit.Enum) -> int:
        return self.case(of.names)

    def as_variant(self, of: wit.Variant) -> Any:
        index = self.case([name for name, _ in of.cases])
        name, inner = of.cases[index]
        return [index, self.payload(inner, quoted(name))]

    def payload(self, inner: Type | None, of: str) -> Any:
        """What a case carries, in parentheses."""
        if inner is None:
            return None
        self.scan.expect("(", f" and the value of {of}")
        value = self.value(inner)
        self.scan.expect(")")
        return value

    def as_option(self, of: wit.Option) -> Any:
        word = self.scan.peek_label()
        if word in {"none", "some"}:
            self.scan.label()
            return None if word == "none" else [self.payload(of.some, "`some`")]
        if isinstance(of.some, wit.Option | wit.Result):
            raise self.scan.error("`none` or `some(...)`")
        return [self.value(of.some)]

    def as_result(self, of: wit.Result) -> Any:
        word = self.scan.peek_label()
        if word in {"ok", "err"}:
            self.scan.label()
            side = ("ok", "err").index(word)
            return [side, self.payload((of.ok, of.err)[side], f"`{word}`")]
        if of.ok is None or isinstance(of.ok, wit.Option | wit.Result):
            raise self.scan.error("`ok` or `err`")
        return [0, self.value(of.ok)]

    def as_refuse(self, of: Type) -> None:
        raise self.scan.wrong(f"a value of type {type_text(of, most=80)} cannot be written", self.scan.at)


def _choice(what: str, names: Sequence[str]) -> str:
    known = ", ".join(quoted(name) for name in names[:10])
    return f"{what}: one of {known}{' and others' if len(names) > 10 else ''}"


_EXAMPLES: Final = {
    "bool": "bool: true or false",
    "char": "char, between single quotes",
    "string": "string, between double quotes",
}
_KINDS: Final[Mapping[type, Callable[[_Reader, Any], Any]]] = {
    wit.Primitive: _Reader.as_primitive,
    wit.List: _Reader.as_list,
    wit.FixedList: _Reader.as_fixed,
    wit.Record: _Reader.as_record,
    wit.Tuple: _Reader.as_tuple,
    wit.Variant: _Reader.as_variant,
    wit.Enum: _Reader.as_enum,
    wit.Option: _Reader.as_option,
    wit.Result: _Reader.as_result,
    wit.Flags: _Reader.as_flags,
    wit.Handle: _Reader.as_refuse,
    wit.Unsupported: _Reader.as_refuse,
}
