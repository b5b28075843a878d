"""Where bars and beats fall in a performance: what feel, variation and backing go by.

It follows from the score where its bars last as long as what abc2midi plays; else bars are counted from the first note.
"""

from dataclasses import dataclass, replace
from fractions import Fraction

from app.abc.dances import Dance, dance_of, is_in_sixteenths
from app.abc.playing_order import PlayedBar, playing_order
from app.abc.score import Bar, Score

_MAX_TICKS_APART = 32
"""between the end of the score's last note and that of the file's"""
_MAX_BARS = 20_000


@dataclass(frozen=True)
class Layout:
    """Bars as played, and how long an eighth is: a sixteenth where a tune's eighths are written so."""

    bars: list[PlayedBar]
    dance: Dance
    eighth: int
    """in ticks"""
    ticks_per_beat: int
    follows_score: bool

    def ticks(self, length: Fraction) -> int:
        """Whole notes as ticks."""
        return round(length * 4 * self.ticks_per_beat)

    def start(self, bar: PlayedBar) -> int:
        """The tick at which a bar begins."""
        return self.ticks(bar.start)

    @property
    def is_compound(self) -> bool:
        """Whether its beats are of three eighths."""
        return bool(self.bars) and self.bars[0].meter.is_compound


def lay_out(score: Score, ticks_per_beat: int, sounds_until: int) -> Layout:
    """The layout of a tune that is played once.

    Args:
        score: as it is written.
        ticks_per_beat: of the file.
        sounds_until: the tick at which one time through ends, silence at its end included or not.
    """
    dance = dance_of(score.rhythm, score.meter)
    eighth = ticks_per_beat // (4 if is_in_sixteenths(score) else 2)
    once = playing_order(score)
    ends = _ends_of_sound(once)
    follows = any(abs(round(end * 4 * ticks_per_beat) - sounds_until) <= _MAX_TICKS_APART for end in ends)
    if not follows:
        once = _counted(score, Fraction(sounds_until, 4 * ticks_per_beat))
    return Layout(once, dance, eighth, ticks_per_beat, follows)


def repeat(once: Layout, times: int) -> Layout:
    """The layout of a tune that is played so many times."""
    length = once.bars[-1].start + once.bars[-1].length if once.bars else Fraction(0)
    return once if times == 1 else replace(once, bars=_again(once.bars, length, times))


def _ends_of_sound(bars: list[PlayedBar]) -> list[Fraction]:
    """Where the last bar's end is, and where its last note's."""
    if not bars:
        return []
    last = bars[-1]
    end = last.start + last.length
    rest = Fraction(0)
    for chord in reversed(last.bar.chords):
        if chord.pitches:
            break
        rest += chord.length
    return [end, end - rest]


def _again(once: list[PlayedBar], length: Fraction, times: int) -> list[PlayedBar]:
    turns = max((bar.turn for bar in once), default=0) + 1
    return [
        PlayedBar(
            bar.bar, bar.index, bar.start + time * length, bar.length, bar.offset, bar.meter, bar.key,
            bar.turn + time * turns, bar.number, bar.of, bar.ends_section,
        )
        for time in range(times)
        for bar in once
    ]  # fmt: skip


def _counted(score: Score, length: Fraction) -> list[PlayedBar]:
    """Bars of the metre's length, the first of them as long as the score's; of eight a section is taken to be."""
    whole = score.meter.length or Fraction(1)
    first = next((bar.length for voice in score.voices[:1] for bar in voice.bars), whole)
    start = Fraction(0)
    bars: list[PlayedBar] = []
    pickup = first if first < whole else Fraction(0)
    number = -1 if pickup else 0
    while start < length and len(bars) < _MAX_BARS:
        here = pickup if number < 0 else whole
        offset = whole - here
        place = max(number, 0)
        bars.append(
            PlayedBar(
                Bar(), place, start, here, offset, score.meter, score.key, 0, number if number < 0 else number % 8, 8,
                ends_section=number >= 0 and number % 8 == 7,
            )
        )  # fmt: skip
        start += here
        number += 1
    return bars
