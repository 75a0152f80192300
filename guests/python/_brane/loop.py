"""The event loop behind `asyncio.run`: one thread, no self-pipe.

CPython's own loop wakes itself through a socket pair, which WASI has not. Nothing needs waking here, since
there are no threads and no signals, so the pipe is left out. Sockets, where a brane has them, are waited for
as usual.
"""

import asyncio
import selectors
import socket
import time
from asyncio import selector_events, unix_events
from typing import Any

NO_THREADS = "a brane has no threads: await a coroutine, or call the function directly"


class Selector(selectors.DefaultSelector):
    """Waits for sockets and time, and refuses to wait for nothing, forever."""

    def select(self, timeout: float | None = None) -> Any:
        """As `selectors.BaseSelector.select`; RuntimeError where no event can ever come."""
        if self.get_map():
            return super().select(timeout)
        if timeout is None:
            raise RuntimeError("deadlock: every task waits, and nothing is left that could wake one")
        time.sleep(max(timeout, 0))
        return []


class Loop(selector_events.BaseSelectorEventLoop):
    """The default loop of the guest."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        super().__init__(selector or Selector())

    def _make_self_pipe(self) -> None:
        pass

    def _close_self_pipe(self) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Refused: `asyncio.to_thread` and executors need threads."""
        raise RuntimeError(NO_THREADS)

    async def getaddrinfo(self, host: Any, port: Any, **hints: int) -> Any:
        """Look a name up; the loop stands still meanwhile."""
        return socket.getaddrinfo(host, port, **hints)


def install() -> None:
    """Make `Loop` what `asyncio` uses everywhere."""
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = Loop
    for module in (asyncio, unix_events):
        module.SelectorEventLoop = module.EventLoop = Loop
