"""Note lengths: how they are written in ABC, and which can be drawn as a note head with dots.

ABC standard 2.1, sections 4.3 (note lengths) and 4.4 (broken rhythm).
"""

from fractions import Fraction

LENGTH = r"(\d*)(/*)(\d*)"
"""What stands after a note: its numerator, slashes, denominator."""

_MAX_SLASHES = 10
_MAX_DIGITS = 6  # of a number that are minded; Python refuses to read thousands


def parse_number(digits: str, otherwise: int = 1) -> int:
    """A number among notes, of its first six digits at most.

    Args:
        otherwise: what it is where it is not written.
    """
    return int(digits[:_MAX_DIGITS]) if digits else otherwise


def parse_length(digits: str, slashes: str, divisor: str) -> Fraction:
    """`3/2`, `/`, `//` as a multiple of the unit length; nought below the line counts as one."""
    numerator = parse_number(digits)
    if divisor:
        return Fraction(numerator, parse_number(divisor) or 1)
    return Fraction(numerator, 2 ** min(len(slashes), _MAX_SLASHES))


def write_length(units: Fraction) -> str:
    """The shortest way to write a length, in units, after a note."""
    above = "" if units.numerator == 1 else str(units.numerator)
    below = {1: "", 2: "/" if units.numerator == 1 else "/2"}.get(units.denominator, f"/{units.denominator}")
    return above + below


def broken_shares(sign: str) -> tuple[Fraction, Fraction]:
    """By how much `>`, `<`, `>>` multiplies the note before it and the one after it."""
    short = Fraction(1, 2 ** len(sign))
    return (2 - short, short) if sign[0] == ">" else (short, 2 - short)


def is_power_of_two(number: int) -> bool:
    """Whether it is 1, 2, 4, 8 …"""
    return number > 0 and number & (number - 1) == 0


def is_note_value(length: Fraction, max_dots: int) -> bool:
    """Whether one note head of a whole note or less lasts as long, in whole notes, with at most that many dots."""
    for dots in range(max_dots + 1):
        head = length / Fraction(2 ** (dots + 1) - 1, 2**dots)
        if head.numerator == 1 and is_power_of_two(head.denominator):
            return True
    return False
