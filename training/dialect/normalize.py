"""Normalizes notes to spellings that abc2midi, music21 and abcjs all accept, without changing how they sound.

A broken pair that one of them would misread is written as lengths; a length that no note head has, as tied notes; a tie
to another pitch was a slur; grace notes stay where all three measure the bar right.
"""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain

from app.abc.fields import parse_meter
from app.abc.lengths import is_note_value, is_power_of_two
from app.abc.plain import Bar, Note, Part, length_of
from app.abc.written_subset import MAX_GRACE_NOTES, MAX_LENGTH_DENOMINATOR
from training.errors import DialectError

_MAX_DOTS = 2
_SHORTEST = Fraction(1, 64)
_GRACE = Fraction(1, 4)  # of a unit: what abc2midi takes from the note for each grace note


def plain(part: Part, meter: str, unit: Fraction) -> Part:
    """The part in plain writing.

    Raises:
        DialectError: a note is too short, or a tie leads over a repeat.
    """
    bars, first, second = (_plain_run(run, meter, unit) for run in (part.bars, part.first, part.second))
    return Part(bars, part.repeated, first, second)


def _plain_run(bars: tuple[Bar, ...], meter: str, unit: Fraction) -> tuple[Bar, ...]:
    """Bars without a repeat sign among them."""
    tied = _with_true_ties(bars)
    return tuple(_plain_bar(bar, index == 0, meter, unit) for index, bar in enumerate(tied))


def _with_true_ties(bars: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """A tie holds to the same pitches as the very next note, without a grace note between."""
    notes = list(chain.from_iterable(bars))
    for index, note in enumerate(notes):
        if not note.tied:
            continue
        following = notes[index + 1] if index + 1 < len(notes) else None
        if following is None:
            raise DialectError("tie over a repeat or a double bar")
        is_true = _sounding(note) == _sounding(following)
        notes[index] = replace(note, tied=is_true)
        if is_true:
            notes[index + 1] = replace(following, grace=())
    rest = iter(notes)
    return tuple(tuple(next(rest) for _ in bar) for bar in bars)


def _sounding(note: Note) -> set[int]:
    return {pitch.midi for pitch in note.pitches}


def _plain_bar(bar: Bar, is_first: bool, meter: str, unit: Fraction) -> Bar:
    begin = Fraction(meter) - length_of(bar) if is_first else Fraction(0)
    notes: list[Note] = []
    for note in _with_plain_rhythm([_with_plain_grace(note, unit) for note in bar]):
        notes += _with_note_heads(note, begin, _beat(meter), unit)
        begin += note.length
    return tuple(notes)


@lru_cache
def _beat(meter: str) -> Fraction:
    """A beat of the metre, in whole notes; three of its units where they group in threes."""
    return parse_meter(meter).beat


def _with_plain_grace(note: Note, unit: Fraction) -> Note:
    """music21 mis-measures a tuplet with grace notes, and abc2midi takes their time from the note."""
    fits = len(note.grace) <= MAX_GRACE_NOTES and len(note.grace) * _GRACE * unit < note.length
    return note if fits and not note.in_tuplet else replace(note, grace=())


def _with_plain_rhythm(notes: list[Note]) -> list[Note]:
    """Broken pairs of equal, undotted notes stay; others are written as they last."""
    plain = list(notes)
    for index, note in enumerate(notes):
        if not note.broken:
            continue
        second = notes[index + 1]
        is_plain = (
            note.written == second.written
            and is_power_of_two(note.written.numerator)
            and not second.grace
            and not (note.grace and note.broken[0] == "<")
            and note.in_tuplet == second.in_tuplet
            and not second.broken
            and not (index and notes[index - 1].broken)
        )
        if not is_plain:
            if note.in_tuplet or second.in_tuplet:
                raise DialectError("broken rhythm of unequal notes in a tuplet")
            plain[index] = replace(plain[index], written=plain[index].length, factor=Fraction(1), broken="")
            plain[index + 1] = replace(second, written=second.length, factor=Fraction(1))
    return plain


def _with_note_heads(note: Note, begin: Fraction, beat: Fraction, unit: Fraction) -> Iterator[Note]:
    """The note, or notes tied together where no single one lasts so long; `begin` is its place in the bar."""
    if note.factor != 1:
        if not is_plain_length(note.written, unit) or note.written.numerator != 1:
            raise DialectError("tuplet or broken rhythm of notes that are too short or dotted")
        yield note
        return
    pieces = list(_pieces(note.written, begin, beat, unit))
    for index, piece in enumerate(pieces):
        is_last = index == len(pieces) - 1
        yield replace(
            note,
            written=piece,
            tied=note.tied if is_last else bool(note.pitches),
            grace=note.grace if index == 0 else (),
            spaced=note.spaced and index == 0,
        )


def _pieces(length: Fraction, begin: Fraction, beat: Fraction, unit: Fraction) -> Iterator[Fraction]:
    """Plain lengths that add up; cut on a beat where that gives two."""
    if is_plain_length(length, unit):
        yield length
        return
    step = Fraction(1, length.denominator)
    firsts = [first for k in range(1, length.numerator) if is_plain_length(first := k * step, unit)]
    pairs = [first for first in firsts if is_plain_length(length - first, unit)]
    if not firsts or length.denominator > 64:
        raise DialectError("note too short")
    first = max(pairs or firsts, key=lambda first: ((begin + first) % beat == 0, first))
    yield first
    yield from _pieces(length - first, begin + first, beat, unit)


@lru_cache
def is_plain_length(length: Fraction, unit: Fraction) -> bool:
    """Whether one note head with two dots at most lasts so long, and it can be written in quarters of a unit."""
    return (
        length >= _SHORTEST
        and is_note_value(length, _MAX_DOTS)
        and (length / unit).denominator <= MAX_LENGTH_DENOMINATOR
    )
