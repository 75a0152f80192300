"""Descriptors that one owner holds, last in first out, so that no interruption loses one.

Python raises KeyboardInterrupt between any two steps of its own, so also between open(2) and the assignment of what it
returned, where no `try` can help. Within one call of a built-in function it does not. So a descriptor is opened into
a list by one such call, and taken out and closed by another: at every moment it is in the list or closed, never both.
What an interrupted block leaves in the list is closed when the list's owner goes.
"""

from __future__ import annotations

import os
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable

#: At the bottom of the stack while it is emptied.
_END: Final = -1


class Held:
    """A stack of open descriptors, closed at the end."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: list[int] = []

    def add(self, make: Callable[..., int], *args: object, **words: Any) -> int:
        """The descriptor that `make(*args, **words)` makes, held from its first moment.

        Args:
            make: a built-in function.
            args: its arguments by position, at least one.
            words: its arguments by keyword.

        Raises:
            OSError: the kernel refused.
        """
        self._numbers.extend(map(partial(make, **words), *((arg,) for arg in args)))
        return self._numbers[-1]

    def last(self) -> int | None:
        """The descriptor that was added last; None if none is held."""
        return next((number for number in self._numbers[-1:] if number != _END), None)

    def drop(self) -> None:
        """Close the one that was added last."""
        next(map(os.close, iter(self._numbers.pop, _END)), None)

    def close(self) -> None:
        """Close all of them. Again is no error."""
        self._numbers.insert(0, _END)
        deque(map(os.close, iter(self._numbers.pop, _END)), maxlen=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # An interrupted constructor left none to close.
        for numbers in filter(None, [getattr(self, "_numbers", None)]):
            numbers.insert(0, _END)
            deque(map(os.close, iter(numbers.pop, _END)), maxlen=0)
