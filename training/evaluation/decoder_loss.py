"""Held-out loss of an exported decoder graph, stepped as the service steps it; `heldout_loss` is that of weights."""

from pathlib import Path

import numpy as np

from app.inference.decoder import LiteRTDecoder, read
from model_store.vocabulary import Vocabulary
from training.corpora.corpus import SEPARATOR
from training.evaluation.heldout_loss import Score

ROWS = 32  # tunes side by side


def decoder_loss(graph: Path, tunes: tuple[str, ...], vocabulary: Vocabulary) -> Score:
    """The loss of all tunes under this graph."""
    decoder = LiteRTDecoder(graph, ROWS, characters=vocabulary.characters)
    ordered = sorted(tunes, key=len)
    nats = sum(_nats(decoder, ordered[i : i + ROWS], vocabulary) for i in range(0, len(ordered), ROWS))
    return Score(nats, sum(len(tune) + len(SEPARATOR) for tune in tunes))


def _nats(decoder: LiteRTDecoder, tunes: list[str], vocabulary: Vocabulary) -> float:
    lines = [read(decoder, vocabulary.encode(SEPARATOR + tune + SEPARATOR)) for tune in tunes]
    ids = np.zeros((ROWS, max(map(len, lines)), *lines[0].shape[1:]), np.int32)
    counts = np.zeros(ids.shape[:2], bool)
    for row, line in enumerate(lines):
        ids[row, : len(line)] = line
        counts[row, len(SEPARATOR) : len(line)] = True
    targets = ids[..., 0] if decoder.alphabet else ids
    state = decoder.initial_state(ROWS)
    nats = 0.0
    for t in range(ids.shape[1] - 1):
        logits, state = decoder.step(np.ascontiguousarray(ids[:, t]), state)
        wide = logits.astype(np.float64)
        log_sum = np.log(np.exp(wide - wide.max(axis=1, keepdims=True)).sum(axis=1)) + wide.max(axis=1)
        cost = log_sum - np.take_along_axis(wide, targets[:, t + 1, None], axis=1)[:, 0]
        nats += float(cost[counts[:, t + 1]].sum())
    return nats
