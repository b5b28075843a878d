"""Rate limits by API key or address: token buckets, refilled by a monotonic clock, charged what a request costs.

A unit is a thousand characters to be generated or checked, two thousand to be read, or a small request; rendering a
file costs `RENDER`. A request that costs more than a bucket's capacity needs a full one and leaves it in debt: so a
long request is possible, and is paid off over time.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from app.errors import RateError

REQUEST = 1
RENDER = 3
_CHARACTERS_PER_UNIT = 1000
_READ_PER_UNIT = 2000  # characters
_MAX_CALLERS = 20_000  # remembered at some 500 bytes each; the one longest unseen is forgotten first
_MINUTE_S, _DAY_S = 60, 86_400


def cost_of(characters: int) -> int:
    """Units for generating or checking so many characters."""
    return max(REQUEST, math.ceil(characters / _CHARACTERS_PER_UNIT))


def reading_cost(text: str) -> int:
    """Units for parsing a text."""
    return max(REQUEST, math.ceil(len(text) / _READ_PER_UNIT))


@dataclass
class Bucket:
    """A token bucket: `left` of `capacity` units, refilled evenly within `window_s`."""

    name: str
    capacity: int
    window_s: int
    left: float
    at_s: float

    def settle(self, now_s: float) -> None:
        """Refill up to a time."""
        self.left = min(self.capacity, self.left + (now_s - self.at_s) * self.capacity / self.window_s)
        self.at_s = now_s

    def wait_s(self, units: float) -> int:
        """Whole seconds until so many units are available; 0 if they are."""
        return max(0, math.ceil((units - self.left) * self.window_s / self.capacity))


class Account:
    """What one request charges to its caller's buckets; `spend` is called with the units that were finally spent."""

    def __init__(
        self,
        buckets: list[Bucket],
        clock: Callable[[], float] = time.monotonic,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._buckets = buckets
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
        now_s = self._clock()
        for bucket in self._buckets:
            bucket.settle(now_s)
            if wait_s := bucket.wait_s(min(units, bucket.capacity - self._spent)):
                raise RateError(
                    f"this costs {units} units; {max(0, math.floor(bucket.left))} are left of {bucket.capacity} "
                    f"a {bucket.name}",
                    retry_after_s=wait_s,
                )
        for bucket in self._buckets:
            bucket.left -= units
        self._spent += units

    def settle(self, reserved: int, used: int) -> None:
        """Spend what was used of a reservation, and refund the rest."""
        for bucket in self._buckets:
            bucket.left = min(bucket.capacity, bucket.left + reserved - used)
        self._spent -= reserved - used
        self._spend(used)

    def headers(self) -> dict[str, str]:
        """The rate limit headers of the response (draft-ietf-httpapi-ratelimit-headers); empty without limits."""
        if not self._buckets:
            return {}
        policy = ", ".join(f'"{b.name}";q={b.capacity};w={b.window_s}' for b in self._buckets)
        left = ", ".join(f'"{b.name}";r={max(0, math.floor(b.left))};t={b.wait_s(b.capacity)}' for b in self._buckets)
        return {"RateLimit-Policy": policy, "RateLimit": left}


class Allowances:
    """The buckets of every recent caller.

    Args:
        rate_per_minute: units; 0 is no limit.
        quota_per_day: units; 0 is no limit.
        clock: monotonic, in seconds.
    """

    def __init__(self, rate_per_minute: int, quota_per_day: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_per_minute = rate_per_minute
        self._quota_per_day = quota_per_day
        self._clock = clock
        self._callers: OrderedDict[str, list[Bucket]] = OrderedDict()

    def account(
        self, caller: str, rate_per_minute: int | None = None, spend: Callable[[int], None] = lambda _: None
    ) -> Account:
        """An account for one request of a caller, whose rate may be a special one; see Account for `spend`."""
        rate = self._rate_per_minute if rate_per_minute is None else rate_per_minute
        limits = [("minute", rate, _MINUTE_S), ("day", self._quota_per_day, _DAY_S)]
        wanted = [limit for limit in limits if limit[1]]
        buckets = self._callers.pop(caller, [])
        if [(bucket.name, bucket.capacity, bucket.window_s) for bucket in buckets] != wanted:
            now_s = self._clock()
            buckets = [Bucket(name, capacity, window_s, capacity, now_s) for name, capacity, window_s in wanted]
        if buckets:
            self._callers[caller] = buckets
            if len(self._callers) > _MAX_CALLERS:
                self._callers.popitem(last=False)
        return Account(buckets, self._clock, spend)
