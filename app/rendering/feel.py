"""How players differ from the grid: accents, phrases, uneven eighths, notes that are parted; nothing is by chance.

Listeners like steady inequality and dynamics and dislike random deviations (Davies and others 2013, Senn and others
2016), so each rule is a function of where a note stands. All are written at full feel and taken in proportion.

Sources: the stress programs that BarFly had and abcmidi keeps (`stresspat.c`) for accents and for the shares of a
beat; Friberg and Sundström (Music Perception 19, 2002) for short notes that stay near 100 ms, however fast; fiddle
tutors for bows that cross the beat in jigs and go three, three, one, one in reels; flute tutors for breaths.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import inf, pi, sin

from app.abc.playing_order import PlayedBar
from app.rendering.instruments import Instrument
from app.rendering.layout import Layout
from app.rendering.midi_events import Note

_SOFTEST, _RANGE = 70.0, 38.0  # velocities of the weakest and, above it, of the strongest places
_SWELL, _BACKING_SWELL, _PHRASE_BARS = 8.0, 2.0, 4
_BREATH_S, _BOW_CHANGE_S, _MAX_GAP_S = 0.14, 0.05, 0.06
_MAX_BREATH = 0.25  # of a note
_SLURRED = 0.94  # a note that no bow begins
_MIN_EIGHTH_S = 0.1
_HELD_AT_THE_END_S = 0.5
_NEARLY = 0.05  # of an eighth
_MARKED_BEATS = (105, 95, 80)
"""abc2midi's velocities at forte, once a text has said how loud it is: a bar's first note, those on beats, others"""
_DYNAMICS = {"pppp", "ppp", "pp", "p", "mp", "mf", "f", "ff", "fff", "ffff", "crescendo(", "<(", "diminuendo(", ">("}
_LAST_IS_SOFTER = 6


@dataclass(frozen=True)
class Style:
    """How a kind of dance is stressed and timed.

    `accents` are the strengths of a bar's eighths, 0–1, the pattern going on in longer bars; `shares` how long the
    eighths of a beat are beside one another.
    """

    accents: tuple[float, ...]
    shares: tuple[float, ...] = (1.0, 1.0)


_REEL = Style((1.0, 0.35, 0.6, 0.4, 0.85, 0.35, 0.6, 0.4), (1.1, 0.9))
_HORNPIPE = Style((1.0, 0.3, 0.7, 0.35, 0.9, 0.3, 0.7, 0.4), (1.4, 0.6))
_JIG = Style((1.0, 0.35, 0.6, 0.85, 0.35, 0.6), (1.2, 0.7, 1.1))
_THREE = Style((1.0, 0.4, 0.6, 0.4, 0.65, 0.45))
_COMPOUND = Style((1.0, 0.4, 0.55, 0.85, 0.4, 0.55), (1.1, 0.85, 1.05))
_EVEN = Style((1.0, 0.4, 0.65, 0.4, 0.85, 0.4, 0.65, 0.4))

_STYLES = {
    "reel": _REEL,
    **dict.fromkeys(("hornpipe", "set dance", "clog", "fling", "barndance", "barn dance", "schottische"), _HORNPIPE),
    "strathspey": Style(_HORNPIPE.accents),  # dotted as it is written
    **dict.fromkeys(("jig", "double jig", "single jig"), _JIG),
    "slip jig": Style((1.0, 0.35, 0.6, 0.8, 0.35, 0.55, 0.85, 0.35, 0.6), (1.25, 0.65, 1.1)),  # less than BarFly's
    "hop jig": Style((1.0, 0.35, 0.6, 0.8, 0.35, 0.55, 0.85, 0.35, 0.6), (1.25, 0.65, 1.1)),
    "slide": Style((1.0, 0.3, 0.45, 0.8, 0.3, 0.45), (1.3, 0.8, 0.9)),
    "polka": Style((0.85, 0.7, 0.8, 0.95)),  # the off-beat comes out
    "march": Style((1.0, 0.4, 0.65, 0.4, 0.85, 0.4, 0.65, 0.4), (1.1, 0.9)),
    "waltz": _THREE,
    "three-four": _THREE,
    "mazurka": Style((0.85, 0.4, 1.0, 0.4, 0.75, 0.4)),
    "compound": _COMPOUND,
}


def style_of(layout: Layout) -> Style:
    """The style of a tune's dance; for a dance in a metre that is not its own, that of the metre."""
    style = _STYLES.get(layout.dance.name, _EVEN)
    if layout.is_compound == (len(style.shares) == 3):
        return style
    return _COMPOUND if layout.is_compound else Style(_EVEN.accents)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a note stands: its bar, and how many eighths from where the whole bar would begin."""

    bar: PlayedBar
    eighths: float


def places(notes: list[Note], layout: Layout) -> list[Place]:
    """Where each note stands."""
    starts = [layout.start(bar) for bar in layout.bars]
    found = []
    for note in notes:
        at = max(0, bisect_right(starts, note.start + 1) - 1)
        bar = layout.bars[at]
        found.append(Place(bar, (note.start - starts[at] + layout.ticks(bar.offset)) / layout.eighth))
    return found


def accented(notes: list[Note], layout: Layout, feel: float) -> list[Note]:
    """Each as strong as its place in the bar and in the phrase, and as loud as is written; ornaments are softer."""
    accents = style_of(layout).accents
    made = []
    marks = _first_marks(layout)
    is_marked = False
    for note, place in zip(notes, places(notes, layout), strict=True):
        is_marked = is_marked or marks.get(place.bar.index, inf) <= place.eighths + _NEARLY
        louder = _written_dynamics(note, place, layout) if is_marked else 0
        strength = accents[int(place.eighths + 0.05) % len(accents)]
        target = _SOFTEST + _RANGE * strength + _swell(place, layout) - note.softer + louder
        made.append(note.struck(note.velocity + feel * (target - note.velocity)))
    return made


def _first_marks(layout: Layout) -> dict[int, float]:
    """Where bars of the score first say how loud it is, in eighths, by their index."""
    found: dict[int, float] = {}
    for bar in {bar.index: bar for bar in layout.bars}.values():
        position = bar.offset
        for chord in bar.bar.chords:
            if not _DYNAMICS.isdisjoint(chord.decorations):
                found[bar.index] = layout.ticks(position) / layout.eighth
                break
            position += chord.length
    return found


def _written_dynamics(note: Note, place: Place, layout: Layout) -> int:
    """By how much a note is louder than at its place at forte."""
    beats = place.eighths * layout.eighth / layout.ticks(Fraction(1, place.bar.meter.unit))
    first, strong, other = _MARKED_BEATS
    usual = first if beats < _NEARLY else strong if abs(beats - round(beats)) < _NEARLY else other
    return note.velocity - usual


def _swell(place: Place, layout: Layout) -> float:
    """A phrase rises to its middle."""
    if place.bar.number < 0 or not place.bar.meter.length:
        return 0.0
    eighths = layout.ticks(place.bar.meter.length) / layout.eighth
    bars = place.bar.number % _PHRASE_BARS + min(1.0, place.eighths / eighths)
    return _SWELL * (sin(pi * bars / _PHRASE_BARS) - 0.5)


def swelled(notes: list[Note], layout: Layout, feel: float) -> list[Note]:
    """What accompanies, growing with the tune's phrases; more than they do, since a pattern is always the same."""
    return [
        note.struck(note.velocity + feel * _BACKING_SWELL * _swell(place, layout))
        for note, place in zip(notes, places(notes, layout), strict=True)
    ]


def articulated(
    notes: list[Note], layout: Layout, instrument: Instrument, feel: float, second: Callable[[int], float]
) -> list[Note]:
    """Notes parted as the instrument parts them, joined where a slur says so or a bow goes on, a breath after sections.

    Args:
        notes: of one line, in order.
        second: how many ticks a second has at a tick.
    """
    made: list[Note] = []
    at = places(notes, layout)
    written = _written_slurs(layout)

    def is_slurred(index: int) -> bool:
        note, following = notes[index], notes[index + 1]
        if following.start - note.end > _NEARLY * layout.eighth or following.pitch == note.pitch:
            return False
        if written:
            begins, ends = written.get(at[index].bar.index, ([], []))
            span = bisect_right(begins, at[index].eighths + _NEARLY) - 1
            return span >= 0 and at[index].eighths + _NEARLY < ends[span]
        return instrument.slurs and _goes_on(at[index], layout)

    for index, (note, place) in enumerate(zip(notes, at, strict=True)):
        following = notes[index + 1] if index + 1 < len(notes) else None
        length, ticks = note.end - note.start, second(note.start)
        gap = min((1 - instrument.held) * length, _MAX_GAP_S * ticks)
        if following is None:
            gap = 0.0
        elif _ends_phrase(place, at[index + 1], layout):
            pause_s = _BREATH_S if instrument.breathes else _BOW_CHANGE_S
            gap = max(gap, min(pause_s * ticks, _MAX_BREATH * length))
        elif is_slurred(index):
            gap = 0.0
        if index and is_slurred(index - 1):
            note = note.struck(note.velocity * (1 + feel * (_SLURRED - 1)))
        made.append(replace(note, end=max(note.start + 1, note.end - round(feel * gap))))
    return made


def _ends_phrase(place: Place, following: Place, layout: Layout) -> bool:
    """Whether a note is the last of a section: what leads to the next one, in a bar of its own or not, comes after."""
    bar = place.bar
    if not bar.ends_section or bar.number < 0:
        return False
    ends = layout.ticks(bar.offset + bar.length) / layout.eighth
    first = layout.bars[0]
    if first.number < 0 and bar.meter.length is not None and bar.offset + bar.length >= bar.meter.length:
        led = ends - layout.ticks(first.length) / layout.eighth
        if following.bar is bar and abs(following.eighths - led) < _NEARLY:
            return True
        if place.eighths > led - _NEARLY:
            return False
    return following.bar is not bar


def _goes_on(place: Place, layout: Layout) -> bool:
    """Whether the bow goes on from a note: over the beat in jigs, in threes over it in reels."""
    eighth = int(place.eighths + 0.05)
    if layout.is_compound:
        return eighth % 3 == 2
    return eighth % 8 in (0, 1, 3, 4)


def _written_slurs(layout: Layout) -> dict[int, tuple[list[float], list[float]]]:
    """From where to where in eighths notes go on to the next by the text's own slurs, by index of the score's bar."""
    found: dict[int, tuple[list[float], list[float]]] = {}
    open_slurs = 0
    for bar in {bar.index: bar for bar in layout.bars}.values():
        position = bar.offset
        for chord in bar.bar.chords:
            open_slurs = max(0, open_slurs + chord.slurs_begun - chord.slurs_ended)
            ends = position + chord.length
            if open_slurs:
                spans = found.setdefault(bar.index, ([], []))
                spans[0].append(layout.ticks(position) / layout.eighth)
                spans[1].append(layout.ticks(ends) / layout.eighth)
            position = ends
    return found


def without_lead_back(notes: list[Note], layout: Layout) -> list[Note]:
    """A line that ends at rest: where its last bar ends with its own pickup, which leads back, that is left out."""
    if not layout.bars:
        return notes
    first, last = layout.bars[0], layout.bars[-1]
    is_whole = last.meter.length is not None and last.offset + last.length >= last.meter.length
    if first.number >= 0 or not is_whole or first.length >= last.length:
        return notes
    near, length = round(_NEARLY * layout.eighth), layout.ticks(first.length)
    led = layout.start(last) + layout.ticks(last.length) - length
    kept = [note for note in notes if note.start < led - near]
    pickup = [(note.start, note.pitch) for note in notes if note.start < length - near]
    back = [(note.start - led, note.pitch) for note in notes[len(kept) :]]
    is_same = len(pickup) == len(back) and all(
        abs(at - also) <= near and pitch == other for (at, pitch), (also, other) in zip(pickup, back, strict=True)
    )
    if not kept or not pickup or not is_same:
        return notes
    return [replace(note, end=led + length) if abs(note.end - led) <= near else note for note in kept]


def last_held(notes: list[Note], feel: float, second: Callable[[int], float]) -> list[Note]:
    """The last note, or those that end with it, longer and softer."""
    if not notes:
        return notes
    start = max(note.start for note in notes)
    longer = round(feel * _HELD_AT_THE_END_S * second(start))
    return [
        replace(note.struck(note.velocity - feel * _LAST_IS_SOFTER), end=note.end + longer)
        if note.start == start
        else note
        for note in notes
    ]


def uneven(layout: Layout, feel: float, second: Callable[[int], float]) -> "Timing":
    """The timing of uneven eighths: beats that are not written in eighths, such as triplets, stay as they are."""
    shares = style_of(layout).shares
    anchors: list[tuple[int, float]] = []
    for bar in layout.bars:
        inside = _by_beat(onsets_of(bar, layout) or [], len(shares))
        first = layout.start(bar) - layout.ticks(bar.offset)
        eighth_s = layout.eighth / second(max(0, first))
        scaled = _scaled(shares, feel, eighth_s)
        size = len(shares) * layout.eighth
        for beat in range(-(-layout.ticks(bar.offset + bar.length) // size)):
            anchors += _anchors(first + beat * size, inside.get(beat, set()), scaled, layout.eighth)
    return Timing(anchors)


def _by_beat(onsets: list[float], count: int) -> dict[int, set[float]]:
    """Onsets in eighths by the beat of so many eighths that they lie in, counted from its beginning."""
    inside: dict[int, set[float]] = {}
    for onset in onsets:
        beat = int(onset // count)
        for near in (beat, beat + 1):  # one that is rounded up begins the next
            within = round(onset - near * count, 3)
            if 0 <= within < count:
                inside.setdefault(near, set()).add(within)
    return inside


def swung(layout: Layout, swing: float) -> "Timing":
    """The timing of a chosen swing: at 1 the first eighth of each pair is twice as long as the second."""
    size = 2 * layout.eighth
    anchors: list[tuple[int, float]] = []
    for bar in layout.bars:
        first = layout.start(bar) - layout.ticks(bar.offset)
        for beat in range(-(-layout.ticks(bar.offset + bar.length) // size)):
            anchors += _anchors(first + beat * size, set(), (1 + swing / 3, 1 - swing / 3), layout.eighth)
    return Timing(anchors)


class Timing:
    """Where each tick goes: anchors keep their order, and what lies between two of them is in proportion."""

    def __init__(self, anchors: Iterable[tuple[int, float]]) -> None:
        by_tick = dict(sorted(anchors))
        self._from, self._to = list(by_tick), list(by_tick.values())

    def moved(self, tick: int) -> int:
        """The tick at which is played what stands at a tick."""
        if not self._from or tick >= self._from[-1] or tick <= self._from[0]:
            return tick
        at = bisect_right(self._from, tick) - 1
        speed = (self._to[at + 1] - self._to[at]) / (self._from[at + 1] - self._from[at])
        return max(0, round(speed * (tick - self._from[at]) + self._to[at]))


def _scaled(shares: tuple[float, ...], feel: float, eighth_s: float) -> tuple[float, ...]:
    """Shares taken in proportion, and less where the shortest eighth would be too short."""
    shortest = min(shares)
    if shortest < 1:
        feel = min(feel, max(0.0, (1 - _MIN_EIGHTH_S / eighth_s) / (1 - shortest)))
    return tuple(1 + feel * (share - 1) for share in shares)


def _anchors(beat: int, onsets: set[float], shares: tuple[float, ...], eighth: int) -> list[tuple[int, float]]:
    """Where the eighths of a beat go."""
    count = len(shares)
    ends = [(beat, float(beat)), (beat + count * eighth, float(beat + count * eighth))]
    halves = {onset * 2 for onset in onsets}
    if any(abs(half - round(half)) > 0.01 for half in halves):
        return ends  # a triplet, or shorter notes
    if count == 2 and 1.5 in onsets and 1.0 not in onsets:
        # Dotted already: half as far again as even eighths go, towards what those are at their most uneven.
        return [*ends, (beat + round(1.5 * eighth), beat + (1.5 - 0.25 * max(0.0, shares[0] - 1)) * eighth)]
    if any(onset % 1 and onset - onset % 1 + 1 not in onsets for onset in onsets):
        return ends
    return [*ends, *((beat + n * eighth, beat + sum(shares[:n]) * eighth) for n in range(1, count))]


def onsets_of(bar: PlayedBar, layout: Layout) -> list[float] | None:
    """Where a bar's written notes begin, in eighths from where the whole bar would; None where that is not known."""
    if not bar.bar.chords:
        return None
    found, position = [], bar.offset
    for chord in bar.bar.chords:
        if chord.pitches:
            found.append(layout.ticks(position) / layout.eighth)
        position += chord.length
    return found
