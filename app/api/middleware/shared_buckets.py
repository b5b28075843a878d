"""Token buckets that all workers of a service draw from: a table in memory that they share.

Made before the workers are forked. Each set of the table has a lock of the kernel's, which a process that is killed
lets go of. The clock has to be the system's monotonic one, which is the same in every process.
"""

import fcntl
import hashlib
import mmap
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from app.api.middleware.rate_limit import MAX_CALLERS, Bucket, Hold, Limit

_WAYS = 8  # callers of a set, of which the one longest unseen is forgotten for another
_SETS = MAX_CALLERS // _WAYS
_MAX_LIMITS = 2
_CALLER = struct.Struct("16sd")  # digest, when it was last seen
_BUCKET = struct.Struct("dddd")  # capacity and window, 0 where there is none; units left, and when that was
_ENTRY_BYTES = _CALLER.size + _MAX_LIMITS * _BUCKET.size
_SET_BYTES = _WAYS * _ENTRY_BYTES


class SharedBuckets:
    """The token buckets of a service of several processes; a page of the table takes memory once a caller is in it."""

    def __init__(self) -> None:
        self._file = os.memfd_create("lilt-buckets")
        os.ftruncate(self._file, _SETS * _SET_BYTES)
        self._table = mmap.mmap(self._file, _SETS * _SET_BYTES)

    def buckets(self, caller: str, limits: tuple[Limit, ...], clock: Callable[[], float]) -> Hold:
        """See BucketStore; there are at most two limits."""
        digest = hashlib.blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return lambda: self._hold(digest, limits, clock)

    def _hold(
        self, digest: bytes, limits: tuple[Limit, ...], clock: Callable[[], float]
    ) -> AbstractContextManager[list[Bucket]]:
        return self._held(int.from_bytes(digest[:8], "little") % _SETS, digest, limits, clock)

    @contextmanager
    def _held(
        self, number: int, digest: bytes, limits: tuple[Limit, ...], clock: Callable[[], float]
    ) -> Iterator[list[Bucket]]:
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, number)
        try:
            now_s = clock()
            place = self._place(number * _SET_BYTES, digest)
            buckets = self._read(place, digest, limits) or [Bucket.full(limit, now_s) for limit in limits]
            try:
                yield buckets
            finally:
                self._write(place, digest, now_s, buckets)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, number)

    def _place(self, begin: int, digest: bytes) -> int:
        """The index of a caller's entry in the set that begins there, or of the entry to take for it."""
        places = range(begin, begin + _SET_BYTES, _ENTRY_BYTES)
        seen = {place: _CALLER.unpack_from(self._table, place) for place in places}
        found = [place for place, (known, _) in seen.items() if known == digest]
        return found[0] if found else min(places, key=lambda place: seen[place][1])

    def _read(self, place: int, digest: bytes, limits: tuple[Limit, ...]) -> list[Bucket] | None:
        known, _ = _CALLER.unpack_from(self._table, place)
        kept = [_BUCKET.unpack_from(self._table, at) for at in _bucket_places(place)]
        if known != digest or [each[:2] for each in kept if each[0]] != [(of.capacity, of.window_s) for of in limits]:
            return None
        return [
            Bucket(limit.name, limit.capacity, limit.window_s, left, at_s)
            for limit, (_, _, left, at_s) in zip(limits, kept, strict=False)
        ]

    def _write(self, place: int, digest: bytes, now_s: float, buckets: list[Bucket]) -> None:
        _CALLER.pack_into(self._table, place, digest, now_s)
        values = [(float(of.capacity), float(of.window_s), of.left, of.at_s) for of in buckets]
        for at, each in zip(_bucket_places(place), [*values, *[(0.0, 0.0, 0.0, 0.0)] * _MAX_LIMITS], strict=False):
            _BUCKET.pack_into(self._table, at, *each)


def _bucket_places(place: int) -> range:
    return range(place + _CALLER.size, place + _ENTRY_BYTES, _BUCKET.size)
