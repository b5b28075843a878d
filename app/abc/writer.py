"""Writes tunes as plain ABC 2.1: four bars to a line, each repeated part with both its signs.

Accidentals are written so that it makes no difference whether one holds in all octaves (ABC 2.1, section 4.2) or, as
some read it, in its own alone.
"""

from collections.abc import Iterator
from fractions import Fraction

from app.abc.keys import Key
from app.abc.lengths import write_length
from app.abc.pitch import SIGNS, Pitch, write_place
from app.abc.plain import Bar, Header, Note, Part, Tune, length_of
from app.abc.written_subset import FIELD_ORDER

BARS_A_LINE = 4


def write(tune: Tune) -> str:
    """The tune's text, without a line end."""
    return "\n".join([*_header(tune.header), *_lines(tune)])


def _header(header: Header) -> Iterator[str]:
    """The fields in order; every tune is number 1, for a number says nothing of its music."""
    values = {
        "X": "1",
        "T": header.title,
        "R": header.rhythm,
        "M": header.meter,
        "L": str(header.unit),
        "K": header.key.name,
    }
    return (f"{name}:{values[name]}" for name in FIELD_ORDER if values[name])


def _lines(tune: Tune) -> Iterator[str]:
    bar_length, unit = Fraction(tune.header.meter), tune.header.unit
    spelling = Spelling(tune.header.key)
    line, count = "", 0
    for part, mark_after in zip(tune.parts, _marks_after(tune.parts), strict=True):
        line += "|:" if part.repeated and not line.endswith("|:") else ""
        for bar, mark in _marked(part, mark_after):
            line += _bar(bar, spelling, unit) + mark
            count += bar is not part.bars[0] or length_of(bar) == bar_length
            if count >= BARS_A_LINE and mark == "|":
                yield line
                line, count = "", 0
        if mark_after != "|:":
            yield line
            line, count = "", 0


def _marks_after(parts: tuple[Part, ...]) -> list[str]:
    """How each part ends; `|:` where a pickup stands before a repeat."""
    marks = []
    for part, following in zip(parts, [*parts[1:], None], strict=True):
        if part.repeated and not part.first:
            marks.append(":|")
        elif following is None:
            marks.append("|]")
        elif len(part.bars) == 1 and following.repeated:
            marks.append("|:")
        else:
            marks.append("||")
    return marks


def _marked(part: Part, mark_after: str) -> Iterator[tuple[Bar, str]]:
    """The part's bars with the marks after them."""
    yield from ((bar, "|") for bar in part.bars[:-1])
    if part.first:
        yield part.bars[-1], "|1 "
        yield from ((bar, "|") for bar in part.first[:-1])
        yield part.first[-1], ":|2 "
        yield from ((bar, "|") for bar in part.second[:-1])
        yield part.second[-1], mark_after
    else:
        yield part.bars[-1], mark_after


def _bar(bar: Bar, spelling: "Spelling", unit: Fraction) -> str:
    spelling.begin_bar()
    return "".join(_note(note, spelling, unit) for note in bar).lstrip()


def _note(note: Note, spelling: "Spelling", unit: Fraction) -> str:
    grace = "".join(spelling.spell(pitch) for pitch in note.grace)
    pitches = [spelling.spell(pitch, tied=note.tied) for pitch in note.pitches]
    spelling.end_note(tied=note.tied)
    head = "z" if not pitches else pitches[0] if len(pitches) == 1 else f"[{''.join(pitches)}]"
    return "".join(
        (
            " " if note.spaced else "",
            f"({note.tuplet}" if note.tuplet else "",
            f"{{{grace}}}" if grace else "",
            head,
            write_length(note.written / unit),
            "-" if note.tied else "",
            note.broken,
        )
    )


class Spelling:
    """The accidentals that are in force, by either of the two conventions."""

    def __init__(self, key: Key) -> None:
        self._held: dict[int, bool] = {}  # place of a tied note: whether its accidental was written
        self._written: dict[int, bool] = {}
        self.turn_to(key)

    def turn_to(self, key: Key) -> None:
        """Go on in another key."""
        self._key = key
        self._of_step: dict[str, int] = {}
        self._of_place: dict[int, int] = {}

    def begin_bar(self) -> None:
        """Say that a bar line stands here."""
        self._of_step, self._of_place = {}, {}

    def end_note(self, *, tied: bool) -> None:
        """Say that the pitches since the last call are one note, or chord."""
        self._held = self._written if tied else {}
        self._written = {}

    def spell(self, pitch: Pitch, *, tied: bool = False) -> str:
        """A pitch as it is written here; both ends of a tie alike."""
        usual = self._key.alter(pitch.step)
        in_force = {self._of_step.get(pitch.step, usual), self._of_place.get(pitch.place, usual)}
        is_written = pitch.written is not None or in_force != {pitch.alter} or (tied and pitch.alter != usual)
        is_written = is_written or self._held.get(pitch.place, False)
        self._written[pitch.place] = is_written
        if is_written:
            self._of_step[pitch.step] = self._of_place[pitch.place] = pitch.alter
        return (SIGNS[pitch.alter] if is_written else "") + write_place(pitch.place)
