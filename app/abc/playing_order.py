"""In which order the bars of a voice sound: with repeats and endings, D.C. and D.S., and parts (ABC 2.1, 3.1.9)."""

from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.navigation import with_leap
from app.abc.repeats import MAX_PLAYED_BARS, Stretch, ending_turns, repeated
from app.abc.score import MAX_BARS, Bar, Chord, Score, Voice
from app.abc.voices import leading_voice

_MIN_VARIANTS = 3


@dataclass(frozen=True, slots=True)
class PlayedBar:
    """A bar as it comes in the performance. Lengths and times are in whole notes."""

    bar: Bar
    index: int
    """among the voice's bars"""
    start: Fraction
    length: Fraction
    offset: Fraction
    """where in a whole bar it begins: past nought for a pickup"""
    meter: Meter
    key: Key
    turn: int
    """how many times it was played before"""
    number: int
    """whole bars since its section began; -1 for a pickup"""
    of: int
    """whole bars of its section"""
    ends_section: bool


def playing_order(score: Score, number: int = 0) -> list[PlayedBar]:
    """The bars of a voice as they are played, at most MAX_PLAYED_BARS of them; none where there is no such voice."""
    if number >= len(score.voices):
        return []
    voice = score.voices[number]
    order = _order(voice, score.parts)
    spans = sections(voice.bars)
    signatures = _signatures(voice.bars, score)
    turns: dict[int, int] = {}
    played: list[PlayedBar] = []
    start = Fraction(0)
    for index in order[:MAX_PLAYED_BARS]:
        bar = voice.bars[index]
        length = bar.length
        meter, key = signatures[index]
        first, last = spans[index]
        offset = _offset(length, meter, is_first=index == first)
        pickup = int(_offset(voice.bars[first].length, signatures[first][0], is_first=True) > 0)
        turn = turns.get(index, 0)
        turns[index] = turn + 1
        for part in range(bar.count):
            played.append(
                PlayedBar(
                    bar, index, start, length, offset, meter, key, turn,
                    number=index - first - pickup, of=last - first + 1 - pickup,
                    ends_section=index == last and part == bar.count - 1,
                )
            )  # fmt: skip
            start += length
        if len(played) > MAX_PLAYED_BARS:
            break
    return played[:MAX_PLAYED_BARS]


def times_played(voice: Voice, parts: str | None) -> list[int]:
    """How often each bar of a voice sounds, with repeats, endings and the order of parts."""
    times = [0] * len(voice.bars)
    stretches, names = _stretches(voice, parts)
    for name, count in Counter(names).items() if voice.leap is None else ():
        each = 1 if _passes(stretches[name], voice.bars, count) else count
        for index in stretches[name].order:
            times[index] += each
    for index in with_leap(stretches[""].order, voice.leap) if voice.leap is not None else ():
        times[index] += 1
    return times


def repeat_starts(voice: Voice, parts: str | None) -> set[int]:
    """The bars to which the end of a repeat leads back."""
    return {start for stretch in _stretches(voice, parts)[0].values() for start in stretch.starts}


def with_parts_in_order(score: Score) -> Score:
    """The score with its parts written one after another as the header's `P:` has them, each with its own repeats.

    One of more than MAX_BARS bars then is left as it is.
    """
    voices = []
    for voice in score.voices:
        marks = [index for index, bar in enumerate(voice.bars) if bar.part] if score.parts else []
        if not marks:
            return score
        spans = {"": (0, marks[0])}
        for first, after in zip(marks, [*marks[1:], len(voice.bars)], strict=True):
            spans[voice.bars[first].part or ""] = (first, after)
        names = ["", *_expanded(score.parts or "", MAX_BARS)]
        stretches, _ = _stretches(voice, score.parts)
        passes = {
            name: _passes(stretches[name], voice.bars, count)
            for name, count in Counter(names).items()
            if name in stretches
        }
        order: list[tuple[int, bool]] = []
        for name in names:
            if variant := passes.get(name):
                order += [(index, True) for index in variant.pop(0)]
            else:
                order += [(index, False) for index in range(*spans.get(name, (0, 0)))]
            if len(order) > MAX_BARS:
                return score
        voices.append(replace(voice, bars=_in_force(voice, order, score)))
    return replace(score, voices=voices, parts=None)


def _in_force(voice: Voice, order: list[tuple[int, bool]], score: Score) -> list[Bar]:
    """Bars in an order, each with the metre and key that it had before, where they differ from those it comes after.

    Where the repeats of a part lead back to, there is a sign: what stands before it is another part now. Of what is
    played once through, which the order says beside each bar, the signs are left out.
    """
    signatures = _signatures(voice.bars, score)
    starts = repeat_starts(voice, score.parts)
    meter, key, found = score.meter, score.key, []
    for index, is_once_through in order:
        bar = voice.bars[index]
        if is_once_through:
            bar = replace(bar, opens_repeat=0, closes_repeat=0, ending=None, ends_ending=False)
        own_meter, own_key = signatures[index]
        found.append(
            replace(
                bar,
                meter=own_meter if own_meter != meter else None,
                key=own_key if own_key != key else None,
                opens_repeat=max(1, bar.opens_repeat) if index in starts and not is_once_through else bar.opens_repeat,
            )
        )
        meter, key = own_meter, own_key
    return found


@dataclass(frozen=True)
class Ties:
    """Where ties lead from bar to bar as a voice is played: places by the bar's index and the line within it."""

    out_of: dict[tuple[int, int], set[int]]
    into: dict[tuple[int, int], set[int]]


def ties_over_bars(voice: Voice, parts: str | None) -> Ties:
    """Which notes at the ends of bars are tied to the next that is played, of the same pitch; others lead nowhere."""
    order = _order(voice, parts)
    played = set(order)
    unplayed = {(at, at + 1) for at in range(len(voice.bars) - 1) if at not in played or at + 1 not in played}
    ties = Ties({}, {})
    for before, after in set(pairwise(order)) | unplayed:
        for number, (line, following) in enumerate(
            zip(voice.bars[before].lines, voice.bars[after].lines, strict=False)
        ):
            if not line or not line[-1].tied or not following:
                continue
            if places := tied_places(line[-1], following[0]):
                ties.out_of.setdefault((before, number), set()).update(places)
                ties.into.setdefault((after, number), set()).update(places)
    return ties


def tied_places(chord: Chord, following: Chord | None) -> set[int]:
    """The places of notes that are tied to one of the same pitch in the next chord."""
    heard = {(pitch.place, pitch.alter) for pitch in following.pitches} if following else set()
    tied = (pitch for index, pitch in enumerate(chord.pitches) if index in chord.tied)
    return {pitch.place for pitch in tied if (pitch.place, pitch.alter) in heard}


def tempos_played(score: Score) -> list[tuple[Fraction, float]]:
    """When the tempo changes as the tune is played, in whole notes, and to how many quarter notes a minute."""
    leading = leading_voice(score.voices)
    found = [(Fraction(0), score.tempo)] if score.tempo else []
    if leading is None:
        return found
    begun_in: list[float | None] = []
    now = score.tempo
    for bar in leading.bars:
        now = bar.tempo or now
        begun_in.append(now)
        now = next((chord.tempo for chord in reversed(bar.chords) if chord.tempo), now)
    before = score.tempo
    for played in playing_order(score, score.voices.index(leading)):
        at = played.start
        changes = [(at, begun_in[played.index])]
        for chord in played.bar.chords:
            changes.append((at, chord.tempo))
            at += chord.length
        for start, tempo in changes:
            if tempo and tempo != before:
                found.append((start, tempo))
                before = tempo
    return found


def _offset(length: Fraction, meter: Meter, *, is_first: bool) -> Fraction:
    whole = meter.length
    return whole - length if is_first and whole is not None and length < whole else Fraction(0)


def _signatures(bars: list[Bar], score: Score) -> list[tuple[Meter, Key]]:
    """Metre and key in each bar."""
    meter, key, found = score.meter, score.key, []
    for bar in bars:
        meter, key = bar.meter or meter, bar.key or key
        found.append((meter, key))
    return found


def sections(bars: list[Bar]) -> list[tuple[int, int]]:
    """The first and last bar of the section that each bar is in: repeats, double bars, parts and endings part them."""
    starts = [0]
    for index in range(1, len(bars)):
        before, bar = bars[index - 1], bars[index]
        is_ending = bool(bar.ending) and not bar.opens_repeat
        ended = before.closes_repeat or before.line_style in ("||", "|]", "[|") or before.ends_ending
        if bar.opens_repeat or bar.part or (ended and not is_ending):
            starts.append(index)
    found: list[tuple[int, int]] = []
    for first, after in zip(starts, [*starts[1:], len(bars)], strict=True):
        found += [(first, after - 1)] * (after - first)
    return found[: len(bars)]


def _order(voice: Voice, parts: str | None) -> list[int]:
    order: list[int] = []
    stretches, names = _stretches(voice, parts)
    if voice.leap is not None:
        return with_leap(stretches[""].order, voice.leap)
    passes = {name: _passes(stretches[name], voice.bars, count) for name, count in Counter(names).items()}
    for name in names:
        order += passes[name].pop(0) if passes[name] else stretches[name].order
        if len(order) > MAX_PLAYED_BARS:
            break
    return order


def _passes(stretch: Stretch, bars: list[Bar], times: int) -> list[list[int]]:
    """What of a part is played each time that it comes, where that is once through with an ending of its own.

    It is so where the order of parts has it as often as it has endings, of which there are three at least (ABC 2.1,
    section 4.10); two endings are those of a repeat.
    """
    if times < _MIN_VARIANTS:
        return []
    turns = [ending_turns(ending) for index in stretch.order if (ending := bars[index].ending)]
    if max((max(numbers, default=0) for numbers in turns), default=0) != times:
        return []
    passes: list[list[int]] = [[]]
    for index in stretch.order:
        if passes[-1] and index <= passes[-1][-1]:
            passes.append([])
        passes[-1].append(index)
    return passes if len(passes) == times else []


def _stretches(voice: Voice, parts: str | None) -> tuple[dict[str, Stretch], list[str]]:
    """The stretches of a voice by name, and the names in the order in which they come.

    They are the parts that the header's `P:` puts in order, what stands before the first of them being a stretch
    without a name; the whole voice where there is no such order.
    """
    marks = [index for index, bar in enumerate(voice.bars) if bar.part] if parts else []
    if not marks:
        return {"": repeated(voice.bars, 0, len(voice.bars))}, [""]
    stretches = {"": repeated(voice.bars, 0, marks[0])}
    for first, after in zip(marks, [*marks[1:], len(voice.bars)], strict=True):
        stretches[voice.bars[first].part or ""] = repeated(voice.bars, first, after)
    return stretches, ["", *(name for name in _expanded(parts or "") if name in stretches)]


def _expanded(text: str, max_parts: int = MAX_PLAYED_BARS) -> list[str]:
    """`A2(BC)3` as the parts one after another; never more than `max_parts`."""
    stack: list[list[str]] = [[]]
    last: list[str] = []
    digits = ""
    for character in f"{text} ":
        if character.isdigit() and character.isascii():
            digits = (digits + character)[:5]
            continue
        if digits and last:
            times = int(digits) - 1
            stack[-1] += (last * min(times, max_parts // len(last) + 1))[: max_parts - min(max_parts, len(stack[-1]))]
        digits, last = "", last if character in ". " else []
        if character.isalpha():
            stack[-1].append(character)
            last = [character]
        elif character == "(":
            stack.append([])
        elif character == ")" and len(stack) > 1:
            last = stack.pop()
            stack[-1] += last
    return [name for level in stack for name in level][:max_parts]
