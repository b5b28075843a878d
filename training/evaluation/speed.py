"""How many characters a second each candidate makes on this machine, with grammar and sampler, as it is served."""

import time
from collections.abc import Sequence as Many
from dataclasses import dataclass
from statistics import median

from app.grammar import Grammar
from app.inference.decoder import LiteRTDecoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR

ROUNDS = 5
ALONE = (1, 3000)  # tunes at once, and characters of each
TOGETHER = (64, 300)


@dataclass(frozen=True)
class Speed:
    """Characters a second: the median of a few rounds, in which the candidates take turns."""

    one_tune: float
    tunes_at_once: int
    all_tunes: float


Runner = tuple[LiteRTDecoder, Vocabulary, Grammar | None]


def measure(runners: Many[Runner]) -> list[Speed]:
    """One for each candidate; only these figures differ from run to run."""
    for runner in runners:
        _time(runner, 1, 200)  # the grammar learns its first states
    rounds = [[(_time(runner, *ALONE), _time(runner, *TOGETHER)) for runner in runners] for _ in range(ROUNDS)]
    return [
        Speed(median(alone for alone, _ in of_one), TOGETHER[0], median(together for _, together in of_one))
        for of_one in zip(*rounds, strict=True)
    ]


def _time(runner: Runner, tunes: int, characters: int) -> float:
    decoder, vocabulary, grammar = runner
    engine = Engine(decoder, max_waiting=tunes)
    prompt = vocabulary.encode(SEPARATOR)
    sequences = [
        Sequence(
            prompt,
            characters,
            SamplingParams(seed=seed),
            constraint=grammar.begin("", tunes=None) if grammar else None,
        )
        for seed in range(1, tunes + 1)
    ]
    try:
        began = time.perf_counter()
        for submission in [engine.submit(sequence) for sequence in sequences]:
            submission.done.result()
        return tunes * characters / (time.perf_counter() - began)
    finally:
        engine.close()
