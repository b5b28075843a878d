"""What a header settles for the bars after it, as the words that they may be written with."""

from itertools import product

from app.grammar.lexicon import Node, lexicon
from app.grammar.meter import Meter, lengths
from app.grammar.pitch import ACCIDENTALS, pitches
from app.grammar.request import Request
from app.grammar.situation import Ground
from app.grammar.swing import swung_ticks

_ROOTS = [letter + sign for letter in "ABCDEFG" for sign in ("", "#", "b")]
_QUALITIES = ("", "m", "7", "m7", "maj7", "6", "m6", "9", "dim", "aug", "sus4")

CHORD_SYMBOLS = {
    f'{root}{quality}{bass}"': True
    for root, quality, bass in product(_ROOTS, _QUALITIES, ["", *(f"/{root}" for root in _ROOTS)])
}
"""Chord symbols (ABC standard 2.1, section 4.18) with their closing quote."""

GRACE_LENGTHS = {"": 4, "/": 8, "2": 2}
"""Lengths of grace notes; abc2midi plays them that many times faster than a note of the unit length."""


def _alike(pitches: Node[bool]) -> dict[str, str]:
    """For each letter, the first one that is a pitch with the same accidentals and octave marks."""
    first: dict[tuple[Node[bool] | None, ...], str] = {}
    return {
        letter: first.setdefault(tuple(pitches.walk(accidental + letter) for accidental in ACCIDENTALS), letter)
        for letter in "CDEFGABcdefgab"
    }


class Grounds:
    """The grounds of one alphabet, each made once."""

    def __init__(self, alphabet: str) -> None:
        self._alphabet = alphabet
        self._symbols = lexicon(CHORD_SYMBOLS, alphabet)
        self._made: dict[object, Ground] = {}

    def of(self, meter: Meter, unit: int, sharps: int, request: Request, is_swung: bool) -> Ground:
        """Those of a header and a request; the key matters only where there is a range.

        Args:
            is_swung: abc2midi makes pairs of notes uneven of itself.
        """
        has_range = request.low is not None or request.high is not None
        identity = (meter, unit, sharps if has_range else 0, request.low, request.high, request.form, is_swung)
        if identity not in self._made:
            self._made[identity] = self._make(meter, unit, identity[2], request, is_swung)
        return self._made[identity]

    def _make(self, meter: Meter, unit: int, sharps: int, request: Request, is_swung: bool) -> Ground:
        within_bar = {text: ticks for text, ticks in lengths(unit).items() if ticks <= meter.bar}
        grace_lengths = {text: -(-unit // divisor) for text, divisor in GRACE_LENGTHS.items()}
        written = lexicon(pitches(sharps, request.low, request.high), self._alphabet)
        return Ground(
            bar=meter.bar,
            tuplets=meter.tuplets,
            pitches=written,
            alike=_alike(written),
            lengths=lexicon(within_bar, self._alphabet),
            grace_lengths=lexicon(grace_lengths, self._alphabet),
            symbols=self._symbols if meter.has_chord_pattern else lexicon({}, self._alphabet),
            chord_stroke=meter.chord_stroke,
            form=request.form,
            swung=swung_ticks(meter, unit) if is_swung else 0,
            writable=frozenset(self._alphabet),
        )
