"""Time zones for `zoneinfo`, which looks for them on a disk: here they are kept in memory.

The data is the IANA database as the `tzdata` package has it, which the build puts beside the guest's code.
"""

import io
import os
import zoneinfo
from typing import BinaryIO

_ZONES: dict[str, bytes] = {}


def install() -> None:
    """Read the database, and make `zoneinfo` use nothing else. Without `tzdata` only fixed offsets exist."""
    try:
        import tzdata
    except ModuleNotFoundError:
        return
    folder = os.path.dirname(tzdata.__file__)
    with open(os.path.join(folder, "zones")) as names:
        for name in names.read().split():
            with open(os.path.join(folder, "zoneinfo", *name.split("/")), "rb") as zone:
                _ZONES[name] = zone.read()
    zoneinfo.reset_tzpath(to=())
    zoneinfo._common.load_tzdata = zone_file
    zoneinfo.available_timezones = available_timezones


def zone_file(key: str) -> BinaryIO:
    """A zone's compiled data (RFC 9636)."""
    if key not in _ZONES:
        raise zoneinfo.ZoneInfoNotFoundError(f"No time zone found with key {key}")
    return io.BytesIO(_ZONES[key])


def available_timezones() -> set[str]:
    """Every key that `ZoneInfo` takes."""
    return set(_ZONES)
