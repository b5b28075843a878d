"""Lilt's engine, LiteRT int8: all that serves a request but HTTP, sampling included; free, and with the grammar.

A model that is told plans is told them, and what is in its lexicon is all that headers say.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import wait

from app.generation.planning import Planning
from app.grammar import Cursor, Grammar
from app.inference.decoder import LiteRTDecoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from benchmarks.task import START, Task
from model_store.lexicon import Lexicon
from model_store.manifest import LEXICON_FILE, PLANS_FILE
from model_store.plans import Plans
from model_store.vocabulary import Vocabulary

_LENGTH = 300  # characters, as an ordinary tune has
_SETS = 8  # of seeds
_KNOWN_TUNES = 1000  # made before the clock runs, where none is made twice


def free(task: Task) -> Callable[[], int]:
    return _loop(task, None, itertools.cycle(range(_SETS)), _SETS)


def grammar(task: Task) -> Callable[[], int]:
    """It has met each of these tunes before the clock runs: what is left is what the grammar costs at its best."""
    return _loop(task, _grammar(task), itertools.cycle(range(_SETS)), _SETS)


def grammar_on_new_tunes(task: Task) -> Callable[[], int]:
    """As a service that has run for a while: it knows many bars, but none of these tunes."""
    return _loop(task, _grammar(task), itertools.count(), -(-_KNOWN_TUNES // task.batch))


def _grammar(task: Task) -> Grammar:
    file = task.folder / LEXICON_FILE
    lexicon = Lexicon.parse(file.read_bytes(), LEXICON_FILE) if file.exists() else None
    return Grammar(Vocabulary(task.characters), lexicon)


def _planning(task: Task) -> Planning | None:
    file = task.folder / PLANS_FILE
    return Planning(Plans.parse(file.read_bytes(), PLANS_FILE), PLANS_FILE) if file.exists() else None


def _begin(grammar: Grammar, planning: Planning | None, seed: int) -> Cursor:
    headers = planning.headers(seed) if planning else None
    return grammar.begin(START, length=_LENGTH, tunes=None, headers=headers)


def _loop(task: Task, grammar: Grammar | None, sets: Iterator[int], before: int) -> Callable[[], int]:
    decoder, *lanes = LiteRTDecoder.for_engine(task.graph, task.batch, task.threads, characters=task.characters)
    engine = Engine(decoder, lanes=tuple(lanes))
    prompt, planning = Vocabulary(task.characters).encode(START), _planning(task)

    def work() -> int:
        first = task.batch * next(sets)
        sequences = [
            Sequence(
                prompt,
                _LENGTH,
                SamplingParams(seed=seed),
                constraint=_begin(grammar, planning, seed) if grammar else None,
                planner=planning.planner(seed) if planning else None,
            )
            for seed in range(first, first + task.batch)
        ]
        wait([engine.submit(sequence).done for sequence in sequences])
        return sum(sequence.fed for sequence in sequences)

    for _ in range(before):
        work()
    return work
