"""What the ABC automaton costs a character: `python -m benchmarks.grammar_cost TUNEBOOK.abc`.

A character model of the tunebook (the last four characters choose the next) stands in for the LSTM, so that the states
met are those of real tunes. Three figures, in microseconds a character, each the automaton's share alone (`allowed` and
`advance`): cold, when every state is new; steady, with new seeds after that; warm, the same seeds again.
"""

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from app.grammar import Grammar
from model_store.vocabulary import Vocabulary

ORDER = 4
TUNES = 60
LENGTH = 800


def main(tunebook: Path) -> None:
    text = tunebook.read_text()
    vocabulary = Vocabulary.from_text(text)
    counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    ids = vocabulary.encode(text).tolist()
    for end in range(ORDER, len(ids)):
        for order in range(ORDER + 1):
            counts[text[end - order : end]][ids[end]] += 1
    grammar = Grammar(vocabulary)
    for name, seeds in (("cold", range(TUNES)), ("steady", range(TUNES, 2 * TUNES)), ("warm", range(TUNES))):
        runs = [_write(grammar, vocabulary, counts, seed) for seed in seeds]
        characters = sum(count for count, _ in runs)
        print(f"{name:7} {1e6 * sum(spent for _, spent in runs) / characters:7.2f} µs a character, {characters} of them")


def _write(
    grammar: Grammar, vocabulary: Vocabulary, counts: defaultdict[str, Counter[int]], seed: int
) -> tuple[int, float]:
    """Characters written, and the seconds that the automaton took of it."""
    generator = np.random.default_rng(seed)
    spent = -time.thread_time()
    cursor = grammar.begin("X:1\n", length=LENGTH)
    spent += time.thread_time()
    text = "X:1\n"
    for count in range(1, LENGTH + 1):
        weights = np.full(len(vocabulary), 1e-6)
        for order in range(ORDER + 1):
            for id_, times in counts[text[len(text) - order :]].items():
                weights[id_] += times * 20.0**order
        spent -= time.thread_time()
        allowed = cursor.allowed
        spent += time.thread_time()
        weights *= allowed
        id_ = int(generator.choice(len(weights), p=weights / weights.sum()))
        text += vocabulary.characters[id_]
        spent -= time.thread_time()
        done = cursor.advance(id_)
        spent += time.thread_time()
        if done:
            break
    return count, spent


if __name__ == "__main__":
    main(Path(sys.argv[1]))
