"""abc2midi's complaints about bars in the bars of the text, in note lengths that the metre is written in."""

import re
from dataclasses import replace
from fractions import Fraction

from app.abc.bar_spans import TextBar, text_bars
from app.abc.tunebook import header_fields
from app.errors import Fault, RequestError

_LENGTH = re.compile(r"bar \d+ holds ([\d/ ]+) beats where the metre has ([\d/ ]+)")
_NOTES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "sixteenth", 32: "thirty-second"}
_METERS = {"C": 4, "C|": 2}


def in_the_texts_bars(faults: tuple[Fault, ...], abc: str) -> list[Fault]:
    """The same complaints, with the bars that are too long or short as the text has them: abc2midi counts from 0."""
    try:
        bars = text_bars(abc)
    except RequestError:
        bars = []  # several voices: abc2midi's numbers are all that there is
    unit = _unit(abc)
    return [_placed(fault, abc, bars, unit) for fault in faults]


def _placed(fault: Fault, abc: str, bars: list[TextBar], unit: int) -> Fault:
    length = _LENGTH.search(fault.message)
    if fault.line is None or fault.column is None or not length:
        return fault
    offset = sum(len(line) + 1 for line in abc.split("\n")[: fault.line - 1]) + fault.column - 1
    number = next((bar.number for bar in reversed(bars) if bar.groups[0].begin < offset), fault.bar)
    found, wanted = (sum((Fraction(part) for part in text.split()), Fraction()) for text in length.groups())
    note = unit
    while (found.denominator > 1 or wanted.denominator > 1) and note * 2 in _NOTES:
        found, wanted, note = found * 2, wanted * 2, note * 2
    plural = "" if found == 1 else "s"
    return replace(
        fault,
        message=f"bar {number} holds {found} {_NOTES[note]} note{plural} where the metre has {wanted}",
        bar=number,
    )


def _unit(abc: str) -> int:
    """The note that the metre counts."""
    meter = header_fields(abc).get("M", "C").strip()
    denominator = _METERS.get(meter) or int(meter.rpartition("/")[2] or 4) if re.fullmatch(r"C\|?|.*/\d+", meter) else 4
    return denominator if denominator in _NOTES else 4
