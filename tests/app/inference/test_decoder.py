"""The LiteRT decoder of the default model, against itself at other batch sizes and against Keras."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from app.inference import cpu_affinity
from app.inference.decoder import Decoder, LiteRTDecoder, read
from model_store.manifest import DECODER_FILE
from model_store.store import Checkpoint

TEXT = (
    "X:1\nT:The Kesh\nM:6/8\nL:1/8\nK:G\n"
    "GAG GAB|ABA ABd|edd gdd|edB dBA|GAG GAB|ABA ABd|edd gdB|AGF G3:|\n"
    "BAB dBd|ege dBA|BAB dBG|ABA AGA|BAB dBd|ege dBd|gfg aga|bgg g3:|\n\n"
    "X:2\nT:Cooley's\nM:4/4\nL:1/8\nK:E Dorian\n"
    "D|:EBBA B2 EB|B2 AB dBAG|FDAD BDAD|FDAD dAFD|EBBA B2 EB|B2 AB defg|afec dBAF|DEFD E2:|\n"
    "|:gf|eB B2 efge|eB B2 gedB|A2 FA DAFA|A2 FA defg|eB B2 eBgB|eB B2 defg|afec dBAF|DEFD E2:|\n"
)


def logits_over(decoder: Decoder, ids: NDArray[np.int32]) -> NDArray[np.float32]:
    """Logits [N, V] after each of N ids, one at a time."""
    state = decoder.initial_state(1)
    rows = []
    for what in read(decoder, ids):
        logits, state = decoder.step(what[None], state)
        rows.append(logits[0])
    return np.stack(rows)


def decoder_of(checkpoint: Checkpoint, max_batch: int = 64, threads: int = 1) -> LiteRTDecoder:
    return LiteRTDecoder(checkpoint.path(DECODER_FILE), max_batch, threads, checkpoint.manifest.vocabulary)


@pytest.mark.parametrize("batch_size", [2, 8, 64])
def test_rows_are_bitwise_the_same_at_every_batch_size(checkpoint: Checkpoint, batch_size: int) -> None:
    decoder = decoder_of(checkpoint)
    ids = checkpoint.vocabulary.encode(TEXT)
    alone, rows = logits_over(decoder, ids), read(decoder, ids)
    state = decoder.initial_state(batch_size)
    for step in range(len(ids) - batch_size):
        logits, state = decoder.step(np.roll(rows, -step, axis=0)[:batch_size].copy(), state)
        assert (logits[0] == alone[step]).all()


@pytest.mark.parametrize("batch_size", [1, 64])
def test_what_a_step_gives_does_not_depend_on_how_many_threads_share_it(
    checkpoint: Checkpoint, batch_size: int
) -> None:
    alone, shared = (decoder_of(checkpoint, batch_size, threads) for threads in (1, 2))
    text = read(alone, checkpoint.vocabulary.encode(TEXT))
    state = alone.initial_state(batch_size)
    for step in range(64):
        rows = np.roll(text, -step, axis=0)[:batch_size].copy()
        logits, after = alone.step(rows, state)
        others, state = shared.step(rows, state)
        assert (logits == others).all()
        assert all((a == b).all() for a, b in zip(after, state, strict=True))


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor")
def test_the_threads_that_share_a_step_keep_to_processors_of_their_own(checkpoint: Checkpoint) -> None:
    before = cpu_affinity.native_threads()
    decoder = decoder_of(checkpoint, max_batch=4, threads=2)
    helpers = cpu_affinity.native_threads() - before
    processors = os.sched_getaffinity(0)

    def adopt() -> set[int]:
        decoder.adopt()
        return os.sched_getaffinity(0)

    with ThreadPoolExecutor(1) as engine:
        own = engine.submit(adopt).result()
    assert len(helpers) == len(decoder.batch_sizes)
    assert own
    for helper in helpers:
        assert os.sched_getaffinity(helper) == processors - own
    assert os.sched_getaffinity(0) == processors


def test_a_state_is_a_value(checkpoint: Checkpoint) -> None:
    decoder = decoder_of(checkpoint, max_batch=1)
    rows = read(decoder, np.array([3, 5, 7], np.int32))
    _, state = decoder.step(rows[:1], decoder.initial_state(1))
    first, _ = decoder.step(rows[1:2], state)
    decoder.step(rows[2:], state)
    again, _ = decoder.step(rows[1:2], state)
    assert (first == again).all()


def test_keras_and_litert_agree_over_real_text(checkpoint: Checkpoint) -> None:
    pytest.importorskip("tensorflow")
    from app.inference.keras_decoder import KerasDecoder

    ids = checkpoint.vocabulary.encode(TEXT)
    keras = logits_over(KerasDecoder(checkpoint, max_batch=1), ids).astype(np.float64)
    litert = logits_over(decoder_of(checkpoint, max_batch=1), ids).astype(np.float64)
    assert len(ids) > 300
    p, q = (np.exp(x - np.logaddexp.reduce(x, axis=1)[:, None]) for x in (keras, litert))
    kl_nats = (p * (np.log(p) - np.log(q))).sum(axis=1)
    assert kl_nats.mean() < 0.01  # int8 weights cost next to nothing
    assert (keras.argmax(axis=1) == litert.argmax(axis=1)).mean() > 0.97
