"""Makes a network write each character as often as the books do, by what is added to the bias of its last layer.

Of all distributions that have the books' counts the one nearest to the network's own differs from it by a factor for
each character written (exponential tilting, the maximum entropy models of Jaynes, 1957). A network's logits take the
logarithms of such factors as they are. They are found in rounds: draw tunes, compare, correct.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm  # type: ignore[import-untyped]

from app.abc.tunebook import FIELD
from model_store.vocabulary import Vocabulary
from training.evaluation.candidate import open_candidate
from training.evaluation.tune_sampling import draw_as_served
from training.evaluation.weights_source import from_run
from training.learning.run_folder import RunFolder
from training.learning.tempering import with_bias
from training.publishing.export import decoder_graph
from training.publishing.tune_index import learnt_tunes

logger = logging.getLogger(__name__)

FIRST_SEED = 5_000_001
"""Far from those of evaluations, critics and drawn tunes; the same in each round, so that less of it is chance."""

MIN_COUNT = 100
"""Of a character in the books' notes; one that is rarer stays as it is."""

MAX_BIAS = 1.5
_RATE = 0.7  # of what is lacking, a round: characters draw each other after them
_PRIOR = 1000  # characters, as the books have them, that are counted with the drawn ones
_FORM = frozenset("|:[]1\n")
"""What bars, endings and lines are made of: the plan and the grammar see to these."""


def calibrate(run: RunFolder) -> None:
    """Find what to add for the best weights of a run that has nothing added yet, and keep it in its folder."""
    config, vocabulary = run.config(), run.vocabulary()
    trained = from_run(run)
    books = run.corpus().without_extras(learnt_tunes(run))
    with tempfile.TemporaryDirectory(prefix="lilt-calibration-") as folder:
        candidate = open_candidate(run.path, Path(folder))
        graph = Path(folder) / "calibrated.tflite"

        def draw(bias: NDArray[np.float32]) -> list[str]:
            graph.write_bytes(decoder_graph(with_bias(trained.weights, bias), inputs=trained.network.inputs))
            seeds = range(FIRST_SEED, FIRST_SEED + config.calibration_tunes)
            return draw_as_served(replace(candidate, graph=graph), seeds)

        run.save_character_bias(character_bias(draw, books, vocabulary, config.calibration_rounds))


def character_bias(
    draw: Callable[[NDArray[np.float32]], list[str]], books: Iterable[str], vocabulary: Vocabulary, rounds: int
) -> NDArray[np.float32]:
    """What to add to each character's logit, [V], so that tunes as they are drawn have the books' counts.

    Args:
        draw: gives tunes in ABC, told what to add.
        books: tunes in ABC.
    """
    wanted = _count(books)
    ids = [id_ for id_, c in enumerate(vocabulary.characters) if wanted[c] >= MIN_COUNT and c not in _FORM]
    wanted_shares = np.array([wanted[vocabulary.characters[id_]] for id_ in ids]) / max(1, wanted.total())
    bias = np.zeros(len(vocabulary), np.float32)
    for number in tqdm(range(rounds), desc="calibrating", unit="round"):
        found = _count(draw(bias))
        counts = np.array([found[vocabulary.characters[id_]] for id_ in ids])
        shares = (counts + _PRIOR * wanted_shares) / (found.total() + _PRIOR)
        lacking = np.log(wanted_shares / shares)
        bias[ids] = (bias[ids] + _RATE * lacking).clip(-MAX_BIAS, MAX_BIAS)
        logger.info(
            "calibration %d: before it characters were off by a factor of %.3f on average", number + 1, _off(lacking)
        )
    return bias


def _count(tunes: Iterable[str]) -> Counter[str]:
    """The characters of all lines that are no fields."""
    return Counter(
        c for tune in tunes for line in tune.splitlines(keepends=True) if not FIELD.match(line) for c in line
    )


def _off(lacking: NDArray[np.float64]) -> float:
    return float(np.exp(np.abs(lacking).mean())) if len(lacking) else 1.0
