"""Where the notes of a tune's bars stand in its text, and how long each lasts: for what is replaced in the text."""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from app.abc.fields import parse_meter, parse_unit
from app.abc.header import body_lines, read_header
from app.abc.meters import Meter
from app.abc.overlays import Overlay
from app.abc.tokens import parse_broken, parse_chord, parse_note, parse_rest, parse_tuplet, tokens
from app.abc.tunebook import FIELD, notation_lines


@dataclass
class TimedBar:
    """A bar of a text: `places` and `lengths`, in whole notes, of its notes and rests; overlays are left aside."""

    meter: Meter
    places: list[int] = field(default_factory=list)
    lengths: list[Fraction] = field(default_factory=list)

    @property
    def length(self) -> Fraction:
        return sum(self.lengths, Fraction(0))

    @property
    def over(self) -> Fraction:
        """By how much it is longer than its metre."""
        return max(self.length - self.meter.length, Fraction(0)) if self.meter.length else Fraction(0)

    def room_between(self, begin: int, end: int) -> Fraction:
        """How long what stands between two places of the text lasts, or in a bar that is too long: might last."""
        both = zip(self.places, self.lengths, strict=True)
        inside = sum((length for place, length in both if begin <= place < end), Fraction(0))
        return inside - self.over


def timed_bars(abc: str) -> list[TimedBar]:
    """The bars of a tune of one voice; those without notes are left out."""
    header, body = read_header(abc)[0], body_lines(abc)
    clock = _Clock(header.unit, header.meter)
    begin = len(abc) - sum(len(line) + 1 for line in body) + 1
    for _, position, line in notation_lines(body):
        if match := FIELD.match(line):
            clock.take_field(match[1], match[2])
        else:
            for token in tokens(line):
                clock.take(token.lastgroup or "", token[0], begin + position + token.start())
            clock.end_line(line)
    return [bar for bar in clock.bars if bar.places]


_WITHIN_A_BAR = frozenset({"note", "rest", "chord", "grace", "space", "decoration", "mark", "slur", "tie", "tuplet"})
_TUPLETS_OF_A_METER = re.compile(r"\([579](?!:[1-9])")
"""Those whose time the metre decides"""


def units_of(music: str) -> Fraction | None:
    """How many unit lengths some notes last; None where they hold more than notes and what stands at them."""
    clock = _Clock(Fraction(1), Meter())
    for token in tokens(music):
        if token.lastgroup not in _WITHIN_A_BAR:
            return None
        clock.take(token.lastgroup, token[0], token.start())
    return None if clock.is_in_tuplet or _TUPLETS_OF_A_METER.search(music) else clock.bars[-1].length


_EMPTY_BARS = 2
"""with which one begins: before a first bar line, and after it"""


class _Clock:
    """What has been read so far."""

    def __init__(self, unit: Fraction, meter: Meter) -> None:
        self._unit, self._meter = unit, meter
        self.bars = [TimedBar(meter)]
        self._overlay = Overlay()
        self._begin_bar()

    @property
    def is_in_tuplet(self) -> bool:
        return self._tuplet_left > 0

    def _begin_bar(self) -> None:
        self.bars.append(TimedBar(self._meter))
        self._tuplet, self._tuplet_left = Fraction(1), 0
        self._broken = Fraction(1)
        self._overlay.end()

    def take_field(self, name: str, value: str) -> None:
        if name == "L":
            self._unit = parse_unit(value) or self._unit
        elif name == "M":
            self._meter = parse_meter(value)
            if not self.bars[-1].places:
                self.bars[-1].meter = self._meter

    def take(self, kind: str, text: str, place: int) -> None:
        if kind in ("bar", "number"):
            if not self._overlay.passes(has_music=bool(self.bars[-1].places)):
                self._begin_bar()
        elif kind == "field":
            self.take_field(text[1], text[3:-1])
        elif text[0] == "&":
            has_music, bars = bool(self.bars[-1].places), len(self.bars) - _EMPTY_BARS
            self._overlay.begin(text, has_music=has_music, bars=bars)
        elif kind == "tuplet":
            if said := parse_tuplet(text, self._meter.is_compound):
                self._tuplet, self._tuplet_left = Fraction(said[1], said[0]), said[2]
        elif kind == "broken" and self.bars[-1].lengths and self._broken == 1:
            first, self._broken = parse_broken(text)
            self.bars[-1].lengths[-1] *= first
        elif (units := self._units(kind, text)) is not None:
            self._add(units * self._unit, place)

    def end_line(self, line: str) -> None:
        self._overlay.end_line(line, has_music=bool(self.bars[-1].places))

    def _units(self, kind: str, text: str) -> Fraction | None:
        """How many unit lengths a note, chord or rest lasts; None for what is none."""
        if kind == "note":
            return parse_note(text).length
        if kind == "chord":
            notes, length, _ = parse_chord(text)
            return length if notes else None
        if kind != "rest":
            return None
        bars, length_ = parse_rest(text)
        return length_ if length_ is not None else bars * (self._meter.length or Fraction(1)) / self._unit

    def _add(self, length: Fraction, place: int) -> None:
        length *= self._broken
        self._broken = Fraction(1)
        if self._tuplet_left:
            self._tuplet_left -= 1
            length *= self._tuplet
        if not self._overlay.is_on:
            self.bars[-1].places.append(place)
            self.bars[-1].lengths.append(length)
