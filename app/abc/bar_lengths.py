"""Finds bars that do not add up to their metre; pickups, and what completes them, are no fault."""

from collections.abc import Iterator
from fractions import Fraction

from app.abc.meters import Meter
from app.abc.score import Bar, Voice
from app.errors import Fault

_NOTES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "sixteenth", 32: "thirty-second"}


def misfits(voice: Voice, meter: Meter, places: list[tuple[int, int]]) -> Iterator[Fault]:
    """A fault for each bar that is longer than its metre, or shorter between two plain bar lines or for no pickup.

    Args:
        voice: whose bars they are.
        meter: at its beginning.
        places: line and column at which each bar begins, 1-based.
    """
    bars = voice.bars
    number = int(bool(bars) and (meter.length is None or bars[0].length >= meter.length))
    for index, (bar, (line, column)) in enumerate(zip(bars, places, strict=True)):
        meter = bar.meter or meter
        whole = meter.length
        if whole is not None and bar.length != whole:
            if bar.length > whole or _is_inner(bars, index):
                yield Fault(_message(number, bar.length, meter), line=line, column=column, bar=number)
            elif index == 0 and _is_no_pickup(bars, whole):
                message = f"{_message(number, bar.length, meter)}, and no end completes it as a pickup"
                yield Fault(message, line=line, column=column, bar=number)
        number += bar.count


def _is_inner(bars: list[Bar], index: int) -> bool:
    """Whether a bar stands between two plain bar lines."""
    if index in (0, len(bars) - 1):
        return False
    before, bar, after = bars[index - 1 : index + 2]
    return _is_plain(before, bar) and _is_plain(bar, after)


def _is_no_pickup(bars: list[Bar], whole: Fraction) -> bool:
    """Whether the first bar is more than half of one, and no end completes it; 7 of 3,800 known pickups are so."""
    if len(bars) == 1 or 2 * bars[0].length <= whole:
        return False
    end = next((bar for bar in bars if bar.closes_repeat or bar.ends_ending), bars[-1])
    return all((bars[0].length + last.length) % whole for last in (end, bars[-1]))


def _is_plain(bar: Bar, after: Bar) -> bool:
    """Whether a plain bar line stands between two bars."""
    is_sign = bar.closes_repeat or bar.ends_ending or after.opens_repeat or after.ending or after.part
    return bar.line_style == "|" and not is_sign


def _message(number: int, length: Fraction, meter: Meter) -> str:
    note = 4 if meter.sign else meter.unit
    found, wanted = length * note, (meter.length or length) * note
    while (found.denominator > 1 or wanted.denominator > 1) and note * 2 in _NOTES:
        found, wanted, note = found * 2, wanted * 2, note * 2
    name = _NOTES.get(note, f"1/{note}")
    plural = "" if found == 1 else "s"
    return f"bar {number} holds {found} {name} note{plural} where the metre has {wanted}"
