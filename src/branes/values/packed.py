"""Plain values to bytes and back, in MessagePack. Pure.

What a brane sends is hostile: it is bounded in bytes and in items before it becomes objects, and holds nothing but what
is plain. Whether it fits a type is for `decode`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgpack

from branes.wire import MAX_PAYLOAD, WireError

if TYPE_CHECKING:
    from branes.values.encode import Plain

#: Bytes that a result has on the wire, at most: a frame, less what else is in it. As in the worker's `values.rs`.
MAX_BYTES: Final = MAX_PAYLOAD - 1024
#: Arrays, and items of arrays, that a result has, at most: one byte of it can be an object of many. Likewise.
MAX_ITEMS: Final = 1 << 20


def pack(plain: Plain) -> bytes:
    """`plain` as bytes."""
    return bytes(msgpack.packb(plain, use_bin_type=True))


def unpack(data: bytes) -> object:
    """The plain value that `data` holds; maps of it are left for `decode` to refuse.

    Raises:
        WireError: it is none, or is larger than a result may be.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"a result of {len(data)} bytes, at most {MAX_BYTES} allowed")
    left = MAX_ITEMS

    def counted(items: list[object]) -> list[object]:
        nonlocal left
        left -= 1 + len(items)
        if left < 0:
            raise ValueError("too many items")
        return items

    try:
        return msgpack.unpackb(
            data, raw=False, max_array_len=MAX_ITEMS, max_map_len=0, max_ext_len=0, list_hook=counted
        )
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise WireError("malformed result") from error
