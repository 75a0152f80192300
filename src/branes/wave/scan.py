"""Tokens of WAVE: where in the text a reader is, what stands there, and how an error says so. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from branes.errors import UsageError
from branes.text import escape

if TYPE_CHECKING:
    from re import Pattern

#: Labels that mean something by themselves; as the label of a case they have `%` in front.
KEYWORDS: Final = frozenset({"true", "false", "inf", "nan", "some", "none", "ok", "err"})
ESCAPES: Final = {"'": "'", '"': '"', "\\": "\\", "t": "\t", "n": "\n", "r": "\r"}
#: Characters of what was got, in an error.
_SHOWN: Final = 20
_SPACE: Final = re.compile(r"(?:\s|//[^\n]*)*+")
_LABEL: Final = re.compile(r"%?[A-Za-z][A-Za-z0-9]*+(?:-[A-Za-z0-9]++)*+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|-?inf\b|nan\b")
_GOT: Final = re.compile(r"[\w.%+-]+|.", re.DOTALL)
_PLAIN: Final = re.compile(r'[^"\\\n]*+')
_UNICODE: Final = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}")
_LINES: Final = re.compile(r'"""\r?\n')
_LINE_END: Final = re.compile(r"\r?\n( *)\"\"\"")


class Scanner:
    """Some text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def error(self, expected: str, at: int | None = None) -> UsageError:
        """What stands here, or at `at`, is not what was expected."""
        where = self.at if at is None else at
        found = _GOT.match(self.text, where)
        token = escape(found.group()[:_SHOWN]) if found else ""
        return self.wrong(
            f"got `{token}`, expected {expected}" if found else f"got the end, expected {expected}", where
        )

    def wrong(self, what: str, at: int) -> UsageError:
        """Something is wrong at `at`, told by its column, and by its line where there are several."""
        start = self.text.rfind("\n", 0, at) + 1
        line = f"line {self.text.count(chr(10), 0, at) + 1}, " if "\n" in self.text else ""
        return UsageError(f"{line}column {at - start + 1}: {what}")

    def skip(self) -> None:
        """Past white space and comments."""
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def accept(self, token: str) -> bool:
        """Past `token`, if it is next."""
        self.skip()
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def expect(self, token: str, also: str = "") -> None:
        """Past `token`, which must be next; `also` is what else could have been."""
        if not self.accept(token):
            raise self.error(f"`{token}`{also}")

    def label(self) -> str | None:
        """A label as it is written, `%` included."""
        return self._take(_LABEL)

    def peek_label(self) -> str | None:
        """The label that is next, which stays there."""
        self.skip()
        found = _LABEL.match(self.text, self.at)
        return found.group() if found else None

    def number(self) -> str | None:
        """A number as it is written, or the name of one that has no digits."""
        return self._take(_NUMBER)

    def _take(self, pattern: Pattern[str]) -> str | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def end(self) -> None:
        """Nothing may follow."""
        self.skip()
        if self.at < len(self.text):
            raise self.error("the end")

    def char(self) -> str | None:
        """A char between single quotes."""
        self.skip()
        if not self.text.startswith("'", self.at):
            return None
        self.at += 1
        here = self.text[self.at : self.at + 1]
        if here == "\\":
            value = self._escape()
        elif here in {"", "'", "\n"}:
            raise self.error("a character, escaped if it is a quote or a line break")
        else:
            value = here
            self.at += 1
        if not self.text.startswith("'", self.at):
            raise self.error("`'` after one character")
        self.at += 1
        return value

    def string(self) -> str | None:
        """A string between double quotes, or between three of them, each on a line."""
        self.skip()
        if _LINES.match(self.text, self.at):
            return self._lines()
        if not self.text.startswith('"', self.at):
            return None
        self.at += 1
        return self._quoted()

    def _quoted(self) -> str:
        pieces: list[str] = []
        while True:
            plain = _PLAIN.match(self.text, self.at)
            if plain:
                pieces.append(plain.group())
                self.at = plain.end()
            here = self.text[self.at : self.at + 1]
            if here == '"':
                self.at += 1
                return "".join(pieces)
            if here != "\\":
                raise self.error('`"` at the end of the string, and line breaks in it as `\\n`')
            pieces.append(self._escape())

    def _escape(self) -> str:
        start = self.at
        unicode = _UNICODE.match(self.text, start + 1)
        if unicode:
            point = int(unicode.group(1), 16)
            if point > 0x10FFFF or 0xD800 <= point <= 0xDFFF:
                raise self.wrong(f"got `{unicode.group()}`, expected a Unicode scalar value", start)
            self.at = unicode.end()
            return chr(point)
        value = ESCAPES.get(self.text[start + 1 : start + 2])
        if value is None:
            raise self.error("an escape: \\' \\\" \\\\ \\t \\n \\r or \\u{...}", start)
        self.at += 2
        return value

    def _lines(self) -> str:
        """A string of whole lines, less the indentation of its closing quotes."""
        first = self.at + 3
        found = _closing(self.text, first)
        if found is None:
            raise self.wrong('got no end of the string, expected `"""` on a line of its own', first)
        stop, indent, end = found
        lines = self.text[first:stop].replace("\r\n", "\n").split("\n")[1:]
        pieces = []
        for line in lines:
            if not line.startswith(indent):
                raise self.wrong(
                    f"got a line indented less than its closing quotes, expected {len(indent)} spaces", first
                )
            pieces.append(_unescaped(line.removeprefix(indent), self, first))
        self.at = end
        return "\n".join(pieces)


def _closing(text: str, start: int) -> tuple[int, str, int] | None:
    """Where the last line ends, the indentation of the closing quotes, and where they end."""
    found = _LINE_END.search(text, start)
    if found is None:
        return None
    return found.start(), found.group(1), found.end()


def _unescaped(line: str, scanner: Scanner, at: int) -> str:
    inner = Scanner(line)
    pieces: list[str] = []
    while (found := inner.text.find("\\", inner.at)) >= 0:
        pieces.append(inner.text[inner.at : found])
        inner.at = found
        try:
            pieces.append(inner._escape())  # noqa: SLF001 -- another of its kind
        except UsageError as error:
            raise scanner.wrong(f"in this string, {error.message}", at) from None
    return "".join([*pieces, inner.text[inner.at :]])
