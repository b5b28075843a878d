"""Translates a tune, in ABC of any age, into plain ABC 2.1 with one header order, `X T R M L K`.

The notes and their lengths stay what they were. Left out is what tells a player more than the notes do: bowing and
fingering, dynamics, slurs, chord symbols (no corpus here has true ones), lyrics, and every field but those six.
"""

import re
from dataclasses import replace
from fractions import Fraction

from app.abc import writer
from app.abc.meters import default_unit
from app.abc.plain import Header, Part, Tune
from app.abc.tunebook import FIELD, split_header
from training.dialect import header, missing_meter, reader
from training.dialect.normalize import plain
from training.dialect.parts import parts_of
from training.dialect.reader import Score
from training.dialect.voices import first_melody
from training.errors import DialectError

_TEXT_FOR_PAGES = re.compile(r"^%%begintext.*?^%%endtext.*?$", re.MULTILINE | re.DOTALL)


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
    fields, music = _split(tune)
    head, score = _read(fields, music)
    try:
        parts = parts_of(score, Fraction(head.meter))
    except DialectError:
        if fields.get("M", "") in missing_meter.UNKNOWN:
            raise DialectError("no metre, and bars that do not agree on one") from None
        raise
    if head.rhythm == "hornpipe" and any(map(_has_long_chord, parts)):
        head = replace(head, rhythm="")  # abc2midi swings hornpipes, and stumbles over such chords where it does
    return Tune(head, tuple(plain(part, head.meter, head.unit) for part in parts))


def read(tune: str) -> tuple[Header, Score]:
    """The tune's header and bars as they stand, whether they add up or not.

    Raises:
        DialectError: something in it is not understood.
    """
    return _read(*_split(tune))


def _read(fields: dict[str, str], music: str) -> tuple[Header, Score]:
    if fields.get("M", "") in missing_meter.UNKNOWN:
        unit = {"L": fields.get("L") or str(default_unit(None))}
        at_first = header.read(fields | unit | {"M": "4/4"})
        meter = missing_meter.infer(reader.read(music, at_first), at_first.header.rhythm)
        fields = fields | unit | {"M": meter}
    found = header.read(fields)
    return found.header, reader.read(music, found)


def _has_long_chord(part: Part) -> bool:
    notes = [note for bar in (*part.bars, *part.first, *part.second) for note in bar]
    shortest = min(note.written for note in notes)
    return any(len(note.pitches) > 1 and note.written > shortest for note in notes)


def _split(tune: str) -> tuple[dict[str, str], str]:
    """Each header field's first value, and the lines of the first melody after `K:`, all without comments.

    What changes before the first note is as if the header had it.
    """
    lines = [line.split("%")[0].rstrip() for line in _TEXT_FOR_PAGES.sub("", tune).split("\n")]
    found, music = split_header(lines)
    if "K" not in found:
        raise DialectError("no K: field")
    fields = {name: values[0] for name, values in found.items()}
    melody = first_melody(found.get("V", []), list(filter(None, music)))
    while melody and (field := FIELD.match(melody[0])) and field[1] in "MLKQP":
        fields[field[1]] = field[2].strip()
        del melody[0]
    return fields, "\n".join(melody)
