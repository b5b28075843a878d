"""What the ABC automaton costs a character: `python -m benchmarks.grammar_cost TUNEBOOK.abc`.

A character model of the tunebook (the last characters choose the next) stands in for the LSTM and writes tunes, so that
the states met are those of real ones. They are then replayed through a fresh automaton, `allowed` and `advance` alone:
cold, when every state is new; steady, other tunes after those; warm, the first ones again.
"""

import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from app.grammar import Grammar
from model_store.vocabulary import Vocabulary

START = "X:1\n"
ORDER = 4
TUNES = 100  # in each set
LENGTH = 800


class CharacterModel:
    """Draws a character after each suffix of up to ORDER characters as often as the text has it, long ones first."""

    def __init__(self, text: str, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._counts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for end, id_ in enumerate(vocabulary.encode(text).tolist()):
            for order in range(min(end, ORDER) + 1):
                self._counts[text[end - order : end]][id_] += 1

    def write(self, grammar: Grammar, seed: int) -> list[int]:
        """One tune's ids, START aside."""
        generator = np.random.default_rng(seed)
        cursor = grammar.begin(START, length=LENGTH)
        text, ids = START, []
        for _ in range(LENGTH):
            weights = np.full(len(self._vocabulary), 1e-6)
            for order in range(ORDER + 1):
                for id_, times in self._counts[text[len(text) - order :]].items():
                    weights[id_] += times * 20.0**order
            weights *= cursor.allowed
            ids.append(int(generator.choice(len(weights), p=weights / weights.sum())))
            text += self._vocabulary.characters[ids[-1]]
            if cursor.advance(ids[-1]):
                break
        return ids


def replay(grammar: Grammar, tunes: list[list[int]]) -> float:
    """Microseconds of CPU time a character."""
    begun = time.process_time()
    for ids in tunes:
        cursor = grammar.begin(START, length=LENGTH)
        for id_ in ids:
            _ = cursor.allowed
            cursor.advance(id_)
    return 1e6 * (time.process_time() - begun) / sum(map(len, tunes))


def main(tunebook: Path) -> None:
    text = tunebook.read_text()
    vocabulary = Vocabulary.from_text(text)
    model = CharacterModel(text, vocabulary)
    writer = Grammar(vocabulary)
    tunes = [model.write(writer, seed) for seed in range(4 * TUNES)]
    grammar = Grammar(vocabulary)
    sets = [tunes[i : i + TUNES] for i in range(0, len(tunes), TUNES)]
    for name, some in (("cold", sets[0]), ("then", sets[1]), ("then", sets[2]), ("steady", sets[3]), ("warm", sets[0])):
        print(f"{name:7}{replay(grammar, some):7.2f} µs a character, over {sum(map(len, some))}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
