"""What can be counted in a tune, made out of its text: notes, bars, parts and the tonic."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from training.dialect import dialect
from training.dialect.notation import Bar, Key, Part, length_of
from training.dialect.parts import parts_of
from training.errors import DialectError

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Sound:
    """A note of the melody, tied ones joined: semitones up from `C`, and its length in whole notes."""

    semitone: int
    length: Fraction


@dataclass(frozen=True)
class Music:
    """A tune that has been understood; `parts` holds the bars of each, and nothing where they do not add up."""

    tonic: int
    bar_length: Fraction
    bars: tuple[Bar, ...]
    sounds: tuple[Sound, ...]
    parts: tuple[int, ...]

    @property
    def whole_bars(self) -> list[Bar]:
        return [bar for bar in self.bars if length_of(bar) == self.bar_length]


def read(tune: str) -> Music | None:
    """None for a text that is not understood."""
    try:
        head, score = dialect.read(tune)
    except DialectError:
        return None
    bar_length = Fraction(head.meter)
    bars = tuple(bar for bar, _ in score.bars)
    try:
        parts = parts_of(score, bar_length)
    except DialectError:
        parts = ()
    counts = [_bars_in(part, bar_length) for part in parts]
    return Music(_tonic(head.key), bar_length, bars, tuple(_sounds(bars)), tuple(filter(None, counts)))


def _sounds(bars: tuple[Bar, ...]) -> Iterator[Sound]:
    """The highest note of each chord; rests are left out."""
    last: Sound | None = None
    is_tied = False
    for note in (note for bar in bars for note in bar):
        semitone = max((pitch.semitone for pitch in note.pitches), default=None)
        if last and is_tied and semitone == last.semitone:
            last = Sound(last.semitone, last.length + note.length)
        else:
            if last:
                yield last
            last = Sound(semitone, note.length) if semitone is not None else None
        is_tied = note.tied
    if last:
        yield last


def _bars_in(part: Part, bar_length: Fraction) -> int:
    """Bars of a part played once, a pickup and its complement being one; 0 for a pickup by itself."""
    return round(sum(map(length_of, (*part.bars, *part.first)), Fraction(0)) / bar_length)


def _tonic(key: Key) -> int:
    return (_SEMITONES[key.name[0]] + {"#": 1, "b": -1}.get(key.name[1:2], 0)) % 12
