"""Writes tunes as plain ABC 2.1: four bars to a line, each repeated part with both its signs.

Accidentals are written so that it makes no difference whether one holds in all octaves (ABC 2.1, section 4.2) or, as
some read it, in its own alone.
"""

from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

from training.dialect import header
from training.dialect.notation import LETTERS, Bar, Key, Note, Part, Pitch, Tune, length_of

BARS_A_LINE = 4

_SIGNS = {2: "^^", 1: "^", 0: "=", -1: "_", -2: "__"}


def write(tune: Tune) -> str:
    """The tune's text, without a line end."""
    return header.write(tune.header) + "\n" + "\n".join(_lines(tune))


def _lines(tune: Tune) -> Iterator[str]:
    bar_length, unit = Fraction(tune.header.meter), tune.header.unit
    spelling = _Spelling(tune.header.key)
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


def _bar(bar: Bar, spelling: "_Spelling", unit: Fraction) -> str:
    spelling.begin_bar()
    return "".join(_note(note, spelling, unit) for note in bar).lstrip()


def _note(note: Note, spelling: "_Spelling", unit: Fraction) -> str:
    grace = "".join(spelling.spell(pitch) for pitch, _ in note.grace)
    pitches = [spelling.spell(pitch, tied=note.tied) for pitch in note.pitches]
    spelling.end_note(note)
    head = "z" if not pitches else pitches[0] if len(pitches) == 1 else f"[{''.join(pitches)}]"
    return "".join(
        (
            " " if note.spaced else "",
            f"({note.tuplet}" if note.tuplet else "",
            f"{{{grace}}}" if grace else "",
            head,
            length_text(note.written / unit),
            "-" if note.tied else "",
            note.broken,
        )
    )


@lru_cache
def length_text(units: Fraction) -> str:
    """What stands after a note that lasts so many units."""
    above = "" if units.numerator == 1 else str(units.numerator)
    below = {1: "", 2: "/" if units.numerator == 1 else "/2"}.get(units.denominator, f"/{units.denominator}")
    return above + below


class _Spelling:
    """The accidentals that are in force, by either of the two conventions."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._of_letter: dict[str, int] = {}
        self._of_step: dict[int, int] = {}
        self._held: dict[int, bool] = {}  # step of a tied note: whether its accidental was written
        self._written: dict[int, bool] = {}

    def begin_bar(self) -> None:
        self._of_letter, self._of_step = {}, {}

    def end_note(self, note: Note) -> None:
        self._held = self._written if note.tied else {}
        self._written = {}

    def spell(self, pitch: Pitch, *, tied: bool = False) -> str:
        """A pitch as it is written here; both ends of a tie alike."""
        usual = self._key.alter(pitch.letter)
        in_force = {self._of_letter.get(pitch.letter, usual), self._of_step.get(pitch.step, usual)}
        is_written = pitch.marked or in_force != {pitch.alter} or (tied and pitch.alter != usual)
        is_written = is_written or self._held.get(pitch.step, False)
        self._written[pitch.step] = is_written
        if is_written:
            self._of_letter[pitch.letter] = self._of_step[pitch.step] = pitch.alter
        octave, index = divmod(pitch.step, 7)
        name = LETTERS[index].lower() + "'" * (octave - 1) if octave > 0 else LETTERS[index] + "," * -octave
        return (_SIGNS[pitch.alter] if is_written else "") + name
