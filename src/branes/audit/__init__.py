"""The audit log: an append-only chain of records that nobody can quietly edit.

- `record`: what a record is, and its one form as bytes (pure)
- `chain`: how records follow each other (pure)
- `fault`: what is wrong where they do not (pure)
- `folder`: files, opened safely, and the lock
- `newest`: the end of the log
- `turns`: which thread writes for which others
- `store`: appending, durably
- `verify`: reading: sound or not, and where
"""

from branes.audit.chain import GENESIS, Checked, Head, Stamp, check, extend, resume
from branes.audit.fault import Fault, Line, Reason
from branes.audit.record import LAYERS, MAX_LINE, Event, MalformedError, Record, decode, encode
from branes.audit.store import AuditLog
from branes.audit.verify import Verdict, tail, verify

__all__ = [
    "GENESIS",
    "LAYERS",
    "MAX_LINE",
    "AuditLog",
    "Checked",
    "Event",
    "Fault",
    "Head",
    "Line",
    "MalformedError",
    "Reason",
    "Record",
    "Stamp",
    "Verdict",
    "check",
    "decode",
    "encode",
    "extend",
    "resume",
    "tail",
    "verify",
]
