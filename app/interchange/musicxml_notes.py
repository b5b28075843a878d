"""Reads notes of MusicXML into the chords of a voice's bar: how long they sound, their tuplets and slurs."""

from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from xml.etree.ElementTree import Element

from app.abc.lengths import is_power_of_two
from app.abc.pitch import Pitch
from app.abc.score import Chord, Tuplet
from app.interchange import musicxml_values as values
from app.interchange.musicxml_marks import TYPES

_MAX_DOTS = 4
_HEADS = {name: length for length, name in TYPES.items()}
_MAX_TUPLET = 99


@dataclass
class Line:
    """The chords of one voice in one measure, and how far they reach, in whole notes."""

    chords: list[Chord] = field(default_factory=list)
    unbeamed: list[int] = field(default_factory=list)
    """the places of those whose beam says nothing"""
    end: Fraction = Fraction(0)

    def add(self, chord: Chord, beam: str, end: Fraction) -> None:
        """Add a chord, and say where it ends."""
        chord.joins_next = beam in ("begin", "continue")
        if not beam:
            self.unbeamed.append(len(self.chords))
        self.chords.append(chord)
        self.end = end


@dataclass
class _Group:
    """The notes of a tuplet as far as it has come, their lengths as they are drawn."""

    ratio: tuple[int, int]
    count: int = 0
    total: Fraction = Fraction(0)
    longest: Fraction = Fraction(0)

    def add(self, length: Fraction) -> None:
        """Count a note."""
        self.count += 1
        self.total += length
        self.longest = max(self.longest, length)

    @property
    def is_filled(self) -> bool:
        """Whether its notes are as long as it is: so many notes of one head."""
        single = self.total / self.ratio[0]
        return single.numerator == 1 and is_power_of_two(single.denominator) and single >= self.longest / 2


@dataclass
class BeforeNote:
    """What stands before a note and is of the next one."""

    symbol: str | None = None
    annotations: list[str] = field(default_factory=list)
    decorations: list[str] = field(default_factory=list)
    tempo: float | None = None
    graces: list[Pitch] = field(default_factory=list)

    def give(self, chord: Chord) -> None:
        """Hand it on to a chord."""
        chord.symbol, chord.tempo = self.symbol or chord.symbol, self.tempo or chord.tempo
        chord.annotations, chord.decorations = tuple(self.annotations), (*self.decorations, *chord.decorations)
        chord.graces = tuple(self.graces)


class Tuplets:
    """The tuplets that are being written, by staff and voice."""

    def __init__(self) -> None:
        self._begun: dict[tuple[int, str], _Group] = {}

    def count(self, chord: Chord, ratio: tuple[int, int] | None, element: Element, line: tuple[int, str]) -> None:
        """Count a note as one of a tuplet, until that is filled."""
        group = self._begun.pop(line, None)
        if ratio is None:
            return
        if group is None or group.ratio != ratio:
            group = _Group(ratio)
        told = {each.get("type") for each in element.findall("notations/tuplet")}
        chord.tuplet = Tuplet(*ratio)
        group.add(chord.written_length)
        stops = "stop" in told or (not told and group.is_filled)
        chord.tuplet = Tuplet(*ratio, starts=group.count == 1, stops=stops)
        if not stops:
            self._begun[line] = group


class Slurs:
    """The slurs that are open, by number."""

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def take(self, chord: Chord, notations: Element) -> None:
        """Begin and end those that begin and end at a note."""
        for slur in notations.findall("slur"):
            number = slur.get("number", "1")
            if slur.get("type") == "start" and chord.pitches:
                chord.slurs_begun += 1
                self._open[number] = self._open.get(number, 0) + 1
            elif slur.get("type") == "stop" and self._open.get(number):
                chord.slurs_ended += 1
                self._open[number] -= 1


def lasting(element: Element, length: Fraction) -> tuple[Fraction, tuple[int, int] | None]:
    """How long a note sounds, and in which tuplet.

    Args:
        length: its duration, which may have been rounded; its head then says.
    """
    change = element.find("time-modification")
    ratio = None
    if change is not None:
        actual, normal = (
            values.number_of(change, "actual-notes") or 0,
            values.number_of(change, "normal-notes") or 0,
        )
        if 0 < actual <= _MAX_TUPLET and 0 < normal <= _MAX_TUPLET and actual != normal:
            shared = gcd(actual, normal) if actual > 9 else 1
            ratio = (actual // shared, normal // shared)
    scale = Fraction(ratio[1], ratio[0]) if ratio else Fraction(1)
    is_odd = ratio is not None or not is_power_of_two(length.denominator)
    if is_odd and (head := _HEADS.get(values.text_of(element, "type"))):
        dots = min(_MAX_DOTS, len(element.findall("dot")))
        length = head * Fraction(2 ** (dots + 1) - 1, 2**dots) * scale
    return length, ratio
