"""Lilt's engine, LiteRT int8: all that serves a request but HTTP, sampling included; free, and with the grammar."""

from collections.abc import Callable
from concurrent.futures import wait

from app.decoder import LiteRTDecoder
from app.engine import Engine
from app.grammar import Grammar
from app.sampling import SamplingParams
from app.sequence import Sequence
from benchmarks.task import START, Task
from model_store.vocabulary import Vocabulary

_LENGTH = 300  # characters, as an ordinary tune has
_SETS = 8  # of seeds; the grammar has met each before the clock runs, as that of a service that has run for a while


def free(task: Task) -> Callable[[], int]:
    return _loop(task, None)


def grammar(task: Task) -> Callable[[], int]:
    return _loop(task, Grammar(Vocabulary(task.characters)))


def _loop(task: Task, grammar: Grammar | None) -> Callable[[], int]:
    decoder, *lanes = LiteRTDecoder.for_engine(task.graph, task.batch, task.threads)
    engine = Engine(decoder, lanes=tuple(lanes))
    prompt = Vocabulary(task.characters).encode(START)
    turn = 0

    def work() -> int:
        nonlocal turn
        turn += 1
        sequences = [
            Sequence(
                prompt,
                _LENGTH,
                SamplingParams(seed=task.batch * (turn % _SETS) + row),
                constraint=grammar.begin(START, length=_LENGTH, tunes=None) if grammar else None,
            )
            for row in range(task.batch)
        ]
        wait([engine.submit(sequence) for sequence in sequences])
        return sum(sequence.fed for sequence in sequences)

    for _ in range(_SETS):
        work()
    return work
