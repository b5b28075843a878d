"""What a header decides for the bars after it: the pitches, lengths, tuplets and chord symbols that may be written."""

from dataclasses import replace
from itertools import product

from app.abc.pitch import ACCIDENTALS, ALTERATIONS, STEPS
from app.grammar.dawg import Node, lexicon
from app.grammar.hornpipe import swung_ticks
from app.grammar.pitch import pitches
from app.grammar.request import Form, Request
from app.grammar.state import TuneContext
from app.grammar.ticks import TICKS_PER_WHOLE, Meter, lengths

_ROOTS = [letter + sign for letter in sorted(STEPS) for sign in ALTERATIONS]
_QUALITIES = ("", "m", "7", "m7", "maj7", "6", "m6", "9", "dim", "aug", "sus4")

CHORD_SYMBOLS = {
    f'{root}{quality}{bass}"': True
    for root, quality, bass in product(_ROOTS, _QUALITIES, ["", *(f"/{root}" for root in _ROOTS)])
}
"""Chord symbols (ABC standard 2.1, section 4.18) with their closing quote."""

COMMON_BAR = 16 * TICKS_PER_WHOLE
Range = tuple[int, int | None, int | None]  # sharps of the key, lowest and highest note

GRACE_LENGTHS = {"": 4, "/": 8, "2": 2}
"""Lengths of grace notes; abc2midi plays them that many times faster than a note of the unit length."""


def _canonical_letters(pitches: Node[bool]) -> dict[str, str]:
    """For each letter, the first one that is a pitch with the same accidentals and octave marks."""
    first: dict[tuple[Node[bool] | None, ...], str] = {}
    return {
        letter: first.setdefault(tuple(pitches.walk(sign + letter) for sign in ("", *ACCIDENTALS)), letter)
        for letter in STEPS + STEPS.lower()
    }


class TuneContexts:
    """The contexts of one alphabet, each built once; they share equal parts, so that their states are equal."""

    def __init__(self, alphabet: str) -> None:
        self._alphabet = alphabet
        self._symbols = lexicon(CHORD_SYMBOLS, alphabet)
        self._made: dict[object, TuneContext] = {}

    def of(self, meter: Meter, unit: int, sharps: int, request: Request, is_swung: bool) -> TuneContext:
        """Those of a header and a request; the key matters only where there is a range.

        Args:
            is_swung: abc2midi makes pairs of notes uneven of itself.
        """
        has_range = request.low is not None or request.high is not None
        within = (sharps if has_range else 0, request.low, request.high)
        swung = swung_ticks(meter, unit) if is_swung else 0
        form = request.form
        identity = (meter, unit, within, form, swung)
        if identity not in self._made:
            common = self._common(meter, unit, within, swung)
            self._made[identity] = replace(
                common,
                bar=meter.bar,
                symbols=self._symbols if meter.has_chord_pattern else lexicon({}, self._alphabet),
                chord_stroke=meter.chord_stroke,
                form=form,
                common=common,
            )
        return self._made[identity]

    def with_form(self, context: TuneContext, form: Form) -> TuneContext:
        """One that differs in its form alone."""
        identity = (context, form)
        if identity not in self._made:
            self._made[identity] = replace(context, form=form)
        return self._made[identity]

    def _common(self, meter: Meter, unit: int, within: Range, swung: int) -> TuneContext:
        """That of all metres with the same tuplets; its bar is longer than any."""
        identity = (tuple(meter.tuplets.items()), unit, within, swung)
        if identity in self._made:
            return self._made[identity]
        written = lexicon(pitches(*within), self._alphabet)
        grace_lengths = {text: -(-unit // divisor) for text, divisor in GRACE_LENGTHS.items()}
        self._made[identity] = TuneContext(
            bar=COMMON_BAR,
            tuplets=meter.tuplets,
            pitches=written,
            canonical_letter=_canonical_letters(written),
            lengths=lexicon(lengths(unit), self._alphabet),
            grace_lengths=lexicon(grace_lengths, self._alphabet),
            symbols=self._symbols,
            chord_stroke=1,
            form=None,
            swung=swung,
            writable=frozenset(self._alphabet),
        )
        return self._made[identity]
