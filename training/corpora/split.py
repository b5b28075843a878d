"""The fixed split of a corpus by tune: 85 % train, 5 % validation, 10 % test.

A family of tunes (see `families`) lies on one side whole, by its place: train below 0.85, validation from 0.85, test
from 0.90. So a tune keeps its side however the corpus grows, unless kin of it joins. Where a small tunebook would
leave a side empty, the family with the highest place tests and the next one validates.

Training learns from train, stops by validation, and never sees test: that is the number to report.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from training.corpora import families
from training.corpora.families import TEST_FROM, VALIDATION_FROM, melody, title
from training.errors import CorpusError

__all__ = ["Split", "melody", "split", "title"]


@dataclass(frozen=True)
class Split:
    """Three lists of tunes, in the order of the corpus."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def split(tunes: tuple[str, ...], places: Sequence[float | None] = ()) -> Split:
    """The fixed split.

    Args:
        places: of the tunes, from `families.places`; without them the tunes are taken for one book, untranslated.

    Raises:
        CorpusError: there are not three families.
    """
    of_tune = [place for place in places or families.places([tunes]) if place is not None]
    found = sorted(set(of_tune))
    if len(found) < 3:
        raise CorpusError(
            f"{len(tunes)} tune(s) with {len(found)} different melodies and titles; a split into train, validation "
            "and test needs 3 at least"
        )
    test = min(max(1, sum(place >= TEST_FROM for place in found)), len(found) - 2)
    validation = max(1, sum(VALIDATION_FROM <= place < TEST_FROM for place in found))
    validation = min(validation, len(found) - test - 1)
    train = len(found) - test - validation
    sides = (set(found[:train]), set(found[train : train + validation]), set(found[train + validation :]))
    return Split(*(tuple(tune for tune, place in zip(tunes, of_tune, strict=True) if place in side) for side in sides))
