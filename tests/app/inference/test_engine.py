"""The engine's promises, held with decoders whose answers are known."""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from itertools import repeat
from weakref import ref

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import BusyError, DecoderError
from app.inference.completion import Completion, FinishReason
from app.inference.decoder import Decoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.scheduler import TURN_STEPS
from app.inference.sequence import Sequence
from tests.app.inference.fake_decoders import CountingDecoder, FailingOnceDecoder, GatedDecoder, HashingDecoder

TIMEOUT_S = 30


@contextmanager
def running(decoder: Decoder, max_waiting: int = 256) -> Iterator[Engine]:
    engine = Engine(decoder, max_waiting)
    try:
        yield engine
    finally:
        engine.close()


def sequence(prompt: list[int], length: int, seed: int = 0, stop: Callable[[int], bool] = lambda _: False) -> Sequence:
    return Sequence(np.array(prompt, np.int32), length, SamplingParams(seed=seed), stop)


def completed(engine: Engine, wanted: Sequence) -> Completion:
    return engine.submit(wanted).done.result(TIMEOUT_S)


def ids_of(engine: Engine, wanted: Sequence) -> list[int]:
    return list(completed(engine, wanted).new_ids)


def test_a_sequence_continues_its_prompt_by_exactly_its_length() -> None:
    with running(CountingDecoder()) as engine:
        done = completed(engine, sequence([3, 4], length=8))
    assert done.new_ids == (5, 6, 7, 8, 9, 0, 1, 2)
    assert done.finish_reason is FinishReason.LENGTH


def test_the_stop_rule_ends_a_sequence_and_sees_only_new_ids() -> None:
    seen: list[int] = []

    def stop_at_7(id_: int) -> bool:
        seen.append(id_)
        return id_ == 7

    with running(CountingDecoder()) as engine:
        done = completed(engine, sequence([7, 4], length=100, stop=stop_at_7))
    assert list(done.new_ids) == seen == [5, 6, 7]
    assert done.finish_reason is FinishReason.TUNES


@pytest.mark.parametrize("decoder", [CountingDecoder, FailingOnceDecoder])
def test_a_sequence_that_has_ended_goes_without_pythons_collector(decoder: type[Decoder]) -> None:
    gc.disable()
    try:
        with running(decoder()) as engine:
            ended = ref(made := sequence([3], length=8))
            assert wait([engine.submit(made).done], TIMEOUT_S).done
            del made
            completed(engine, sequence([3], length=8))  # until then the engine's thread holds the other
        assert ended() is None
    finally:
        gc.enable()


class EvenOnly:
    """Allows even ids; is told every new one."""

    def __init__(self) -> None:
        self.told: list[int] = []

    @property
    def mask(self) -> NDArray[np.float32]:
        return np.array([0 if id_ % 2 == 0 else -np.inf for id_ in range(10)], np.float32)

    def advance(self, id_: int) -> bool:
        self.told.append(id_)
        return len(self.told) == 30


def test_a_constraint_holds_and_ends_its_own_sequence_alone() -> None:
    with running(HashingDecoder()) as engine:
        constraint = EvenOnly()
        constrained = Sequence(np.array([1, 3], np.int32), 100, SamplingParams(seed=1), constraint=constraint)
        free = [engine.submit(sequence([1, 3], 100, seed)).done for seed in range(5)]
        assert ids_of(engine, constrained) == constraint.told
        assert len(constraint.told) == 30
        assert not any(id_ % 2 for id_ in constraint.told)
        assert all(any(id_ % 2 for id_ in future.result(TIMEOUT_S).new_ids) for future in free)


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one id"):
        sequence([], length=1)


def test_same_seed_same_ids_alone_and_under_random_arrivals_and_departures() -> None:
    rng = np.random.default_rng(5)
    requests = [(rng.integers(0, 10, rng.integers(1, 30)).tolist(), int(rng.integers(1, 90)), n) for n in range(60)]
    with running(HashingDecoder()) as engine:
        alone = [ids_of(engine, sequence(*request)) for request in requests]
    with running(decoder := HashingDecoder()) as engine:
        together = [engine.submit(sequence(*request)).done for request in requests]
        for future in together[::7]:
            future.cancel()
        for index, future in enumerate(together):
            if index % 7:
                assert list(future.result(TIMEOUT_S).new_ids) == alone[index]
    assert max(decoder.steps) == 8


def test_different_seeds_make_different_ids() -> None:
    with running(HashingDecoder()) as engine:
        made = {tuple(ids_of(engine, sequence([1], 40, seed))) for seed in range(20)}
    assert len(made) == 20


def test_sequences_that_arrive_later_join_the_running_batch() -> None:
    decoder = GatedDecoder()
    with running(decoder) as engine:
        first = engine.submit(sequence([0], length=4)).done
        decoder.allow(1)
        second = engine.submit(sequence([5], length=2)).done
        decoder.allow(20)
        assert first.result(TIMEOUT_S).new_ids == (1, 2, 3, 4)
        assert second.result(TIMEOUT_S).new_ids == (6, 7)
    assert len(decoder.steps) < 1 + 4 + 2


def test_one_sequence_alone_is_stepped_alone() -> None:
    with running(decoder := CountingDecoder()) as engine:
        ids_of(engine, sequence([0], length=5))
    assert decoder.steps == [1] * 5


def test_a_cancelled_sequence_frees_its_place_by_the_next_step() -> None:
    decoder = GatedDecoder(max_batch=1)
    with running(decoder) as engine:
        long = engine.submit(sequence([0], length=1000)).done
        short = engine.submit(sequence([5], length=2)).done
        decoder.allow(3)
        decoder.wait_for(3)
        assert long.cancel()
        decoder.allow(1 + 2)  # the step under way, then the two of the short one
        assert short.result(TIMEOUT_S).new_ids == (6, 7)
        assert len(decoder.steps) <= 3 + 1 + 2


def test_long_sequences_take_turns_with_those_that_wait() -> None:
    decoder = GatedDecoder(max_batch=2)
    with running(decoder) as engine:
        long = [engine.submit(sequence([start], 3 * TURN_STEPS)).done for start in (0, 5)]
        short = engine.submit(sequence([1], 5)).done
        done_after: list[int] = []
        short.add_done_callback(lambda _: done_after.append(len(decoder.steps)))
        decoder.allow(10 * TURN_STEPS)
        for start, future in zip((0, 5), long, strict=True):
            expected = tuple((start + 1 + n) % 10 for n in range(3 * TURN_STEPS))
            assert future.result(TIMEOUT_S).new_ids == expected
    assert done_after == [TURN_STEPS + 5]


def test_a_full_queue_turns_new_sequences_away() -> None:
    decoder = GatedDecoder(max_batch=1)
    with running(decoder, max_waiting=2) as engine:
        decoder.allow(1)
        futures = [engine.submit(sequence([0], length=2)).done]
        decoder.wait_for(1)
        futures += [engine.submit(sequence([0], length=1)).done for _ in range(2)]
        with pytest.raises(BusyError) as refused:
            engine.submit(sequence([0], length=1))
        assert refused.value.retry_after_s
        decoder.allow(10)
        assert [future.result(TIMEOUT_S).new_ids for future in futures] == [(1, 2), (1,), (1,)]


def test_a_decoder_that_fails_once_does_not_take_the_engine_down(caplog: pytest.LogCaptureFixture) -> None:
    with running(FailingOnceDecoder()) as engine:
        with pytest.raises(DecoderError):
            ids_of(engine, sequence([0], length=2))
        assert ids_of(engine, sequence([0], length=2)) == [1, 2]
    assert "the decoder failed" in caplog.text


def test_closing_finishes_what_was_accepted_and_takes_nothing_new() -> None:
    engine = Engine(CountingDecoder(max_batch=2))
    futures = [engine.submit(sequence([0], length=50)).done for _ in range(9)]
    engine.close()
    assert [len(future.result(0).new_ids) for future in futures] == [50] * 9
    with pytest.raises(BusyError):
        engine.submit(sequence([0], length=1))


def test_spare_work_is_done_while_there_is_nothing_else() -> None:
    done, is_over = list[int](), threading.Event()

    def work() -> Iterator[None]:
        for piece in range(3):
            done.append(piece)
            yield
        is_over.set()

    engine = Engine(CountingDecoder(), spare_work=work())
    assert is_over.wait(TIMEOUT_S)
    engine.close()
    assert done == [0, 1, 2]


def test_no_sequence_waits_for_the_end_of_spare_work() -> None:
    engine = Engine(CountingDecoder(), spare_work=repeat(None))
    assert ids_of(engine, sequence([3, 4], length=3)) == [5, 6, 7]
    engine.close()


def test_spare_work_that_fails_takes_nothing_with_it() -> None:
    engine = Engine(CountingDecoder(), spare_work=(1 // divisor for divisor in (1, 0, 1)))
    assert ids_of(engine, sequence([3, 4], length=3)) == [5, 6, 7]
    assert ids_of(engine, sequence([3, 4], length=3)) == [5, 6, 7]
    engine.close()
