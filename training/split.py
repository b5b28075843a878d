"""The fixed split of a corpus by tune: 85 % train, 5 % validation, 10 % test.

Tunes that share a melody (the notes with spaces, line breaks, `!` and bar lines taken out) or a title (letters and
digits alone) are one group, which lies on one side whole. A group's place is the SHA-256 of its melody read as a
fraction u: train below 0.85, validation from 0.85, test from 0.90. So a tune keeps its side however the tunebook grows,
unless a twin joins it.
Where a small tunebook would leave a side empty, the group with the highest u tests and the next one validates.

Training learns from train, stops by validation, and never sees test: that is the number to report.
"""

import hashlib
import re
from dataclasses import dataclass

from training.errors import CorpusError

VALIDATION_FROM, TEST_FROM = 0.85, 0.90
_FIELD = re.compile(r"[A-Za-z+]:")


@dataclass(frozen=True)
class Split:
    """Three lists of tunes, in the order of the corpus."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


def split(tunes: tuple[str, ...]) -> Split:
    """The fixed split.

    Raises:
        CorpusError: there are not three tunes that differ in melody and title.
    """
    groups = sorted(_groups(tunes), key=lambda group: _fraction(tunes, group))
    if len(groups) < 3:
        raise CorpusError(
            f"{len(tunes)} tune(s) with {len(groups)} different melodies and titles; a split into train, validation "
            "and test needs 3 at least"
        )
    places = [_fraction(tunes, group) for group in groups]
    test = min(max(1, sum(place >= TEST_FROM for place in places)), len(groups) - 2)
    validation = max(1, sum(VALIDATION_FROM <= place < TEST_FROM for place in places))
    validation = min(validation, len(groups) - test - 1)
    train = len(groups) - test - validation
    sides = (groups[:train], groups[train : train + validation], groups[train + validation :])
    return Split(*(_in_order(tunes, side) for side in sides))


def _in_order(tunes: tuple[str, ...], groups: list[list[int]]) -> tuple[str, ...]:
    return tuple(tunes[index] for index in sorted(index for group in groups for index in group))


def melody(tune: str) -> str:
    """The notes of a tune, without its header and layout."""
    lines = [line for line in tune.split("\n") if not _FIELD.match(line) and not line.startswith("%")]
    return re.sub(r"[\s!|:\[\]\\]", "", "".join(lines))


def title(tune: str) -> str:
    """The letters and digits of a tune's first title, in lower case."""
    found = re.search(r"^T:(.*)", tune, re.MULTILINE)
    return re.sub(r"\W", "", found[1].lower()) if found else ""


def _groups(tunes: tuple[str, ...]) -> list[list[int]]:
    """Indices of tunes that share a melody or a title, directly or through others."""
    group_of: dict[str, list[int]] = {}
    for index, tune in enumerate(tunes):
        keys = [key for key in (f"melody {melody(tune)}", f"title {title(tune)}") if not key.endswith(" ")]
        group = [index]
        for other in {id(group_of[key]): group_of[key] for key in keys if key in group_of}.values():
            group += other
        for member in group:
            for key in (f"melody {melody(tunes[member])}", f"title {title(tunes[member])}"):
                if not key.endswith(" "):
                    group_of[key] = group
        if not keys:
            group_of[f"index {index}"] = group
    return list({id(group): group for group in group_of.values()}.values())


def _fraction(tunes: tuple[str, ...], group: list[int]) -> float:
    """Where a group lies, in [0, 1)."""
    digest = min(hashlib.sha256(melody(tunes[index]).encode()).digest() for index in group)
    return int.from_bytes(digest[:8]) / 2**64
