"""Rate limits by API key or address: token buckets, refilled by a monotonic clock, charged what a request costs.

A unit is a thousand characters to be generated or checked, two thousand to be read, or a small request; rendering a
file costs `RENDER`. A request that costs more than a bucket's capacity needs a full one and leaves it in debt: so a
long request is possible, and is paid off over time.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

from app.errors import RateError

REQUEST = 1
RENDER = 3
_CHARACTERS_PER_UNIT = 1000
_READ_PER_UNIT = 2000  # characters
_FILE_PER_UNIT = 50_000  # bytes of a file of another program's, which says less in as many
MAX_CALLERS = 20_000  # remembered at some 500 bytes each; the one longest unseen is forgotten first
_MINUTE_S, _DAY_S = 60, 86_400


def cost_of(characters: int) -> int:
    """Units for generating or checking that many characters."""
    return max(REQUEST, math.ceil(characters / _CHARACTERS_PER_UNIT))


def reading_cost(text: str) -> int:
    """Units for parsing a text."""
    return max(REQUEST, math.ceil(len(text) / _READ_PER_UNIT))


def cost_of_file(size: int) -> int:
    """Units for reading a file of that many bytes in another format than ABC."""
    return max(REQUEST, math.ceil(size / _FILE_PER_UNIT))


@dataclass(frozen=True)
class Limit:
    """The limit of a bucket: units, and the seconds within which they can be spent."""

    name: str
    capacity: int
    window_s: int


@dataclass
class Bucket:
    """A token bucket: `left` of `capacity` units, refilled evenly within `window_s`."""

    name: str
    capacity: int
    window_s: int
    left: float
    at_s: float

    @classmethod
    def full(cls, limit: Limit, now_s: float) -> "Bucket":
        """One that nothing was taken from."""
        return cls(limit.name, limit.capacity, limit.window_s, limit.capacity, now_s)

    @property
    def limit(self) -> Limit:
        """What it holds."""
        return Limit(self.name, self.capacity, self.window_s)

    def settle(self, now_s: float) -> None:
        """Refill up to a time."""
        self.left = min(self.capacity, self.left + (now_s - self.at_s) * self.capacity / self.window_s)
        self.at_s = now_s

    def wait_s(self, units: float) -> int:
        """Whole seconds until that many units are available; 0 if they are now."""
        return max(0, math.ceil((units - self.left) * self.window_s / self.capacity))


Hold = Callable[[], AbstractContextManager[list[Bucket]]]
"""Gives a caller's buckets, which nobody else changes within the `with` block."""


def no_buckets() -> AbstractContextManager[list[Bucket]]:
    """Of a caller without limits."""
    return nullcontext([])


class BucketStore(Protocol):
    """Where the buckets of all recent callers are."""

    def buckets(self, caller: str, limits: tuple[Limit, ...], clock: Callable[[], float]) -> Hold:
        """The buckets of one caller: full where it is new, or its limits have changed."""
        ...


class OwnBuckets:
    """The token buckets of a service that is one process."""

    def __init__(self) -> None:
        self._callers: OrderedDict[str, list[Bucket]] = OrderedDict()

    def buckets(self, caller: str, limits: tuple[Limit, ...], clock: Callable[[], float]) -> Hold:
        """See BucketStore."""
        buckets = self._callers.pop(caller, [])
        if tuple(bucket.limit for bucket in buckets) != limits:
            now_s = clock()
            buckets = [Bucket.full(limit, now_s) for limit in limits]
        self._callers[caller] = buckets
        if len(self._callers) > MAX_CALLERS:
            self._callers.popitem(last=False)
        return lambda: nullcontext(buckets)


class Account:
    """What one request charges to its caller's buckets; `spend` is called with the units that were finally spent."""

    def __init__(
        self,
        hold: Hold = no_buckets,
        clock: Callable[[], float] = time.monotonic,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._hold = hold
        self._clock = clock
        self._spend = spend
        self._spent = 0

    def charge(self, units: int) -> None:
        """Spend units; raises as `reserve` does."""
        self.reserve(units)
        self._spend(units)

    def reserve(self, units: int) -> None:
        """Reserve the most that may be spent; `settle` refunds what was not.

        Raises:
            RateError: a bucket has less than these units, or than all of it where they are more.
        """
        with self._hold() as buckets:
            now_s = self._clock()
            for bucket in buckets:
                bucket.settle(now_s)
                if wait_s := bucket.wait_s(min(units, bucket.capacity - self._spent)):
                    raise RateError(
                        f"this costs {units} units; {max(0, math.floor(bucket.left))} are left of {bucket.capacity} "
                        f"a {bucket.name}",
                        retry_after_s=wait_s,
                    )
            for bucket in buckets:
                bucket.left -= units
        self._spent += units

    def settle(self, reserved: int, used: int) -> None:
        """Spend what was used of a reservation, and refund the rest."""
        with self._hold() as buckets:
            for bucket in buckets:
                bucket.left = min(bucket.capacity, bucket.left + reserved - used)
        self._spent -= reserved - used
        self._spend(used)

    def headers(self) -> dict[str, str]:
        """The rate limit headers of the response (draft-ietf-httpapi-ratelimit-headers); empty without limits."""
        with self._hold() as buckets:
            if not buckets:
                return {}
            policy = ", ".join(f'"{b.name}";q={b.capacity};w={b.window_s}' for b in buckets)
            left = ", ".join(f'"{b.name}";r={max(0, math.floor(b.left))};t={b.wait_s(b.capacity)}' for b in buckets)
        return {"RateLimit-Policy": policy, "RateLimit": left}


class Allowances:
    """The buckets of every recent caller.

    Args:
        rate_per_minute: units; 0 is no limit.
        quota_per_day: units; 0 is no limit.
        clock: monotonic, in seconds; the same for all who share the store.
        store: where the buckets are; None: in this process.
    """

    def __init__(
        self,
        rate_per_minute: int,
        quota_per_day: int,
        clock: Callable[[], float] = time.monotonic,
        store: BucketStore | None = None,
    ) -> None:
        self._rate_per_minute = rate_per_minute
        self._quota_per_day = quota_per_day
        self._clock = clock
        self._store = store or OwnBuckets()

    def account(
        self, caller: str, rate_per_minute: int | None = None, spend: Callable[[int], None] = lambda _: None
    ) -> Account:
        """An account for one request of a caller, whose rate may be a special one; see Account for `spend`."""
        rate = self._rate_per_minute if rate_per_minute is None else rate_per_minute
        both = (Limit("minute", rate, _MINUTE_S), Limit("day", self._quota_per_day, _DAY_S))
        limits = tuple(limit for limit in both if limit.capacity)
        hold = self._store.buckets(caller, limits, self._clock) if limits else no_buckets
        return Account(hold, self._clock, spend)
