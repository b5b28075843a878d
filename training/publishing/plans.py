"""The plans and headers of the tunes that a model learnt, with their counts."""

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from app.abc.rhythms import rhythm_in_title
from app.grammar.header import DRAWN_FIELDS
from model_store.plans import KnownHeader, KnownPlan, Part, Plans
from training.evaluation.weights_source import Trained
from training.learning.reading import Reader
from training.learning.run_folder import RunFolder
from training.publishing.lexicon import field, rhythms_of
from training.publishing.tune_index import learnt_tunes

REDRAWS = 8
"""Of a last bar that ends otherwise than planned; one in 50 parts then still has to be held to its ending."""


def plans_of_run(run: RunFolder, trained: Trained) -> Plans | None:
    """Those of the tunes that a run learnt to the end; None where it is told no plans."""
    if not run.config().plan:
        return None
    tunes = run.corpus().without_extras(learnt_tunes(run))
    plans = plans_of(tunes, Reader.of_width(trained.vocabulary, len(trained.network.inputs)))
    return replace(plans, headers=headers_of(tunes))


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


def headers_of(tunes: Collection[str]) -> tuple[KnownHeader, ...]:
    """What the headers of tunes in ABC say, the most frequent first; of those that a new tune may have."""
    meters_of = rhythms_of(tunes)
    found: Counter[tuple[str, ...]] = Counter()
    for tune in tunes:
        rhythm, meter, unit, key = (field(tune, letter) for letter in DRAWN_FIELDS)
        if not rhythm or meter in meters_of.get(rhythm.lower(), ()):
            found[rhythm_in_title(field(tune, "T")), rhythm.lower(), meter, unit, key] += 1
    return tuple(KnownHeader(count, *header) for header, count in sorted(found.items(), key=lambda row: -row[1]))
