"""What can be counted in a tune, made out of its text: notes, bars, parts, the tonic and the rhythm."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from app.abc.keys import Key
from app.abc.pitch import ALTERATIONS, NATURAL_SEMITONES, SEMITONES_PER_OCTAVE, STEPS, Pitch
from app.abc.plain import Bar, Part, length_of
from training.dialect import dialect
from training.dialect.parts import parts_of
from training.errors import DialectError


@dataclass(frozen=True)
class Sound:
    """A note of the melody, tied ones joined: its MIDI number, and its length in whole notes.

    `place` counts steps of the scale from middle C up; `is_altered` says that it is not the key's own note on its step.
    """

    midi: int
    place: int
    is_altered: bool
    length: Fraction


@dataclass(frozen=True)
class Music:
    """A tune that has been understood; `parts` holds the bars of each, and nothing where they do not add up.

    `sections` are the same parts as the bars from the first whole one on, the first ending alone; `tonic` is in
    semitones above C, `tonic_step` in steps; `rhythm` is empty where the tune does not say.
    """

    rhythm: str
    tonic: int
    tonic_step: int
    bar_length: Fraction
    bars: tuple[Bar, ...]
    sounds: tuple[Sound, ...]
    parts: tuple[int, ...]
    sections: tuple[tuple[Bar, ...], ...]

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
    return Music(
        rhythm=head.rhythm,
        tonic=_tonic(head.key),
        tonic_step=STEPS.index(head.key.tonic[0]),
        bar_length=bar_length,
        bars=bars,
        sounds=tuple(_sounds(bars, head.key)),
        parts=tuple(filter(None, counts)),
        sections=tuple(_past_pickup(part, bar_length) for part, count in zip(parts, counts, strict=True) if count),
    )


def plain(bar: Bar) -> tuple[tuple[tuple[int, ...], Fraction], ...]:
    """What two bars have in common that sound the same."""
    return tuple((tuple(pitch.midi for pitch in note.pitches), note.length) for note in bar)


def _past_pickup(part: Part, bar_length: Fraction) -> tuple[Bar, ...]:
    bars = (*part.bars, *part.first)
    return bars[1:] if length_of(bars[0]) < bar_length else bars


def _sounds(bars: tuple[Bar, ...], key: Key) -> Iterator[Sound]:
    """The highest note of each chord; rests are left out."""
    last: Sound | None = None
    is_tied = False
    for note in (note for bar in bars for note in bar):
        highest = max(note.pitches, key=_height, default=None)
        if last and is_tied and highest and highest.midi == last.midi:
            last = replace(last, length=last.length + note.length)
        else:
            if last:
                yield last
            last = _sound(highest, note.length, key) if highest else None
        is_tied = note.tied
    if last:
        yield last


def _height(pitch: Pitch) -> int:
    return pitch.midi


def _sound(pitch: Pitch, length: Fraction, key: Key) -> Sound:
    return Sound(pitch.midi, pitch.place, pitch.alter != key.alter(pitch.step), length)


def _bars_in(part: Part, bar_length: Fraction) -> int:
    """Bars of a part played once, a pickup and its complement being one; 0 for a pickup by itself."""
    return round(sum(map(length_of, (*part.bars, *part.first)), Fraction(0)) / bar_length)


def _tonic(key: Key) -> int:
    return (NATURAL_SEMITONES[key.tonic[0]] + ALTERATIONS[key.tonic[1:]]) % SEMITONES_PER_OCTAVE
