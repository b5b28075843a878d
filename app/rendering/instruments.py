"""What players of an instrument do with notes: how they part them, and which ornaments lie under their fingers."""

from dataclasses import dataclass

PIPES = 109
_LOW_D = 62


@dataclass(frozen=True)
class Instrument:
    """Habits, at full feel.

    `held` is the share of a note that sounds before the next; `cut` how many steps of the scale above a note it is cut
    from, 0 where notes are not cut. Box players cut from the button above, pipers, fluters and whistle players mostly
    from a finger further up; harps, pianos and guitars are left to ring.
    """

    held: float
    cut: int = 0
    rolls: bool = False
    triplets: bool = False
    breathes: bool = False
    slurs: bool = False
    lowest: int = 0
    """the lowest note as it is written, which cannot be tapped from below"""


_BOWED = Instrument(0.92, cut=1, rolls=True, triplets=True, slurs=True)
_REEDS = Instrument(0.84, cut=1, triplets=True)
_WINDS = Instrument(0.93, cut=2, rolls=True, breathes=True, lowest=_LOW_D)
_PIPES = Instrument(1.0, cut=2, rolls=True, lowest=_LOW_D)
_PICKED = Instrument(1.0, triplets=True)
_RINGING = Instrument(1.0)
_OTHER = Instrument(0.95)

_FAMILIES = (
    (range(8), _RINGING),  # pianos
    (range(8, 16), _RINGING),  # bells
    (range(20, 24), _REEDS),
    (range(24, 32), _PICKED),  # guitars
    (range(40, 45), _BOWED),
    (range(45, 48), _RINGING),  # harp
    (range(72, 80), _WINDS),
    (range(104, 108), _PICKED),  # banjo
    (range(PIPES, PIPES + 1), _PIPES),
    (range(110, 111), _BOWED),
)


def instrument_of(program: int) -> Instrument:
    """The habits of a General MIDI instrument's players."""
    return next((habits for programs, habits in _FAMILIES if program in programs), _OTHER)
