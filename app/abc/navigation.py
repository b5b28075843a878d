"""Where D.C. and D.S. lead a tune, with Fine and Coda: ABC 2.1, section 4.14.

After the leap repeats are not taken again, and of endings the last, as players do. What does not lead to one order
beyond doubt is not followed.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from app.abc.repeats import repeated
from app.abc.score import Bar, Leap, Voice

_GOALS = {
    "D.C.": "", "dacapo": "", "D.C.alfine": "fine", "D.C.alcoda": "coda",
    "D.S.": "", "D.S.alfine": "fine", "D.S.alcoda": "coda",
}  # fmt: skip
"""Decorations that lead back, and to what one goes on from there, where they say it."""

SIGNS = frozenset({"segno", "coda", "fine", "dacoda", *_GOALS})
"""Decorations that are of a place in the tune, not of a note."""

AT_ENDS = SIGNS - {"segno", "coda"}
"""Those of them that are of the end of what stands before them."""

STOP = "fermata"
"""At a bar line, of no note, it is where a D.C. or D.S. ends that names no Fine, as old prints have it."""

AT_BAR_LINES = SIGNS | {STOP}
"""What may stand at a bar's end without a note."""

_NAMES = {name.lower(): name for name in SIGNS}


def named(text: str) -> str:
    """A decoration by its name, however it is written: `D.C. al Fine` is `D.C.alfine`."""
    plain = text.replace(" ", "").lower()
    if plain.startswith(("dc", "ds")):
        plain = f"{plain[0]}.{plain[1]}.{plain[2:].lstrip('.')}"
    return _NAMES.get(plain, text)


class UnclearError(Exception):
    """It is not beyond doubt where the signs of a tune lead, and why."""


@dataclass(frozen=True)
class _Sign:
    """A sign, and whether it stands at the first or the last note of its bar, or at its end."""

    name: str
    bar: int
    is_first: bool
    is_last: bool

    @property
    def begun(self) -> int:
        """The bar that begins where the sign is."""
        if self.is_first or self.is_last:
            return self.bar if self.is_first else self.bar + 1
        raise UnclearError(f"{self.name} stands within a bar")

    @property
    def ended(self) -> int:
        """The bar that ends where the sign is."""
        if self.name == "coda" and self.is_first != self.is_last:
            return self.bar - 1 if self.is_first else self.bar
        if self.name != "coda" and self.is_last:
            return self.bar
        raise UnclearError(f"{self.name} stands before the end of its bar")


def settle(voices: list[Voice], *, has_parts: bool) -> tuple[int, int] | None:
    """Give each voice the leap that the signs of one or of each make, where all come to be as long.

    Args:
        voices: of one tune, their repeats shared.
        has_parts: whether a `P:` field puts parts in order.

    Returns:
        A voice and a bar of it whose leap is not followed, as it is not beyond doubt where it leads; None if all is.
    """
    signs = [_signs(voice.bars) for voice in voices]
    leaping = ((number, sign.bar) for number, own in enumerate(signs) for sign in own if sign.name in _GOALS)
    first = next(leaping, None)
    if first is None:
        return None
    try:
        leaps = _leaps(voices, signs, first[0], has_parts=has_parts)
    except UnclearError:
        return first
    for voice, leap in zip(voices, leaps, strict=True):
        voice.leap = leap
    return None


def _leaps(voices: list[Voice], signs: list[list[_Sign]], first: int, *, has_parts: bool) -> list[Leap]:
    """The leap of each voice, of one without signs that of the first that has them, where its bars are as long."""
    if has_parts:
        raise UnclearError("parts are in an order of their own")
    lengths = [[(bar.length, bar.count) for bar in voice.bars] for voice in voices]
    leaps = [
        _leap(voice.bars, signs[first] if not own and lengths[number] == lengths[first] else own)
        for number, (voice, own) in enumerate(zip(voices, signs, strict=True))
    ]
    if len({_played_length(voice, leap) for voice, leap in zip(voices, leaps, strict=True)}) > 1:
        raise UnclearError("the voices come to be of different lengths")
    return leaps


def with_leap(order: list[int], leap: Leap) -> list[int]:
    """The order in which bars sound, with what a leap adds.

    Args:
        order: in which they sound by repeats and endings alone, as indices.
        leap: whose bar is among them.
    """
    after = len(order) - order[::-1].index(leap.bar)
    again = [index for index in _last_time_through(order) if leap.start <= index <= leap.until]
    return [*order[:after], *again, *order[after:]]


def _last_time_through(order: list[int]) -> list[int]:
    """The bars that a tune has without its repeats: of each passage the last."""
    found: list[int] = []
    for index in order:
        while found and found[-1] >= index:
            found.pop()
        found.append(index)
    return found


def _leap(bars: list[Bar], signs: list[_Sign]) -> Leap:
    """What the signs of a voice make.

    Raises:
        UnclearError: it is not beyond doubt.
    """
    leaps = [sign for sign in signs if sign.name in _GOALS]
    if len(leaps) != 1:
        raise UnclearError("there is not one of them in each voice")
    (leap,) = leaps
    order = repeated(bars, 0, len(bars)).order
    once = _last_time_through(order)
    if leap.ended not in once:
        raise UnclearError("it stands in an ending that is not the last")
    rest = order[len(order) - order[::-1].index(leap.bar) :]
    start = _only(signs, "segno").begun if leap.name.startswith("D.S.") else 0
    stops = next((name for name in ("fine", STOP) if any(sign.name == name for sign in signs)), "")
    goal = _GOALS[leap.name] or stops or ("coda" if rest else "")
    until = leap.bar
    if goal == "coda":
        until, coda = _codas(signs)
        if rest[:1] != [coda]:
            raise UnclearError("it is not the coda that follows")
    elif rest:
        raise UnclearError("bars follow that one does not come to")
    elif goal:
        until = _only(signs, goal).ended
    if not start <= until <= leap.bar or start not in once or until not in once:
        raise UnclearError("one does not come to where it leads")
    return Leap(leap.bar, start, until)


def _only(signs: list[_Sign], name: str) -> _Sign:
    found = [sign for sign in signs if sign.name == name]
    if len(found) != 1:
        raise UnclearError(f"there is not one {name}")
    return found[0]


def _codas(signs: list[_Sign]) -> tuple[int, int]:
    """The bar after which one leaves for the coda, and the coda's first."""
    leaving = [sign for sign in signs if sign.name == "dacoda"]
    codas = [sign for sign in signs if sign.name == "coda"]
    if len(leaving) + len(codas) != 2 or not codas:
        raise UnclearError("there is not one way to one coda")
    return (leaving or codas)[0].ended, codas[-1].begun


def _signs(bars: list[Bar]) -> list[_Sign]:
    found = []
    for index, bar in enumerate(bars):
        sounding = [at for at, chord in enumerate(bar.chords) if chord.pitches]
        last = sounding[-1] if sounding else 0
        found += [
            _Sign(name, index, is_first=at == 0, is_last=at >= last)
            for at, chord in enumerate(bar.chords)
            for name in chord.decorations
            if name in SIGNS
        ]
        found += [
            _Sign(name, index, is_first=False, is_last=True) for name in bar.end_decorations if name in AT_BAR_LINES
        ]
    return found


def _played_length(voice: Voice, leap: Leap) -> Fraction:
    times = Counter(with_leap(repeated(voice.bars, 0, len(voice.bars)).order, leap))
    bars = ((voice.bars[index], count) for index, count in times.items())
    return sum((bar.length * bar.count * count for bar, count in bars), Fraction(0))
