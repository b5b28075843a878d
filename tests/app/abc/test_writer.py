"""What is written is read again as the same music, by another reader than the one that it came from."""

from app.abc import writer
from app.abc.plain import Note
from app.abc.reader import read
from app.abc.score import Chord
from tests.training.books import lab_as_found
from training.dialect import dialect
from training.errors import DialectError


def test_what_is_written_of_the_labs_tunes_is_read_as_the_same_notes() -> None:
    compared = 0
    for found in lab_as_found().tunes[::3]:
        try:
            tune = dialect.understand(found)
        except DialectError:
            continue
        bars = [bar for part in tune.parts for bar in (*part.bars, *part.first, *part.second)]
        score = read(writer.write(tune))
        (voice,) = score.voices
        assert score.key == tune.header.key
        assert [[_sounds(chord) for chord in bar.chords] for bar in voice.bars] == [
            [_is_meant(note) for note in bar] for bar in bars
        ]
        compared += 1
    assert compared > 250


def _sounds(chord: Chord) -> tuple[object, ...]:
    return [pitch.midi for pitch in chord.pitches], chord.length, chord.is_tied, [p.midi for p in chord.graces]


def _is_meant(note: Note) -> tuple[object, ...]:
    return [pitch.midi for pitch in note.pitches], note.length, note.tied, [pitch.midi for pitch in note.grace]
