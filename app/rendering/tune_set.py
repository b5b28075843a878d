"""Plays several tunes one after another: at one speed for one dance, without a gap where the metre stays."""

from dataclasses import replace
from fractions import Fraction

import mido

from app.abc.dances import dance_of, is_in_sixteenths
from app.abc.duration import default_tempo
from app.abc.score import Bar, Score, Voice
from app.errors import NotationError
from app.rendering.layout import Layout, lay_out
from app.rendering.midi_events import Event, Performance


def speeds(scores: list[Score]) -> list[float]:
    """Each tune's quarter notes a minute: as fast as the first of its dance, however it is written."""
    first: dict[str, float] = {}
    found = []
    for score in scores:
        written = 0.5 if is_in_sixteenths(score) else 1.0
        dance = dance_of(score.rhythm, score.meter).name
        found.append(first.setdefault(dance, default_tempo(score) / written) * written)
    return found


def programs_of_set(scores: list[Score]) -> list[int | None]:
    """Each tune's instrument, None for its own: the first's for those that say none, as the same people play."""
    said = [directive.split()[-1] for directive in scores[0].directives if directive.startswith("program")]
    first = int(said[-1]) if said and said[-1].isdecimal() else dance_of(scores[0].rhythm, scores[0].meter).program
    return [None if _says_program(score) else first for score in scores]


def _says_program(score: Score) -> bool:
    bars = (bar for voice in score.voices for bar in voice.bars)
    directives = [*score.directives, *(directive for bar in bars for directive in bar.directives)]
    return any(directive.startswith("program") for directive in directives)


def joined(performances: list[Performance], scores: list[Score], repeats: int) -> Performance:
    """One performance, with a marker in MIDI at each tune.

    Args:
        performances: of the tunes, all with as many ticks to a beat.
        scores: what they are of.
        repeats: times through each.
    """
    events: list[Event] = []
    parts: dict[int, str] = {}
    start = 0
    ticks_per_beat = performances[0].ticks_per_beat
    for index, (performance, score) in enumerate(zip(performances, scores, strict=True)):
        title = next(iter(score.titles), f"Tune {index + 1}")
        name = title.encode().decode("latin-1")  # so that the file has UTF-8
        events.append(Event(start, mido.MetaMessage("marker", text=name)))
        events += [Event(start + event.tick, event.message) for event in performance.events]
        parts |= performance.parts
        if index + 1 < len(scores):
            layout = lay_out(score, ticks_per_beat, 0)
            start += _length(performance, layout, repeats) + _gap(layout, scores[index + 1], score)
    return Performance(events, ticks_per_beat, parts)


def _length(performance: Performance, layout: Layout, repeats: int) -> int:
    """To the end of the last bar as written, where the performance goes by the score; else to its last note."""
    last = max((event.tick for event in performance.events if event.message.type == "note_off"), default=0)
    if not layout.bars:
        return last
    written = repeats * layout.ticks(layout.bars[-1].start + layout.bars[-1].length)
    begins = performance.begins
    return begins + written if abs(begins + written - last) < layout.ticks(layout.bars[-1].length) else last


def _gap(layout: Layout, following: Score, score: Score) -> int:
    """A bar's breath before another metre or dance; else what the two bars lack that meet, to whole beats."""
    whole = following.meter.length or Fraction(1)
    first = following.voices[0].bars[0].length if following.voices else whole
    pickup = first if first < whole else Fraction(0)
    if _pulse(score) != _pulse(following):
        return layout.ticks(whole - pickup)
    last = layout.bars[-1] if layout.bars else None
    lacks = max(Fraction(0), whole - last.length - last.offset) if last else Fraction(0)
    beat = Fraction(3, following.meter.unit) if following.meter.is_compound else Fraction(1, following.meter.unit)
    return layout.ticks((lacks - pickup) % beat)


def _pulse(score: Score) -> tuple[str, Fraction | None]:
    """What must stay for the pulse to go on: the dance and its bar, as it is in eighths."""
    length = score.meter.length
    dance = dance_of(score.rhythm, score.meter).name
    return dance, length * 2 if length is not None and is_in_sixteenths(score) else length


def as_one_score(scores: list[Score]) -> Score:
    """The tunes below one another, each begun with its title, key and metre.

    Raises:
        NotationError: one has several voices.
    """
    bars: list[Bar] = []
    for index, score in enumerate(scores):
        if len(score.voices) > 1:
            raise NotationError("a set is printed of tunes of one voice each; print this one by itself")
        own = [bar for voice in score.voices for bar in voice.bars]
        if index and own:
            title = next(iter(score.titles), "")
            first = own[0]
            chords = [replace(first.chords[0], annotations=(title, *first.chords[0].annotations)), *first.chords[1:]]
            meter, key = first.meter or score.meter, first.key or score.key
            own[0] = replace(
                first, chords=chords, key=key, meter=meter, tempo=first.tempo or score.tempo, starts_line=True
            )
        if own:
            style = own[-1].line_style
            own[-1] = replace(own[-1], line_style=style if style != "|" else "|]")
        bars += own
    titles = (" / ".join(next(iter(score.titles), "") for score in scores),)
    return replace(scores[0], titles=titles, voices=[Voice("1", bars)] if bars else [])
