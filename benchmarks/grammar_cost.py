"""What the ABC automaton costs a character, beside the decoder's step: `python -m benchmarks.grammar_cost`.

The default model writes tunes as musicians ask for them: every metre in turn, many keys, a third with a form. They are
then replayed through a fresh automaton, `allowed` and `advance` alone, so that its first tunes meet it as it knows
nothing; once more, now that it has met all; through one that was shown training tunes, as the service does while it has
nothing else to do; and each as a start string.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from app.generation.model_registry import some_tunes
from app.grammar import Form, Grammar, Request
from app.grammar.ticks import METERS
from app.inference.decoder import LiteRTDecoder, read
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from model_store.manifest import DECODER_FILE
from model_store.store import Checkpoint, Store
from model_store.vocabulary import Vocabulary

STORE = Path(__file__).parent.parent / "model_store" / "checkpoints"
START = "X:1\n"
KEYS = ("D", "G", "A", "C", "Em", "Bm", "Ador", "Edor", "Amix", "Dmix", "F", "Gm")
FORMS = (None, None, "AABB8")
TUNES = 100
MARKS = (1, 10, TUNES)
LENGTH = 1000  # characters, what a request has if it says nothing
STEPS = 2000  # of the decoder


def requests(vocabulary: Vocabulary) -> Iterator[Request]:
    """One for each tune."""
    choose = Random(1)  # noqa: S311  # nobody is to be kept from guessing it
    meters = [name for name in METERS if set(name) <= set(vocabulary.characters)]
    for number in range(TUNES):
        form = choose.choice(FORMS)
        yield Request(
            key=choose.choice(KEYS), meter=meters[number % len(meters)], form=Form.parse(form) if form else None
        )


def written(checkpoint: Checkpoint, decoder: LiteRTDecoder) -> list[tuple[Request, tuple[int, ...]]]:
    """Each request and the ids of the model's tune, START aside."""
    vocabulary, grammar = checkpoint.vocabulary, Grammar(checkpoint.vocabulary)
    engine = Engine(decoder, max_waiting=TUNES)
    asked = list(requests(vocabulary))
    try:
        waiting = [
            engine.submit(
                Sequence(
                    vocabulary.encode(START),
                    LENGTH,
                    SamplingParams(seed=seed),
                    constraint=grammar.begin(START, request, LENGTH),
                )
            ).done
            for seed, request in enumerate(asked)
        ]
        return [(request, future.result().new_ids) for request, future in zip(asked, waiting, strict=True)]
    finally:
        engine.close()


def replay(grammar: Grammar, tunes: list[tuple[Request, tuple[int, ...]]]) -> Iterator[float]:
    """After each tune, microseconds of CPU time a character so far."""
    spent, characters = 0.0, 0
    for request, ids in tunes:
        cursor = grammar.begin(START, request, LENGTH)
        begun = time.process_time()
        for id_ in ids:
            _ = cursor.mask
            cursor.advance(id_)
        spent += time.process_time() - begun
        characters += len(ids)
        yield 1e6 * spent / characters


def teaching(grammar: Grammar, checkpoint: Checkpoint) -> float:
    """Seconds of CPU time for all that the service shows a grammar."""
    index = checkpoint.tune_index()
    begun = time.process_time()
    for _ in grammar.learn(some_tunes(index)) if index else ():
        pass
    return time.process_time() - begun


def reading(grammar: Grammar, vocabulary: Vocabulary, tunes: list[tuple[Request, tuple[int, ...]]]) -> float:
    """Microseconds of CPU time a character of a start string."""
    texts = [START + vocabulary.decode(ids) for _, ids in tunes]
    begun = time.process_time()
    for text in texts:
        grammar.begin(text)
    return 1e6 * (time.process_time() - begun) / sum(map(len, texts))


def stepping(decoder: LiteRTDecoder) -> float:
    """Microseconds of one sequence's step in the decoder."""
    ids, state = read(decoder, np.zeros(1, np.int32)), decoder.initial_state(1)
    begun = time.perf_counter()
    for _ in range(STEPS):
        _, state = decoder.step(ids, state)
    return 1e6 * (time.perf_counter() - begun) / STEPS


def main() -> None:
    """Print the table."""
    store = Store(STORE)
    checkpoint = store.load(store.names()[0])
    decoder = LiteRTDecoder(checkpoint.path(DECODER_FILE), TUNES, characters=checkpoint.manifest.vocabulary)
    step = stepping(decoder)
    tunes = written(checkpoint, decoder)
    grammar = Grammar(checkpoint.vocabulary)
    cold = list(replay(grammar, tunes))
    *_, warm = replay(grammar, tunes)
    print(f"{'a step of the decoder':24}{step:9.2f} µs")
    taught = Grammar(checkpoint.vocabulary)
    lessons = teaching(taught, checkpoint)
    after = list(replay(taught, tunes))
    costs = {f"cold, first {mark} tunes": cold[mark - 1] for mark in MARKS}
    costs |= {f"taught, first {mark} tunes": after[mark - 1] for mark in MARKS} | {"warm": warm}
    for name, cost in costs.items():
        print(f"{name:24}{cost:9.2f} µs a character {cost / step:6.2f} of a step")
    print(f"{'the teaching':24}{lessons:9.2f} s")
    print(f"{'a start string':24}{reading(grammar, checkpoint.vocabulary, tunes):9.2f} µs a character")


if __name__ == "__main__":
    main()
