"""Python values to what travels between owner and brane, and back, by type. Pure.

What travels is plain: None, bool, int, float, str, bytes, and lists of these; no names, since both ends know the type.

| type | plain |
|---|---|
| bool, integers, f32 and f64, char and string | bool, int, float, str |
| `list<u8>` | bytes |
| other lists, tuples, records (fields in order) | list |
| variant; enum | [index of the case, payload or None]; index |
| option | None or [payload] |
| result | [0, payload or None] or [1, payload or None] |
| flags | list of the indices that are set, ascending |

A value that a caller gives and that does not fit is a `UsageError` which says where. One that a brane gives is hostile:
it is checked to the letter, and a misfit is a `WireError`. docs/values.md has the Python shape of every type.
"""

from __future__ import annotations

from branes.values.decode import decode, decode_result
from branes.values.encode import MAX_BYTES, Plain, encode, encode_arguments
from branes.values.shapes import Case, Err, Ok, Record, Some

__all__ = [
    "MAX_BYTES",
    "Case",
    "Err",
    "Ok",
    "Plain",
    "Record",
    "Some",
    "decode",
    "decode_result",
    "encode",
    "encode_arguments",
]
