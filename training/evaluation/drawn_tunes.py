"""Draws tunes for a run to learn from: those of the version that it goes on from, each chosen among several."""

from collections.abc import Sequence

from tqdm import tqdm  # type: ignore[import-untyped]

from app.abc import features
from app.generation.critic import Critic, choose
from app.generation.jobs import seed_of_draw
from app.generation.planning import Planning
from app.inference.decoder import LiteRTDecoder
from model_store.manifest import DECODER_FILE
from model_store.store import Checkpoint
from training.evaluation import critic
from training.evaluation.tune_sampling import MAX_BATCH, draw, grammar_of

FIRST_SEED = 3_000_001
"""Far from those of evaluations and critics."""

MAX_BARS = 40
"""Few real tunes have more; a drawn one that has more did not find its end."""

_AT_ONCE = 50  # seeds
_MAX_FOR_CRITIC = 3000
"""Tunes that a critic learns from, of other seeds: of candidates that it has seen it would choose the others."""


def draw_tunes(checkpoint: Checkpoint, real: Sequence[str], count: int, candidates: int) -> list[str]:
    """The tunes of so many seeds that end in time and are not too long.

    Each is chosen among its candidates as the service does with `best_of`, by a critic that has learnt how `real` tunes
    and the version's own differ: together they are spread as real ones are, more nearly than the version draws.

    Raises:
        TooFewTunesError: there are too few for a critic.
    """
    groups = _groups(checkpoint, range(FIRST_SEED, FIRST_SEED + count), candidates)
    if candidates == 1:
        return [group[0] for group in groups if group]
    others = range(FIRST_SEED + count, FIRST_SEED + count + min(count, _MAX_FOR_CRITIC))
    own = [group[0] for group in _groups(checkpoint, others, 1) if group]
    judge = Critic(critic.train(real, own), "the critic of drawn tunes")
    return [
        group[choose(judge.log_odds(group).tolist(), seed)]
        for seed, group in enumerate(tqdm(groups, desc="choosing", unit="tune"), FIRST_SEED)
        if group
    ]


def _groups(checkpoint: Checkpoint, seeds: range, candidates: int) -> list[list[str]]:
    """The candidates of each seed that will do."""
    vocabulary, plans = checkpoint.vocabulary, checkpoint.plans()
    decoder = LiteRTDecoder(checkpoint.path(DECODER_FILE), MAX_BATCH, characters=vocabulary.characters)
    grammar = grammar_of(vocabulary, checkpoint.lexicon())
    planning = Planning(plans, checkpoint.manifest.name) if plans else None
    groups = []
    with tqdm(total=len(seeds), desc="drawing", unit="tune") as bar:
        for begin in range(0, len(seeds), _AT_ONCE):
            some = seeds[begin : begin + _AT_ONCE]
            each = [seed_of_draw(seed, number) for seed in some for number in range(candidates)]
            drawn = [drawn.tune for drawn in draw(decoder, vocabulary, each, 1.0, grammar, planning)]
            of_seeds = [drawn[first : first + candidates] for first in range(0, len(drawn), candidates)]
            groups += [[tune for tune in group if tune and _will_do(tune)] for group in of_seeds]
            bar.update(len(some))
    return groups


def _will_do(tune: str) -> bool:
    melody = features.read(tune)
    return melody is not None and len(melody.bars) <= MAX_BARS
