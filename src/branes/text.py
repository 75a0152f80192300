"""Untrusted text, made safe to show."""

from __future__ import annotations


def escape(text: str) -> str:
    """`text` in one line that no terminal obeys: what is not printable is spelled out."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode() for char in text
    )


def escape_lines(text: str) -> str:
    """`text` with its lines and tabs as they are, and everything else that a terminal obeys spelled out."""
    return "".join(char if char in "\n\t" else escape(char) for char in text)
