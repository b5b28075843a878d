"""The held-out tunes that all models of a comparison are judged by: known to none of them, writable by each."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.corpora import families
from training.errors import CorpusError
from training.evaluation.candidate import Candidate


@dataclass(frozen=True)
class CommonText:
    """Tunes, and why others of the same source were set aside for all models: reason → how many."""

    name: str
    tunes: tuple[str, ...]
    set_aside: dict[str, int]


def choose(name: str, tunes: tuple[str, ...], candidates: Sequence[Candidate]) -> CommonText:
    """The tunes that are fair to every candidate.

    Raises:
        CorpusError: there is none.
    """
    kept: list[str] = []
    set_aside: dict[str, int] = {}
    known = {candidate.name: _known(tunes, candidate.learnt) for candidate in candidates}
    for number, tune in enumerate(tunes):
        reason = next(filter(None, (_reason(tune, number in known[each.name], each) for each in candidates)), None)
        if reason:
            set_aside[reason] = set_aside.get(reason, 0) + 1
        else:
            kept.append(tune)
    if not kept:
        raise CorpusError(f"{name}: no tune is left to compare by; {'; '.join(set_aside) or 'it has none'}")
    return CommonText(name, tuple(kept), set_aside)


def _reason(tune: str, is_known: bool, candidate: Candidate) -> str | None:
    if is_known:
        return f"{candidate.name} learnt from a setting of it"
    unknown = sorted(set(tune) - set(candidate.vocabulary.characters))
    return f"{candidate.name} has no character {' '.join(unknown)}" if unknown else None


def _known(tunes: tuple[str, ...], learnt: tuple[str, ...]) -> set[int]:
    """Which of the tunes have the notes of one that was learnt from, or are alike one (see `melodic_similarity`)."""
    notes = {families.melody(tune) for tune in learnt}
    same = {number for number, tune in enumerate(tunes) if families.melody(tune) in notes}
    alike = {one for one, other in families.melody_pairs([tunes, learnt]) if one < len(tunes) <= other}
    return same | alike
