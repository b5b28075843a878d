"""The `%%MIDI` instructions that are played, with their numbers in their ranges; all others are left out."""

import re

_PROGRAM = r"(?:12[0-7]|1[01]\d|\d?\d)"
_SEMITONES = r"[+-]?(?:3[0-6]|[12]?\d)"
_PLAYED = "|".join(
    (
        rf"(?:program\s+(?:(?:1[0-6]|[1-9])\s+)?|chordprog\s+|bassprog\s+){_PROGRAM}",
        rf"transpose\s+{_SEMITONES}",
        rf"control\s+(?:7|10)\s+{_PROGRAM}",
        r"gchord\s+(?:[fbczghijGHIJ][2-8]?){1,24}",
        r"gchord(?:on|off)|drumoff|nobarlines",
    )
)

PLAYED = re.compile(rf"MIDI\s+({_PLAYED})(?![^\s%])")
"""What stands after `%%`; its group is what a `Score` has of it."""


def played_directive(line: str) -> str | None:
    """What a line has a player do, as `program 73`; None for any other line."""
    match = PLAYED.match(line, 2) if line.startswith("%%") else None
    return match[1] if match else None
