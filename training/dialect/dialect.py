"""Translates a tune, in ABC of any age, into plain ABC 2.1 with one header order, `X T R M L K`.

The notes and their lengths stay what they were. Left out is what tells a player more than the notes do: bowing and
fingering, dynamics, slurs, chord symbols (no corpus here has true ones), lyrics, and every field but those six.
"""

from dataclasses import replace
from fractions import Fraction

from app.abc import writer
from app.abc.plain import Header, Part, Tune
from app.abc.tunebook import split_header
from training.dialect import header, reader
from training.dialect.normalize import plain
from training.dialect.parts import parts_of
from training.dialect.reader import Score
from training.errors import DialectError


def translate(tune: str) -> str:
    """The tune in plain ABC.

    Raises:
        DialectError: it cannot be said there, or does not add up; the text is the reason.
    """
    return writer.write(understand(tune))


def understand(tune: str) -> Tune:
    """The tune as a value, in plain writing.

    Raises:
        DialectError: see `translate`.
    """
    head, score = read(tune)
    parts = parts_of(score, Fraction(head.meter))
    if head.rhythm == "hornpipe" and any(map(_has_long_chord, parts)):
        head = replace(head, rhythm="")  # abc2midi swings hornpipes, and stumbles over such chords where it does
    return Tune(head, tuple(plain(part, head.meter, head.unit) for part in parts))


def read(tune: str) -> tuple[Header, Score]:
    """The tune's header and bars as they stand, whether they add up or not.

    Raises:
        DialectError: something in it is not understood.
    """
    fields, music = _split(tune)
    head = header.read(fields)
    return head, reader.read(music, head)


def _has_long_chord(part: Part) -> bool:
    notes = [note for bar in (*part.bars, *part.first, *part.second) for note in bar]
    shortest = min(note.written for note in notes)
    return any(len(note.pitches) > 1 and note.written > shortest for note in notes)


def _split(tune: str) -> tuple[dict[str, str], str]:
    """Each header field's first value, and the lines after `K:`, all without comments."""
    fields, music = split_header([line.split("%")[0].rstrip() for line in tune.split("\n")])
    if "K" not in fields:
        raise DialectError("no K: field")
    return {name: values[0] for name, values in fields.items()}, "\n".join(filter(None, music))
