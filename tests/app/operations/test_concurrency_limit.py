"""Bounded queues for CPU-bound work."""

import asyncio
import threading
from collections.abc import Coroutine

import pytest

from app.errors import BusyError
from app.operations.concurrency_limit import ConcurrencyLimit


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(test)


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_jobs_run_a_few_at_once_in_order_of_arrival() -> None:
    async def test() -> None:
        turns, may_end, begun = ConcurrencyLimit(2, 10, "texts"), asyncio.Event(), list[int]()

        async def work(number: int) -> None:
            async with turns.turn():
                begun.append(number)
                await may_end.wait()

        tasks = [asyncio.create_task(work(number)) for number in range(5)]
        await settled()
        assert begun == [0, 1]
        may_end.set()
        await asyncio.gather(*tasks)
        assert begun == [0, 1, 2, 3, 4]

    run(test())


def test_long_jobs_leave_a_place_to_short_ones() -> None:
    async def test() -> None:
        turns, may_end, begun = ConcurrencyLimit(2, 4, "texts"), asyncio.Event(), list[str]()

        async def work(name: str, *, is_long: bool) -> None:
            async with turns.turn(is_long=is_long):
                begun.append(name)
                if is_long:
                    await may_end.wait()

        tasks = [asyncio.create_task(work(f"long {number}", is_long=True)) for number in range(3)]
        await settled()
        tasks += [asyncio.create_task(work(f"short {number}", is_long=False)) for number in range(3)]
        await settled()
        assert begun == ["long 0", "short 0", "short 1", "short 2"]
        tasks += [asyncio.create_task(work(f"long {number}", is_long=True)) for number in (3, 4)]
        await settled()
        with pytest.raises(BusyError, match="4 texts are waiting already"):
            await work("long 5", is_long=True)
        await work("short 3", is_long=False)
        may_end.set()
        await asyncio.gather(*tasks)
        assert begun[5:] == ["long 1", "long 2", "long 3", "long 4"]

    run(test())


def test_a_full_queue_is_busy_with_retry_after() -> None:
    async def test() -> None:
        turns, may_end = ConcurrencyLimit(1, 1, "texts"), asyncio.Event()

        async def work(*, is_begun: bool = False) -> None:
            async with turns.turn(is_begun=is_begun):
                await may_end.wait()

        tasks = [asyncio.create_task(work()) for _ in range(2)]
        await settled()
        with pytest.raises(BusyError, match="1 texts are waiting already") as refused:
            await work()
        assert refused.value.retry_after_s
        tasks.append(asyncio.create_task(work(is_begun=True)))  # is not turned away half-way
        await settled()
        may_end.set()
        await asyncio.gather(*tasks)
        await work()

    run(test())


def test_a_cancelled_wait_frees_its_place_in_the_queue() -> None:
    async def test() -> None:
        turns = ConcurrencyLimit(1, 1, "texts")
        async with turns.turn():
            waiting = asyncio.create_task(turns.run(lambda: None))
            await settled()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            turns.check_room()

    run(test())


def test_a_turn_lasts_until_its_thread_has_ended_though_nobody_waits() -> None:
    async def test() -> None:
        turns, may_end, begun = ConcurrencyLimit(1, 1, "texts"), threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def work() -> None:
            loop.call_soon_threadsafe(begun.set)
            may_end.wait()

        left = asyncio.create_task(turns.run(work))
        await begun.wait()
        left.cancel()
        following = asyncio.create_task(turns.run(lambda: may_end.is_set()))
        await settled()
        assert not left.done()
        assert not following.done()
        may_end.set()
        assert await following
        assert left.cancelled()

    run(test())
