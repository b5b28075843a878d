"""Rate limits and quotas, with a clock that the test sets."""

import subprocess
import sys

import pytest

from app.api.middleware import rate_limit, shared_buckets
from app.api.middleware.rate_limit import Account, Allowances, BucketStore, OwnBuckets, cost_of, reading_cost
from app.api.middleware.shared_buckets import SharedBuckets
from app.errors import RateError
from tests.servers import ROOT


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[OwnBuckets, SharedBuckets])
def store(request: pytest.FixtureRequest) -> BucketStore:
    """Of one process, and of several."""
    made: BucketStore = request.param()
    return made


def refused(account: Account, units: int) -> int:
    """How many seconds a refused caller is told to wait."""
    with pytest.raises(RateError) as caught:
        account.charge(units)
    assert caught.value.retry_after_s is not None
    return caught.value.retry_after_s


def test_cost_grows_with_what_is_made() -> None:
    assert [cost_of(characters) for characters in (1, 300, 1000, 1001, 100_000)] == [1, 1, 1, 2, 100]


def test_a_long_text_costs_more_to_read_than_a_tune() -> None:
    assert [reading_cost("c" * characters) for characters in (0, 300, 2000, 2001, 32_768)] == [1, 1, 1, 2, 17]


def test_a_minutes_units_come_back_evenly(clock: Clock, store: BucketStore) -> None:
    allowances = Allowances(60, 0, clock, store)
    for _ in range(60):
        allowances.account("a").charge(1)
    assert refused(allowances.account("a"), 1) == 1
    assert refused(allowances.account("a"), 10) == 10
    clock.now_s += 10
    allowances.account("a").charge(10)
    assert refused(allowances.account("a"), 1) == 1
    allowances.account("b").charge(1)


def test_a_request_larger_than_the_bucket_needs_a_full_one_and_leaves_a_debt(clock: Clock, store: BucketStore) -> None:
    allowances = Allowances(60, 0, clock, store)
    account = allowances.account("a")
    account.charge(1)
    account.charge(99)
    assert refused(allowances.account("a"), 1) == 41
    account.settle(99, 19)
    allowances.account("a").charge(40)
    assert refused(allowances.account("a"), 1) == 1


def test_a_quota_holds_where_the_rate_would_not(clock: Clock, store: BucketStore) -> None:
    allowances = Allowances(60, 100, clock, store)
    for _ in range(10):
        allowances.account("a").charge(10)
        clock.now_s += 60
    assert refused(allowances.account("a"), 10) > 60
    assert allowances.account("a").headers()["RateLimit-Policy"] == '"minute";q=60;w=60, "day";q=100;w=86400'


def test_a_key_may_have_a_rate_of_its_own(clock: Clock, store: BucketStore) -> None:
    allowances = Allowances(1, 0, clock, store)
    for _ in range(5):
        allowances.account("rich", 5).charge(1)
    assert refused(allowances.account("rich", 5), 1) == 12
    assert allowances.account("rich", 5).headers()["RateLimit"] == '"minute";r=0;t=60'


def test_without_limits_nothing_is_counted_or_said(clock: Clock) -> None:
    account = Allowances(0, 0, clock).account("a")
    account.charge(10**9)
    assert account.headers() == {}


def test_the_number_of_remembered_callers_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_CALLERS", 3)
    allowances = Allowances(1, 0, clock)
    for caller in "abc":
        allowances.account(caller).charge(1)
    assert refused(allowances.account("a"), 1) == 60
    allowances.account("d").charge(1)
    assert refused(allowances.account("a"), 1) == 60
    allowances.account("b").charge(1)


def test_the_caller_longest_unseen_is_forgotten_where_workers_share_a_full_table(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_buckets, "_SETS", 1)
    allowances = Allowances(1, 0, clock, SharedBuckets())
    for caller in "abcdefgh":
        clock.now_s += 0.01
        allowances.account(caller).charge(1)
    clock.now_s += 0.01
    assert refused(allowances.account("a"), 1) == 60
    allowances.account("i").charge(1)
    assert refused(allowances.account("a"), 1) == 60
    allowances.account("b").charge(1)


MANY_AT_ONCE = """
import os
from app.api.middleware.rate_limit import Allowances
from app.api.middleware.shared_buckets import SharedBuckets
allowances = Allowances(10_000, 0, lambda: 0.0, SharedBuckets())
workers = []
for _ in range(2):
    workers.append(os.fork())
    if not workers[-1]:
        for _ in range(2000):
            allowances.account("a").charge(1)
        os._exit(0)
for worker in workers:
    os.waitpid(worker, 0)
print(allowances.account("a").headers()["RateLimit"])
"""


def test_no_unit_is_lost_where_workers_charge_a_caller_at_once() -> None:
    run = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.startswith('"minute";r=6000;'), run.stdout


WALL_CLOCK_SET = """
import time
day_s = 0.0
time.time = lambda: day_s
time.time_ns = lambda: int(1e9 * day_s)
from app.api.middleware.rate_limit import Allowances
from app.errors import RateError
allowances = Allowances(0, 1)
allowances.account("a").charge(1)
day_s = 86400.0
try:
    allowances.account("a").charge(1)
except RateError as error:
    print(error.retry_after_s)
"""


def test_setting_the_wall_clock_grants_no_units() -> None:
    run = subprocess.run([sys.executable, "-c", WALL_CLOCK_SET], cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(run.stdout) > 86_000
