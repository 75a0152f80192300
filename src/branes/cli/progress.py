"""Says that a program is compiled, or a folder read: a bar on a terminal, once it takes long enough to be noticed."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Final

from branes.cli import streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

#: Seconds after which a bar appears.
_NOTICED: Final = 0.3


class Bar:
    """What progress is told to.

    Args:
        text: what goes on, in safe characters.
        announce: whether to say so in a line where there is no terminal.
    """

    def __init__(self, text: str, *, announce: bool = False) -> None:
        self._text = text
        self._announce = announce and not os.isatty(streams.STDERR)
        self._started = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are done."""
        if self._announce:
            streams.say(f"{self._text}\n")
            self._announce = False
        if self._bar is None and self._is_due(done, total):
            self._show()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, refresh=True)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _is_due(self, done: int, total: int) -> bool:
        return os.isatty(streams.STDERR) and done < total and time.monotonic() - self._started > _NOTICED

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        # The name is untrusted: no markup of rich's in it is obeyed.
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
        self._bar = Progress(
            *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True, auto_refresh=False
        )
        self._task = self._bar.add_task(self._text)
        self._bar.start()


@contextlib.contextmanager
def compiling(name: str, *, announce: bool = False) -> Iterator[Bar]:
    """A bar for the compiler's progress with `name`, in safe characters."""
    with _shown(Bar(f"compiling {name} (once)", announce=announce)) as bar:
        yield bar


@contextlib.contextmanager
def reading() -> Iterator[Bar]:
    """A bar for folders that are read."""
    with _shown(Bar("reading trees")) as bar:
        yield bar


@contextlib.contextmanager
def _shown(bar: Bar) -> Iterator[Bar]:
    """`bar`, taken away at the end, whatever that is."""
    try:
        yield bar
    finally:
        bar.close()
