"""Messages between owner, template and brane: bytes in, values out. The other side is `crates/brane-wire`.

A message is a MessagePack map with one key, its kind, over a map of its fields. On the pipes it stands in a frame: four
bytes of length, little endian, then the message. What comes from a brane is hostile: every bound is checked before
anything is allocated, and a message that is not exactly one of those expected is a `WireError`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgpack

MAX_PAYLOAD: Final = 16 << 20
MAX_CHUNK: Final = 64 << 10
#: Most bytes of input in one message: fits an empty pipe beside the frame, so that sending it never blocks.
MAX_INPUT: Final = 32 << 10
#: Most items that the arrays and maps of one message to the owner have in all.
MAX_ITEMS: Final = 4096
#: Largest piece of a file in one message, in bytes.
MAX_PIECE: Final = 1 << 20
#: Largest text of a tool's arguments, or of what came of it, in bytes.
MAX_TOOL: Final = 8 << 20
#: Most entries of a directory in one message.
MAX_ENTRIES: Final = 256
_HEADER: Final = struct.Struct("<I")

Fields = Mapping[str, Any]


class WireError(Exception):
    """The other side does not speak the protocol."""


def encode(kind: str, /, **fields: object) -> bytes:
    """One message as bytes."""
    return pack({kind: fields})


def pack(value: object) -> bytes:
    """A value inside a message: a template's job."""
    return bytes(msgpack.packb(value, use_bin_type=True))


def frame(payload: bytes) -> bytes:
    """`payload` in a frame.

    Raises:
        WireError: it is larger than a frame may be.
    """
    if len(payload) > MAX_PAYLOAD:
        raise WireError(f"frame of {len(payload)} bytes, at most {MAX_PAYLOAD} allowed")
    return _HEADER.pack(len(payload)) + payload


def decode(payload: bytes, shapes: Mapping[str, Mapping[str, Callable[[Any], bool]]]) -> tuple[str, Fields]:
    """Kind and fields of one message.

    Args:
        payload: the message.
        shapes: the kinds that are expected, each with its fields and a test that a field's value passes.

    Raises:
        WireError: it is none of them, to the letter.
    """
    message = unpack(payload)
    if not isinstance(message, dict) or len(message) != 1:
        raise WireError("message is not a map of one kind")
    ((kind, fields),) = message.items()
    shape = shapes.get(kind)
    if shape is None:
        raise WireError("message of unexpected kind")
    return kind, check_fields(kind, fields, shape)


def check_fields(kind: str, fields: object, shape: Mapping[str, Callable[[Any], bool]]) -> Fields:
    """`fields`, if they are exactly those of `shape` and each passes.

    Raises:
        WireError: they are not.
    """
    if not isinstance(fields, dict) or fields.keys() != shape.keys():
        raise WireError(f"message {kind} has other fields than expected")
    for name, passes in shape.items():
        if not passes(fields[name]):
            raise WireError(f"field {name} of message {kind} is not as expected")
    return fields


def unpack(payload: bytes) -> object:
    """The one value that `payload` holds.

    Raises:
        WireError: it is not MessagePack, has a duplicate or other than text key, an extension, bytes after it, or more
            items than a message may have: one byte of a message can be an object of many.
    """
    counted = _Counted()
    try:
        return msgpack.unpackb(
            payload,
            raw=False,
            strict_map_key=True,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
            max_ext_len=0,
            list_hook=counted.items,
            object_pairs_hook=counted.pairs,
        )
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise WireError("malformed message") from error


class _Counted:
    """Arrays and maps of one message, refused when they are too many or hold too much in all."""

    def __init__(self) -> None:
        self._left = MAX_ITEMS

    def items(self, items: list[object]) -> list[object]:
        self._left -= 1 + len(items)
        if self._left < 0:
            raise ValueError("too many items")
        return items

    def pairs(self, pairs: list[tuple[object, object]]) -> dict[str, object]:
        self._left -= 1 + len(pairs)
        fields = {key: value for key, value in pairs if isinstance(key, str)}
        if len(fields) != len(pairs) or self._left < 0:
            raise ValueError("duplicate or non-text key, or too many items")
        return fields


class Deframer:
    """Payloads out of a stream of bytes."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take `data`; the payloads that are complete.

        Raises:
            WireError: a frame claims more than a frame may have.
        """
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            (length,) = _HEADER.unpack_from(self._buffer)
            if length > MAX_PAYLOAD:
                raise WireError(f"frame of {length} bytes, at most {MAX_PAYLOAD} allowed")
            end = _HEADER.size + length
            if len(self._buffer) < end:
                return
            payload = bytes(memoryview(self._buffer)[_HEADER.size : end])
            del self._buffer[:end]
            yield payload


def _text(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and len(value) <= most


def _data(most: int, least: int = 0) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, bytes) and least <= len(value) <= most


def _number(most: int, least: int = 0) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _value(value: object) -> bool:
    """Whether `value` is the MessagePack of a result, or None."""
    return value is None or isinstance(value, bytes)


def _reasons(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _entry(value: object) -> bool:
    """Whether `value` is an entry of a directory as brane-wire's `Entry`."""
    try:
        check_fields("entry", value, _ENTRY)
    except WireError:
        return False
    return True


def _entries(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ENTRIES and all(map(_entry, value))


def _file_answer(value: object) -> bool:
    """Whether `value` is an answer as brane-wire's `FileAnswer`."""
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, fields),) = value.items()
    if kind == "found":
        return _entry(fields)
    try:
        check_fields(kind, fields, _FILE_ANSWERS[kind])
    except (KeyError, WireError):
        return False
    return True


_ENTRY: Final[Mapping[str, Callable[[Any], bool]]] = {
    "name": _text(255),
    "kind": lambda value: value in ("directory", "file", "symlink"),
    "size": _number((1 << 64) - 1),
    "executable": lambda value: type(value) is bool,
    "target": _text(4096),
}
_FILE_ANSWERS: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "listed": {"entries": _entries, "more": lambda value: type(value) is bool},
    "fetched": {"data": _data(MAX_PIECE), "end": lambda value: type(value) is bool},
    "stored": {},
    "failed": {"code": _text(64)},
}
_FAILED: Final = {"step": _text(64), "errno": _number(4095), "detail": _text(8192)}

#: From a template.
FROM_TEMPLATE: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "born": {},
    "ready": {},
    "forked": {},
    "refused": {"reasons": _reasons},
    "failed": _FAILED,
}

#: From a brane, until it is parked.
FROM_SEALING: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "sealed": {"listener": _number(1 << 16)},
    "parked": {},
    "failed": _FAILED,
}

#: From a brane, after "go".
FROM_BRANE: Final[Mapping[str, Mapping[str, Callable[[Any], bool]]]] = {
    "started": {"go": lambda value: isinstance(value, bytes) and len(value) == 32},
    "pull": {"max": _number(MAX_CHUNK, 1)},
    "output": {"stream": _number(2, 1), "data": _data(MAX_CHUNK, 1)},
    "denied": {"interface": _text(1024), "function": _text(1024), "tried": _text(2048)},
    "limited": {"limit": lambda value: value == "memory", "asked": _number((1 << 64) - 1)},
    "asked": {"name": _text(256), "arguments": _data(MAX_TOOL)},
    "file": {"answer": _file_answer},
    "returned": {"value": _value},
    "exited": {"code": _number(255)},
    "trapped": {"kind": _text(64), "detail": _text(4096), "backtrace": _text(4096)},
    "failed": _FAILED,
}

#: How a brane ended, from the template that reaped it: a bare map.
DIED: Final[Mapping[str, Callable[[Any], bool]]] = {
    "code": _number(255),
    "signal": _number(127),
    "user_us": _number((1 << 64) - 1),
    "system_us": _number((1 << 64) - 1),
    "max_rss_kib": _number((1 << 64) - 1),
}
