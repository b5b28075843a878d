"""How fast and on what instrument a tune is played where it does not say: dances by rhythm, and by metre as written.

Speeds lie at the slow end of what dancers take and about where sessions play, since most listeners do not dance. The
sources, each of which counts the beat of its row:

- dancers: Breathnach, Folk Music and Dances of Ireland (1971), and the ceili dancers of Sydney, both halved where they
  count two to a beat; for strathspeys the Royal Scottish Country Dance Society's recordings.
- sessions: reels timed by listeners' watches, 90–130, mostly 96–102; the templates of ABC Transcription Tools: reel 90,
  jig and slip jig 120, slide and polka 130, hornpipe 80.

Nobody publishes measured speeds for the other rows; they are chosen by ear between their neighbours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from app.abc.meters import Meter
from app.abc.score import Score

FIDDLE, ACCORDION, HARP, FLUTE, WHISTLE = 40, 21, 46, 73, 78
_MINIM, _DOTTED_CROTCHET, _CROTCHET = Fraction(1, 2), Fraction(3, 8), Fraction(1, 4)
_MIN_NOTES_IN_SIXTEENTHS = 2.6
"""notes a quarter from which on a tune in 2/4 is taken to move in sixteenths: of 368 reels and hornpipes that do, the
learnt books have 364 above it; of 681 in 4/4 or 2/2, which move in eighths, none"""


@dataclass(frozen=True)
class Dance:
    """A kind of tune: its speed as it is written in eighths, and its instrument."""

    name: str
    beats_a_minute: float
    beat: Fraction
    """in whole notes"""
    program: int
    """of General MIDI, 0–127"""
    dancers: tuple[float, float] | None = None
    """the slowest and the fastest that dancers ask for, in the same beats; None where there is no source"""
    by_meter: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """other speeds in beats of a quarter, where notes are as frequent only so"""


_JIG = Dance("jig", 114, _DOTTED_CROTCHET, FLUTE, (116, 127), {(2, 2): 190.0})
_SLIP_JIG = Dance("slip jig", 120, _DOTTED_CROTCHET, FLUTE, (120, 144))
_SLIDE = Dance("slide", 128, _DOTTED_CROTCHET, ACCORDION, (132, 140))
_AIRS = {(4, 4): 58.0, (2, 2): 58.0, (2, 4): 56.0, (3, 4): 82.0, (3, 8): 72.0, (6, 8): 52.0, (9, 8): 58.0}

DANCES = (
    _SLIP_JIG,
    Dance("double jig", 114, _DOTTED_CROTCHET, FLUTE, (116, 127)),
    Dance("single jig", 122, _DOTTED_CROTCHET, FLUTE, (132, 137)),
    Dance("hop jig", 126, _DOTTED_CROTCHET, FLUTE, (132, 144)),
    _JIG,
    _SLIDE,
    Dance("reel", 98, _MINIM, FIDDLE, (112, 124)),
    Dance("hornpipe", 80, _MINIM, ACCORDION, (90, 100)),
    Dance("set dance", 80, _MINIM, ACCORDION),
    Dance("clog", 80, _MINIM, FIDDLE),
    Dance("fling", 82, _MINIM, ACCORDION),
    Dance("strathspey", 61, _MINIM, FIDDLE, (61.5, 61.5)),
    Dance("barndance", 78, _MINIM, ACCORDION),
    Dance("barn dance", 78, _MINIM, ACCORDION),
    Dance("schottische", 76, _MINIM, ACCORDION),
    Dance("polka", 126, _CROTCHET, ACCORDION, (132, 140)),
    Dance("march", 112, _CROTCHET, WHISTLE, (118, 118)),
    Dance("mazurka", 130, _CROTCHET, FIDDLE),
    Dance("waltz", 116, _CROTCHET, ACCORDION, (96, 160)),
    Dance("slow air", 60, _CROTCHET, HARP),
    Dance("air", 72, _CROTCHET, HARP, by_meter=_AIRS),
    Dance("lament", 60, _CROTCHET, HARP),
    Dance("planxty", 90, _CROTCHET, HARP),
    Dance("carolan", 90, _CROTCHET, HARP),
)
"""By what an `R:` field contains; the first that fits. All are among the rhythms of `app.abc.rhythms`."""

_IN_THREES = Dance("compound", 94, _DOTTED_CROTCHET, FLUTE)
_IN_TWOS = Dance("two-four", 110, _CROTCHET, ACCORDION)
_IN_THREE = Dance("three-four", 110, _CROTCHET, FLUTE)
_IN_FOURS = Dance("four-four", 150, _CROTCHET, FLUTE)
_SMALL_METERS = {(3, 8), (3, 16), (4, 8), (6, 16), (9, 16), (12, 16)}
"""whose bars are those of a metre of twice the length, in notes half as long"""


def dance_of(rhythm: str | None, meter: Meter) -> Dance:
    """What kind of tune has this rhythm, or else this metre."""
    rhythm = (rhythm or "").lower()
    for dance in DANCES:
        if dance.name in rhythm:
            return _SLIP_JIG if dance is _JIG and meter.beats == 9 and meter.is_compound else dance
    if meter.is_compound:
        return _IN_THREES
    if meter.beats == 3:
        return _IN_THREE
    return _IN_TWOS if (meter.beats, meter.unit) == (2, 4) else _IN_FOURS


def is_in_sixteenths(score: Score) -> bool:
    """Whether the notes that other tunes of its kind have as eighths are written as sixteenths.

    The metre says so (3/8 is a short way to write 3/4), or in 2/4 the notes do, except for polkas.
    """
    meter = score.meter
    if (meter.beats, meter.unit) in _SMALL_METERS:
        return True
    if (meter.beats, meter.unit) != (2, 4) or dance_of(score.rhythm, meter).name in ("polka", "march"):
        return False
    return notes_a_quarter(score) >= _MIN_NOTES_IN_SIXTEENTHS


def notes_a_quarter(score: Score) -> float:
    """How many notes a quarter of the first voice has, as written."""
    chords = [chord for voice in score.voices[:1] for bar in voice.bars for chord in bar.chords]
    length = sum((chord.length for chord in chords), Fraction(0))
    return sum(1 for chord in chords if chord.pitches) / float(4 * length) if length else 0.0


def quarters_a_minute(score: Score) -> float:
    """The speed of a tune that does not say one itself, in quarter notes a minute as it is written."""
    dance = dance_of(score.rhythm, score.meter)
    written = (score.meter.beats or 4, score.meter.unit)
    quarters = dance.by_meter.get(written, dance.beats_a_minute * float(4 * dance.beat))
    return quarters / 2 if is_in_sixteenths(score) else quarters
