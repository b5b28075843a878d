"""Reads a Standard MIDI File into a `Score`: the notes of each instrument as a voice, as they would be written.

A file says when notes begin and end, not how they are written: see `quantize`. Repeats are written out.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from app.abc.fields import SHORT_TEXT, Tempo
from app.abc.keys import CIRCLE_OF_FIFTHS, DORIAN, MINOR, Key
from app.abc.lengths import is_note_value, is_power_of_two
from app.abc.meters import Meter
from app.abc.pitch import MIDDLE_C, NATURAL_SEMITONES, SEMITONES_PER_OCTAVE, STEPS, Pitch
from app.abc.score import MAX_BARS, Bar, Chord, Score, Tuplet, Voice
from app.errors import NotationError
from app.interchange import midi_file
from app.interchange.import_report import ImportReport
from app.interchange.key_signatures import ending_on, guessed_fifths, key_of, share_outside
from app.interchange.midi_file import MAGIC, MidiFile
from app.interchange.note_groups import join_by_beats
from app.interchange.quantize import Played, Span, Written, beat_of, pickup, quantized

__all__ = ["MAGIC", "read"]

_MAX_VOICES = 8
_MAX_SHARE_OUTSIDE = 0.12
_USUAL_TEMPO = 500_000
_MAX_WHOLE_NOTES = 5_000
_PLACES = 32
"""of a whole note, where the metre may change: what was played says it a little early or late"""

_SHARPEST = 8
"""Chromatic notes are spelt from three fifths below a signature to eight above it: in C from Eb to G#, in Am to D#."""


def read(content: bytes, report: ImportReport) -> Score:
    """The score of a file.

    Args:
        content: a Standard MIDI File.
        report: told what of it is left out.

    Raises:
        NotationError: it is broken, has no notes, or holds more than is allowed.
    """
    file = midi_file.read(content)
    parts = _parts(file, report)
    quarter_s = (file.tempos[0][1] if file.tempos else _USUAL_TEMPO) / 1e6
    whole = 4 * file.ticks_per_quarter
    played = {
        part: [
            Played(
                note.start / whole,
                note.end / whole,
                note.pitch,
                (note.end - note.start) / file.ticks_per_quarter * quarter_s,
                note.velocity,
            )
            for note in file.notes[part]
        ]
        for part in parts
    }
    spans = _spans(file, list(played.values()))
    key = _key(file, played[parts[0]])
    voices = []
    for number, (part, notes) in enumerate(played.items(), 1):
        name = file.names.get(part[0], "")[:SHORT_TEXT] if len(parts) > 1 else ""
        voices.append(Voice(str(number), _bars(quantized(notes, spans), spans, key), name or None))
    _trim(voices)
    title = file.names.get(0, "") if len(parts) == 1 or 0 not in {track for track, _ in parts} else ""
    quarters = round(60 / quarter_s)
    return Score(
        titles=(title[:SHORT_TEXT],) if title else (),
        composer=None,
        rhythm=None,
        key=key,
        meter=spans[0].meter,
        tempo=float(quarters) if file.tempos else None,
        parts=None,
        voices=voices,
        tempo_mark=Tempo("", (Fraction(1, 4),), Fraction(quarters)) if file.tempos else None,
    )


def _parts(file: MidiFile, report: ImportReport) -> list[tuple[int, int]]:
    """The instruments that are read, by track and channel; says what is not."""
    parts = sorted(file.notes)
    if not parts:
        raise NotationError("there is not a note in the MIDI file" + (", but for percussion" * bool(file.percussion)))
    if file.percussion:
        report.leave_out("percussion")
    if file.lyrics:
        report.leave_out("words")
    if len({tempo for _, tempo in file.tempos}) > 1:
        report.leave_out("changes of tempo: the first is kept")
    for track, channel in parts[_MAX_VOICES:]:
        name = file.names.get(track) or f"of track {track + 1}, channel {channel + 1}"
        report.leave_out(f"instrument {name}: no more than {_MAX_VOICES} are read")
    return parts[:_MAX_VOICES]


def _spans(file: MidiFile, parts: Sequence[Sequence[Played]]) -> list[Span]:
    """The measures, to the last note; the first is short where there is a pickup."""
    whole = 4 * file.ticks_per_quarter
    changes = {
        Fraction(round(Fraction(tick, whole) * _PLACES), _PLACES): Meter(beats, unit)
        for tick, beats, unit in sorted(file.meters)
    }
    meter = changes.pop(Fraction(0), Meter())
    first, end = min(note.start for part in parts for note in part), max(note.end for part in parts for note in part)
    changes = {at: new for at, new in changes.items() if (float(at) < end and new != meter) or len(changes) > 1}
    if end > _MAX_WHOLE_NOTES:  # before a pickup is looked for, bar by bar
        raise _too_long()
    at, spans = Fraction(0), list[Span]()
    later = sorted(changes, reverse=True)  # the next is the last
    following = changes[later[-1]] if later else None
    if following and meter.length and _is_pickup(later[-1], meter.length, following):
        meter, at = following, later.pop()
        spans.append(Span(Fraction(0), at, meter))
    elif not later and first < 1 / _PLACES and (short := pickup(parts[0], meter)):
        at = short
        spans.append(Span(Fraction(0), at, meter))
    while float(at) < end - 1 / (2 * _PLACES):
        while later and later[-1] <= at:
            meter = changes[later.pop()]
        length = meter.length or Fraction(1)
        until = min(at + length, later[-1]) if later else at + length
        spans.append(Span(at, until - at, meter))
        at = until
        if len(spans) > MAX_BARS or at > _MAX_WHOLE_NOTES:
            raise _too_long()
    return spans


def _too_long() -> NotationError:
    allowed = f"{MAX_BARS:,} bars, or {_MAX_WHOLE_NOTES:,} whole notes,"
    return NotationError(f"it has more than the {allowed} that are allowed")


def _is_pickup(change: Fraction, length: Fraction, following: Meter) -> bool:
    """Whether the first measure is one, by when the metre changes, and to what."""
    return 0 < change < length or (change == length and length < (following.length or 0))


def _key(file: MidiFile, notes: Sequence[Played]) -> Key:
    """The key that the file names, unless it names none and the notes say another."""
    weights = Counter[int]()
    for note in notes:
        weights[note.pitch % SEMITONES_PER_OCTAVE] += round(1000 * (note.end - note.start))
    last = max(notes, key=lambda note: note.start).pitch % SEMITONES_PER_OCTAVE
    if file.keys:
        _, fifths, is_minor = file.keys[0]
        if is_minor:
            return key_of(fifths, MINOR)
        if fifths or share_outside(fifths, weights) <= _MAX_SHARE_OUTSIDE:
            return ending_on(fifths, last)
    return ending_on(guessed_fifths(weights), last)


def _trim(voices: list[Voice]) -> None:
    """Leave out the silence before the first note, so that a pickup is one."""
    while len(voices[0].bars) > 1 and not any(c.pitches for voice in voices for c in voice.bars[0].chords):
        for voice in voices:
            following, first = voice.bars[1], voice.bars.pop(0)
            following.meter = following.meter or first.meter
    silences = [_silence(voice.bars[0]) for voice in voices]
    if shortest := min(silences):
        for voice in voices:
            left = shortest
            chords = voice.bars[0].chords
            while left and chords:
                taken = min(left, chords[0].length)
                chords[0].length -= taken
                left -= taken
                if not chords[0].length:
                    chords.pop(0)


def _silence(bar: Bar) -> Fraction:
    silence = Fraction(0)
    for chord in bar.chords:
        if chord.pitches:
            return silence
        silence += chord.length
    return silence


def _bars(notes: list[Written], spans: Sequence[Span], key: Key) -> list[Bar]:
    """A voice's notes in its measures."""
    bars: list[Bar] = []
    rest = iter(notes)
    note = next(rest, None)
    for index, span in enumerate(spans):
        end = span.start + span.length
        pieces: list[_Piece] = []
        at = span.start
        while note is not None and note.start < end:
            start = max(note.start, span.start)
            if start > at:
                pieces += _cut(at, start, (), span)
            goes_on = note.end > end
            found = _cut(start, min(note.end, end), tuple(note.pitches), span)
            found[-1].is_tied = goes_on
            if note.start >= span.start:
                found[0].graces = tuple(note.graces)
            pieces += found
            at = min(note.end, end)
            if goes_on:
                break
            note = next(rest, None)
        if at < end:
            pieces += _cut(at, end, (), span)
        changed = index > 0 and span.meter != spans[index - 1].meter
        chords = _chords(pieces, key)
        join_by_beats(chords, span.meter, max(Fraction(0), (span.meter.length or span.length) - span.length))
        bars.append(Bar(chords, meter=span.meter if changed else None))
    return bars


class _Piece:
    """What is drawn as one head: all or a part of a note, or of a rest."""

    def __init__(self, start: Fraction, end: Fraction, pitches: tuple[int, ...]) -> None:
        self.start, self.end, self.pitches = start, end, pitches
        self.graces: tuple[int, ...] = ()
        self.is_tied = False


def _cut(start: Fraction, end: Fraction, pitches: tuple[int, ...], span: Span) -> list[_Piece]:
    """A note or rest as pieces that can be drawn, tied: in a beat that is divided in threes none reaches out of it."""
    beat = beat_of(span.meter)
    offset = span.start - ((span.meter.length or span.length) - span.length)
    places = {start, end}
    if not _is_plain(start):
        places.add(min(end, offset + ((start - offset) // beat + 1) * beat))
    if not _is_plain(end):
        places.add(max(start, offset + ((end - offset) // beat) * beat))
    ordered = sorted(places)
    pieces = [
        _Piece(a, b, pitches)
        for left, right in itertools.pairwise(ordered)
        for a, b in _drawable(left, right, offset, beat)
    ]
    for piece in pieces[:-1]:
        piece.is_tied = bool(pitches)
    return pieces


def _drawable(start: Fraction, end: Fraction, offset: Fraction, beat: Fraction) -> Iterator[tuple[Fraction, Fraction]]:
    """A stretch in as few pieces as there are heads for; the first ends with a beat where it can."""
    length = end - start
    if is_note_value(length, 2) or not (_is_plain(start) and _is_plain(end)) or length >= 1:
        yield start, end
        return
    border = offset + ((start - offset) // beat + 1) * beat
    if not start < border < end:
        border = start + max(Fraction(1, 2**power) for power in range(9) if Fraction(1, 2**power) < length)
    yield start, border
    yield from _drawable(border, end, offset, beat)


def _is_plain(place: Fraction) -> bool:
    return is_power_of_two(place.denominator)


def _chords(pieces: list[_Piece], key: Key) -> list[Chord]:
    """Pieces as chords; those between two plain places that are themselves none are triplets."""
    chords: list[Chord] = []
    in_triplet = False
    for piece in pieces:
        chord = Chord(
            tuple(_spelt(pitch, key) for pitch in sorted(set(piece.pitches))),
            piece.end - piece.start,
            graces=tuple(_spelt(pitch, key) for pitch in piece.graces),
        )
        chord.tied = frozenset(range(len(chord.pitches))) if piece.is_tied else frozenset()
        starts, stops = not in_triplet, _is_plain(piece.end)
        if in_triplet or not stops:
            chord.tuplet = Tuplet(3, 2, starts=starts, stops=stops)
            in_triplet = not stops
        chords.append(chord)
    return chords


def _spelt(pitch: int, key: Key) -> Pitch:
    """A pitch by the name that it has in a key."""
    sharpest = key.fifths + _SHARPEST + (key.mode in (MINOR, DORIAN))
    fifths = sharpest - (sharpest - 7 * pitch) % SEMITONES_PER_OCTAVE  # seven semitones are a fifth, and back again
    turns, index = divmod(fifths + CIRCLE_OF_FIFTHS.index("C"), len(CIRCLE_OF_FIFTHS))
    step = CIRCLE_OF_FIFTHS[index]
    octave = (pitch - turns - NATURAL_SEMITONES[step] - MIDDLE_C) // SEMITONES_PER_OCTAVE
    alter = pitch - MIDDLE_C - SEMITONES_PER_OCTAVE * octave - NATURAL_SEMITONES[step]
    return Pitch(len(STEPS) * octave + STEPS.index(step), alter)
