"""Which thread writes for which others: those that wait at the same time share one write and one sync.

The first thread to come leads: it takes every ticket that waits, writes them and gives each its answer. Those
that come meanwhile wait; when it is done, one of them leads for all. Nobody waits to let a batch grow.

A ticket stays in the queue until it has an answer, so that a leader that is interrupted loses none. There are
no files in this module.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from branes.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from branes.audit.record import Event, Record


class Ticket:
    """One call of `append`, until it has an answer.

    Attributes:
        events: what is to be recorded.
        records: the answer if it was.
        failure: the answer if it was not.
    """

    __slots__ = ("events", "failure", "records")

    def __init__(self, events: Iterable[Event]) -> None:
        self.events = tuple(events)
        self.records: tuple[Record, ...] | None = None
        self.failure: AuditError | None = None

    @property
    def settled(self) -> bool:
        """Whether it has an answer."""
        return self.records is not None or self.failure is not None

    def result(self) -> tuple[Record, ...]:
        """Return the records.

        Raises:
            AuditError: there are none.
        """
        if self.failure:
            raise self.failure
        if self.records is None:
            raise AuditError("the append was interrupted before it was written")
        return self.records


class Turns:
    """The queue of the threads of one process; made anew after a fork."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Ticket] = []
        self._leader: Ticket | None = None

    def wait_or_lead(self, ticket: Ticket) -> list[Ticket]:
        """Return the tickets that this thread has to settle: none once another settled `ticket`."""
        with self._changed:
            self._waiting.append(ticket)
            while self._leader and not ticket.settled:
                self._changed.wait()
            if ticket.settled:
                return []
            self._leader = ticket
            return list(self._waiting)

    def waiting(self) -> list[Ticket]:
        """Return the tickets without an answer; for the leader, who may settle them all."""
        with self._changed:
            return list(self._waiting)

    def leave(self, ticket: Ticket) -> None:
        """Take `ticket` and all that are settled out of the queue; if it led, let another lead."""
        with self._changed:
            self._waiting = [other for other in self._waiting if other is not ticket and not other.settled]
            if self._leader is ticket:
                self._leader = None
                self._changed.notify_all()
