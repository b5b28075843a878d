"""An engine with lanes: few sequences are the first decoder's, many the lanes', and each is what it is alone."""

import concurrent.futures
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from app.errors import BusyError, DecoderError
from app.inference.decoder import Decoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.scheduler import TURN_STEPS
from app.inference.sequence import Sequence
from tests.app.inference.fake_decoders import CountingDecoder, FailingOnceDecoder, GatedDecoder, HashingDecoder

TIMEOUT_S = 30
FEW, SHARE = 2, 4

Request = tuple[list[int], int, int]
"""Prompt, length and seed."""


@contextmanager
def running(first: Decoder, *lanes: Decoder, max_waiting: int = 256) -> Iterator[Engine]:
    engine = Engine(first, max_waiting, lanes=lanes)
    try:
        yield engine
    finally:
        engine.close()


def sequence(prompt: list[int], length: int, seed: int = 0) -> Sequence:
    return Sequence(np.array(prompt, np.int32), length, SamplingParams(seed=seed))


def each_alone(requests: list[Request]) -> list[list[int]]:
    with running(HashingDecoder()) as engine:
        return [list(engine.submit(sequence(*request)).done.result(TIMEOUT_S).new_ids) for request in requests]


def test_same_seed_same_ids_whoever_steps_it_and_whenever_it_comes_or_goes() -> None:
    rng = np.random.default_rng(5)
    requests = [(rng.integers(0, 10, rng.integers(1, 30)).tolist(), int(rng.integers(1, 200)), n) for n in range(200)]
    alone = each_alone(requests)
    first, lanes = HashingDecoder(max_batch=FEW), [HashingDecoder(max_batch=SHARE) for _ in range(2)]
    wrong: list[int] = []

    def client(numbers: range, engine: Engine) -> None:
        """One after another, and now and then one that is left."""
        for number in numbers:
            future = engine.submit(sequence(*requests[number])).done
            if number % 7 == 0:
                future.cancel()
            elif list(future.result(TIMEOUT_S).new_ids) != alone[number]:
                wrong.append(number)

    with running(first, *lanes) as engine:
        for clients in (12, 1, 4):  # more than there is room for, few, and about as many as the first takes
            threads = [
                threading.Thread(target=client, args=(range(begin, len(requests), clients), engine))
                for begin in range(clients)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(TIMEOUT_S)
                assert not thread.is_alive()
    assert (engine.running, engine.waiting) == (0, 0)
    assert wrong == []
    assert all(decoder.steps for decoder in (first, *lanes))


def test_few_are_stepped_by_the_first_and_many_shared_out_among_the_lanes() -> None:
    first, lanes = GatedDecoder(max_batch=FEW), [GatedDecoder(max_batch=SHARE) for _ in range(2)]
    with running(first, *lanes) as engine:
        futures = [engine.submit(sequence([0], length=9)).done for _ in range(FEW)]
        first.allow(2)
        first.wait_for(2)
        assert [lane.steps for lane in lanes] == [[], []]
        futures += [engine.submit(sequence([0], length=9)).done for _ in range(2 * SHARE - FEW)]
        for decoder in (first, *lanes):
            decoder.allow(1)
        for lane in lanes:
            lane.wait_for(1)
        for decoder in (first, *lanes):  # the first has those that are left over in the end, too
            decoder.allow(100)
        assert [future.result(TIMEOUT_S).new_ids for future in futures] == [tuple(range(1, 10))] * 2 * SHARE
        before = [len(decoder.steps) for decoder in (first, *lanes)]
        assert engine.submit(sequence([0], length=9)).done.result(TIMEOUT_S).new_ids == tuple(range(1, 10))
        after = [len(decoder.steps) for decoder in (first, *lanes)]
        assert [now - then for now, then in zip(after, before, strict=True)] == [9, 0, 0]


def test_what_the_lanes_began_the_first_ends_when_few_are_left() -> None:
    requests: list[Request] = [([1], 3000, 0), *(([2], 20, seed) for seed in range(1, 6))]
    alone = each_alone(requests)
    first, lanes = HashingDecoder(max_batch=FEW), [HashingDecoder(max_batch=SHARE) for _ in range(2)]
    with running(first, *lanes) as engine:
        futures = [engine.submit(sequence(*request)).done for request in requests]
        assert [list(future.result(TIMEOUT_S).new_ids) for future in futures] == alone
    assert len(first.steps) > 1000


def test_sequences_beyond_the_lanes_room_take_turns() -> None:
    first, lanes = GatedDecoder(max_batch=1), [GatedDecoder(max_batch=1) for _ in range(2)]
    with running(first, *lanes) as engine:
        futures = [engine.submit(sequence([0], 3 * TURN_STEPS)).done for _ in range(5)]
        short = engine.submit(sequence([0], 5)).done
        done_before: list[bool] = []
        short.add_done_callback(lambda _: done_before.extend(future.done() for future in futures))
        for decoder in (first, *lanes):
            decoder.allow(20 * TURN_STEPS)
        assert {len(future.result(TIMEOUT_S).new_ids) for future in futures} == {3 * TURN_STEPS}
        assert short.result(TIMEOUT_S).new_ids == (1, 2, 3, 4, 5)
    assert done_before == [False] * 5


def test_a_lane_that_fails_gives_up_its_own_sequences_alone() -> None:
    failing, sound = FailingOnceDecoder(max_batch=SHARE), GatedDecoder(max_batch=SHARE)
    with running(CountingDecoder(max_batch=FEW), failing, sound) as engine:
        futures = [engine.submit(sequence([0], 2000)).done for _ in range(2 * SHARE)]
        concurrent.futures.wait(futures, TIMEOUT_S, concurrent.futures.FIRST_EXCEPTION)
        sound.allow(20_000)
        errors = [future.exception(TIMEOUT_S) for future in futures]
        assert 1 <= sum(isinstance(error, DecoderError) for error in errors) <= SHARE
        assert {len(future.result().new_ids) for future in futures if not future.exception()} == {2000}
        assert len(engine.submit(sequence([0], 5)).done.result(TIMEOUT_S).new_ids) == 5
        assert engine.running == 0


def test_closing_finishes_what_was_accepted_and_takes_nothing_new() -> None:
    engine = Engine(CountingDecoder(max_batch=FEW), lanes=tuple(CountingDecoder(max_batch=SHARE) for _ in range(2)))
    futures = [engine.submit(sequence([0], length=50 * number)).done for number in range(1, 20)]
    engine.close()
    assert [len(future.result(0).new_ids) for future in futures] == [50 * number for number in range(1, 20)]
    with pytest.raises(BusyError):
        engine.submit(sequence([0], length=1))
