"""Conditional and range requests: `If-None-Match`, `If-Range` and `Range` (RFC 9110, sections 13 and 14)."""

import re
from dataclasses import dataclass

from starlette.datastructures import Headers

_ENTITY_TAG = re.compile(r'(?:W/)?("[^"]*")')
_BYTE_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.IGNORECASE)


@dataclass(frozen=True)
class ByteRange:
    """Bytes `first` to `last`, both included; without `first` the last `last` bytes; without `last` up to the end."""

    first: int | None
    last: int | None

    @property
    def is_all(self) -> bool:
        """Whether it is the whole file, however long that is."""
        return self.first == 0 and self.last is None

    def within(self, size: int) -> tuple[int, int] | None:
        """Start and end (exclusive) in a file of `size` bytes; None where the range lies outside it."""
        if self.first is None:
            start, stop = max(0, size - (self.last or 0)), size
        else:
            start, stop = self.first, size if self.last is None else min(self.last + 1, size)
        return (start, stop) if start < stop else None


def is_not_modified(headers: Headers, etag: str) -> bool:
    """Whether `If-None-Match` names an entity tag, compared weakly, or any."""
    wanted = ",".join(headers.getlist("if-none-match")).strip()
    return wanted == "*" or etag.removeprefix("W/") in _ENTITY_TAG.findall(wanted)


def wanted_range(headers: Headers, etag: str) -> ByteRange | None:
    """The byte range that is requested of a file with this entity tag; None: all of it.

    Several ranges and other units are ignored, as the RFC allows; so is, as it demands, a range whose `If-Range` names
    another tag or a weak one, whose bytes may differ.
    """
    if_range = headers.get("if-range")
    if if_range is not None and (if_range.strip() != etag or etag.startswith("W/")):
        return None
    match = _BYTE_RANGE.fullmatch(headers.get("range", "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    return None if first is not None and last is not None and last < first else ByteRange(first, last)
