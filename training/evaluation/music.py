"""What can be counted in a tune, made out of its text: notes, bars, parts and the tonic."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from app.abc.keys import Key
from app.abc.pitch import ALTERATIONS, NATURAL_SEMITONES, SEMITONES_PER_OCTAVE
from app.abc.plain import Bar, Part, length_of
from training.dialect import dialect
from training.dialect.parts import parts_of
from training.errors import DialectError


@dataclass(frozen=True)
class Sound:
    """A note of the melody, tied ones joined: its MIDI number, and its length in whole notes."""

    midi: int
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
        midi = max((pitch.midi for pitch in note.pitches), default=None)
        if last and is_tied and midi == last.midi:
            last = Sound(last.midi, last.length + note.length)
        else:
            if last:
                yield last
            last = Sound(midi, note.length) if midi is not None else None
        is_tied = note.tied
    if last:
        yield last


def _bars_in(part: Part, bar_length: Fraction) -> int:
    """Bars of a part played once, a pickup and its complement being one; 0 for a pickup by itself."""
    return round(sum(map(length_of, (*part.bars, *part.first)), Fraction(0)) / bar_length)


def _tonic(key: Key) -> int:
    return (NATURAL_SEMITONES[key.tonic[0]] + ALTERATIONS[key.tonic[1:]]) % SEMITONES_PER_OCTAVE
