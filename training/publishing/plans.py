"""The plans of the tunes that a model learnt, with their counts."""

from collections import Counter
from collections.abc import Collection

from model_store.plans import KnownPlan, Part, Plans
from training.evaluation.weights_source import Trained
from training.learning.reading import Reader
from training.learning.run_folder import RunFolder
from training.publishing.lexicon import field
from training.publishing.tune_index import learnt_tunes

REDRAWS = 8
"""Of a last bar that ends otherwise than planned; one in 50 parts then still has to be held to its ending."""


def plans_of_run(run: RunFolder, trained: Trained) -> Plans | None:
    """Those of the tunes that a run learnt to the end; None where it is told no plans."""
    if not run.config().plan:
        return None
    tunes = run.corpus().without_extras(learnt_tunes(run))
    return plans_of(tunes, Reader.of_width(trained.vocabulary, len(trained.network.inputs)))


def plans_of(tunes: Collection[str], reader: Reader) -> Plans:
    """The plans of the tunes in ABC that have whole bars."""
    found: Counter[tuple[str, str, tuple[Part, ...]]] = Counter()
    for tune in tunes:
        if plan := reader.plan_of(tune):
            parts = tuple((part.at_home, part.bars) for part in plan.parts)
            found[field(tune, "R").lower(), field(tune, "M"), parts] += 1
    rows = sorted(found.items(), key=lambda row: (row[0][:2], -row[1]))
    known = tuple(KnownPlan(rhythm, meter, count, parts) for (rhythm, meter, parts), count in rows)
    return Plans(known, are_held=True, redraws=REDRAWS)
