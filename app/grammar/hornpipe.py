"""Rules for hornpipes: abc2midi makes pairs of their notes uneven of itself, and reports errors for some pairs.

Where `R:` begins with hornpipe, a note off the beat is joined with the one before it, as if `>` stood between them, if
both are written of the same one length: an eighth in 4/4, a sixteenth in 2/4. A pair of which one note is part of
another pair already, of which only one is staccato, or that ends in a `~` makes it complain.
"""

from app.grammar.state import At, Body, Partner
from app.grammar.ticks import Meter


def swung_ticks(meter: Meter, unit: int) -> int:
    """Ticks of the notes that are swung; 0 for none, where the unit length is shorter: `A2` is never swung.

    Args:
        unit: ticks of a note without a length.
    """
    ticks = 2 * meter.beats
    return ticks if unit >= ticks else 0


def partner_after(state: Body, ticks: int) -> Partner | None:
    """What a note or rest of that many ticks which ends here is to the next note; None if the pair is at fault."""
    if state.at is At.REST:
        return _stale(Partner.TRIPLET if state.tuplet else state.partner)
    if state.tuplet:
        return Partner.TRIPLET
    if state.members:
        return _stale(state.partner)
    if ticks != state.context.swung:
        return Partner.NONE
    mark = Partner.STACCATO if state.mark == "." else Partner.PLAIN
    is_graced = state.grace > 0 and state.mark != "~"
    before = _stale(state.partner) if is_graced else state.partner
    if state.broken:
        return Partner.UNEVEN
    if not _is_off_beat(state) or before in (Partner.NONE, Partner.TRIPLET):
        return mark
    return Partner.UNEVEN if before is mark and state.mark != "~" else None


def shift_after(state: Body, ticks: int) -> int:
    """How far abc2midi's count of the bar is ahead of ours: it counts a chord without the length behind it."""
    unit = state.context.lengths.meaning or 0
    return (state.shift + unit - ticks) % (2 * state.context.swung) if state.members else state.shift


def _stale(partner: Partner) -> Partner:
    """The partner once a rest, chord or grace note stands between."""
    return Partner.GHOST if partner in (Partner.TRIPLET, Partner.GHOST) else Partner.NONE


def _is_off_beat(state: Body) -> bool:
    place = state.context.bar - state.left + state.shift
    return place % (2 * state.context.swung) == state.context.swung
