"""How much probability the grammar took from a model's own distribution at each character that was drawn under it."""

import numpy as np
from numpy.typing import NDArray

from app.grammar import Grammar
from app.inference.decoder import Decoder, read
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.evaluation.tune_sampling import MAX_BATCH, Draw, held

BINS = (0.001, 0.01, 0.1, 0.5)
"""Where shares of probability are told apart."""

BIN_NAMES = ("below 0.1 %", "0.1–1 %", "1–10 %", "10–50 %", "above 50 %")


def removed(
    decoder: Decoder, vocabulary: Vocabulary, grammar: Grammar, draws: list[Draw], temperature: float
) -> NDArray[np.float64]:
    """For each character of the tunes, the probability at that temperature of all that was not allowed there.

    The tunes are read again, so that what is measured is not what draws them.
    """
    shares = [
        _removed(decoder, vocabulary, grammar, draws[begin : begin + MAX_BATCH], temperature)
        for begin in range(0, len(draws), MAX_BATCH)
    ]
    return np.concatenate(shares)


def spread(shares: NDArray[np.float64]) -> dict[str, float]:
    """The share of characters in each bin."""
    counts = np.bincount(np.digitize(shares, BINS), minlength=len(BIN_NAMES))
    return dict(zip(BIN_NAMES, (counts / len(shares)).tolist(), strict=True))


def _removed(
    decoder: Decoder, vocabulary: Vocabulary, grammar: Grammar, draws: list[Draw], temperature: float
) -> NDArray[np.float64]:
    rows = next(size for size in decoder.batch_sizes if size >= len(draws))
    prompt = vocabulary.encode(SEPARATOR).tolist()
    lines = [[*prompt, *each.ids] for each in draws]
    told = [read(decoder, np.array(line, np.int32)) for line in lines]
    cursors = [held(grammar) for _ in draws]
    ids = np.zeros((rows, max(map(len, lines)), *told[0].shape[1:]), np.int32)
    for row, what in enumerate(told):
        ids[row, : len(what)] = what
    state = decoder.initial_state(rows)
    found: list[float] = []
    for t in range(ids.shape[1] - 1):
        logits, state = decoder.step(np.ascontiguousarray(ids[:, t]), state)
        if t + 1 < len(prompt):
            continue
        wide = logits.astype(np.float64) / temperature
        weights = np.exp(wide - wide.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        for row, line in enumerate(lines):
            if t + 1 < len(line):
                found.append(float(weights[row] @ ~cursors[row].allowed))
                cursors[row].advance(line[t + 1])
    return np.array(found)
