"""Writes what sounds of a score as plain ABC that abc2midi plays right: repeats unfolded, each line a voice of its own.

What it takes wrong in strangers' tunes is not written: repeat signs, endings, ties that lead nowhere, broken rhythm,
overlays, clefs. Tempos are there for its trills, as whole numbers; the arrangement has them as they are.
"""

from fractions import Fraction

from app.abc.chord_symbols import Harmony
from app.abc.keys import Key
from app.abc.lengths import is_power_of_two, write_length
from app.abc.meters import Meter
from app.abc.pitch import SIGNS, STEPS, Pitch
from app.abc.playing_order import PlayedBar, playing_order, tied_places
from app.abc.score import Chord, Score, Voice
from app.abc.transpose import respelt
from app.abc.writer import Spelling
from app.abc.written_subset import MAX_KEY_ACCIDENTALS

_MAJOR_TONICS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
"""By the sharps of their signatures, from seven flats on."""

_PLAYED_DECORATIONS = {
    "staccato": ".", "roll": "~", "trill": "T",
    **{name: f"!{name}!" for name in (
        "breath", "pppp", "ppp", "pp", "p", "mp", "mf", "f", "ff", "fff", "ffff", "crescendo(", "crescendo)", "<(",
        "<)", "diminuendo(", "diminuendo)", ">(", ">)",
    )},
}  # fmt: skip
"""Those that abc2midi plays, but for fermatas: it would hold a note longer than its bar, the score and we do not."""

_MAX_LINE = 100
_MAX_TUPLET = 9
_FINEST = 1024
_COMMON_UNIT = Fraction(1, 8)


def write(score: Score, *, chords: bool = True) -> str:
    """The tune as abc2midi is to play it, once through.

    Args:
        score: the tune, at the pitch at which it is to sound.
        chords: whether its chord symbols are played.
    """
    lines = ["X:1", f"M:{_meter(score.meter)}", f"L:{_COMMON_UNIT}"]
    lines += [f"%%MIDI {directive}" for directive in score.directives if not _is_transposing(directive)]
    lines += [_tempo(score.tempo)] if score.tempo else []
    lines.append(f"K:{_key(score.key)}")
    is_alone = len(score.voices) == 1 and score.voices[0].lines == 1
    voice_number = 0
    for number, voice in enumerate(score.voices):
        bars = playing_order(score, number)
        for line in range(voice.lines):
            voice_number += 1
            if not is_alone:
                lines.append(f"V:{voice_number}")
            lines += _Line(score, voice, bars, line, chords=chords and not line).write()
    return "\n".join(lines) + "\n"


class _Line:
    """The chords of a voice, or of its overlays."""

    def __init__(self, score: Score, voice: Voice, bars: list[PlayedBar], line: int, *, chords: bool) -> None:
        self._bars = bars
        self._line = line
        self._has_chords = chords
        self._meter, self._key = score.meter, score.key
        self._transposition = 0
        self._moved_by = sum(int(directive.split()[1]) for directive in score.directives if _is_transposing(directive))
        """semitones by which `%%MIDI transpose` has the sound alone higher"""
        self._transpositions = _transpositions(voice)
        self._unit = _COMMON_UNIT
        self._spelling = Spelling(_clamped(score.key))
        self._made: list[str] = []
        self._text = ""
        self._since_bar_line = Fraction(0)
        self._is_led = False
        """whether the chord before is tied to what comes next"""

    def write(self) -> list[str]:
        """Its lines of music, with the fields between them."""
        chords = [self._chords(bar) for bar in self._bars]
        for index, bar in enumerate(self._bars):
            self._turn_to(bar)
            later = chords[index + 1] if index + 1 < len(chords) else []
            self._bar(chords[index], later[0] if later else None)
            self._end_bar(bar, self._bars[index + 1] if index + 1 < len(self._bars) else None)
        self._break()
        return self._made

    def _chords(self, bar: PlayedBar) -> list[Chord]:
        """What sounds in a bar, to its end."""
        lines = bar.bar.lines
        chords = [chord for chord in lines[self._line] if chord.length] if self._line < len(lines) else []
        lacks = bar.length - sum((chord.length for chord in chords), Fraction(0))
        return [*chords, Chord((), lacks)] if lacks > 0 else chords

    def _turn_to(self, bar: PlayedBar) -> None:
        """What changes as a bar begins; where a repeat leads back, it is what the bar had when it was written."""
        if bar.meter != self._meter:
            self._meter = bar.meter
            self._say(f"M:{_meter(bar.meter)}")
        if bar.key != self._key:
            self._key = bar.key
            self._spelling.turn_to(_clamped(bar.key))
            self._say(f"K:{_key(bar.key)}")
        for directive in bar.bar.directives:
            if _is_transposing(directive):
                self._moved_by = int(directive.split()[1])
            elif not self._line:
                self._say(f"%%MIDI {directive}")
        transposition = self._transpositions[bar.index] + self._moved_by
        if transposition != self._transposition:
            self._transposition = transposition
            self._say(f"%%MIDI transpose {transposition}")
        if bar.bar.tempo:
            self._say(_tempo(bar.bar.tempo))

    def _say(self, line: str) -> None:
        self._break()
        self._made.append(line)

    def _break(self) -> None:
        if self._text:
            self._made.append(self._text)
        self._text = ""

    def _bar(self, chords: list[Chord], later: Chord | None) -> None:
        left = 0
        for index, chord in enumerate(chords):
            following = chords[index + 1] if index + 1 < len(chords) else later
            text = ""
            if chord.unit != self._unit and chord.unit.numerator == 1 and is_power_of_two(chord.unit.denominator):
                self._unit = chord.unit
                text = f"[L:{chord.unit.numerator}/{chord.unit.denominator}]"
            written = chord.written_length / self._unit
            if chord.tuplet and (chord.tuplet.starts or not left):
                left = _run(chords, index)
                text += f"({chord.tuplet.actual}:{chord.tuplet.normal}:{left}"
            if chord.tuplet:
                left -= 1
            elif not is_power_of_two(written.denominator):
                odd = _odd(written.denominator)
                if odd <= _MAX_TUPLET:
                    text, written = f"{text}({odd}:1:1", written * odd
            self._append(text + self._chord(chord, written, following))

    def _append(self, text: str) -> None:
        if len(self._text) + len(text) > _MAX_LINE:
            self._break()
        self._text += text

    def _chord(self, chord: Chord, written: Fraction, following: Chord | None) -> str:
        if not is_power_of_two(written.denominator):
            written = Fraction(max(1, round(written * _FINEST)), _FINEST)
        places = tied_places(chord, following)
        goes_on = [index in chord.tied and pitch.place in places for index, pitch in enumerate(chord.pitches)]
        pitches = [
            self._spelling.spell(_spellable(pitch), tied=is_tied)
            for pitch, is_tied in zip(chord.pitches, goes_on, strict=True)
        ]
        self._spelling.end_note(tied=any(goes_on))
        is_led, self._is_led = self._is_led, any(goes_on)
        length = write_length(written)
        if not pitches:
            return "z" + length
        parts = [name + "-" * is_tied for name, is_tied in zip(pitches, goes_on, strict=True)]
        head = f"[{''.join(parts)}]{length}" if len(parts) > 1 else pitches[0] + length + "-" * goes_on[0]
        return self._symbol(chord) + ("" if is_led else self._graces(chord)) + _decorations(chord) + head

    def _symbol(self, chord: Chord) -> str:
        harmony = Harmony.parse(chord.symbol) if chord.symbol and self._has_chords else None
        return f'"{harmony.name}"' if harmony else ""

    def _graces(self, chord: Chord) -> str:
        names = [
            self._spelling.spell(_spellable(pitch)) + write_length(length)
            for pitch, length in zip(chord.graces, chord.grace_lengths, strict=True)
            if length and is_power_of_two(length.denominator)
        ]
        return f"{{{''.join(names)}}}" if names else ""

    def _end_bar(self, bar: PlayedBar, following: PlayedBar | None) -> None:
        """A bar line, but for where two parts of a bar meet, as at a repeat or double bar: the beat goes on there."""
        self._since_bar_line += bar.length
        whole = bar.meter.length or bar.length
        is_plain = bar.bar.line_style == "|" and not bar.bar.closes_repeat
        if following is not None and not is_plain and self._since_bar_line < whole and following.key == bar.key:
            return
        self._since_bar_line = Fraction(0)
        self._spelling.begin_bar()
        self._append("|")


def _run(chords: list[Chord], first: int) -> int:
    """How many chords of a bar are of the tuplet that goes on at one of them."""
    ratio = _ratio(chords[first])
    for index in range(first, len(chords)):
        tuplet = chords[index].tuplet
        if tuplet is None or _ratio(chords[index]) != ratio or (index > first and tuplet.starts):
            return index - first
        if tuplet.stops:
            return index - first + 1
    return len(chords) - first


def _ratio(chord: Chord) -> tuple[int, int] | None:
    return (chord.tuplet.actual, chord.tuplet.normal) if chord.tuplet else None


def _decorations(chord: Chord) -> str:
    return "".join(dict.fromkeys(_PLAYED_DECORATIONS.get(name, "") for name in chord.decorations))


def _transpositions(voice: Voice) -> list[int]:
    """By how many semitones each bar sounds above where it is drawn."""
    now, found = voice.transposition, []
    for bar in voice.bars:
        now = now if bar.transposition is None else bar.transposition
        found.append(now)
    return found


def _is_transposing(directive: str) -> bool:
    return directive.startswith("transpose")


def _odd(number: int) -> int:
    while number % 2 == 0:
        number //= 2
    return number


def _meter(meter: Meter) -> str:
    if meter.beats is None:
        return "none"
    return meter.sign or f"{meter.beats}/{meter.unit}"


def _tempo(quarters: float) -> str:
    return f"Q:1/4={max(1, round(quarters))}"


def _clamped(key: Key) -> Key:
    return Key(max(-MAX_KEY_ACCIDENTALS, min(MAX_KEY_ACCIDENTALS, key.fifths)), altered=key.altered)


def _key(key: Key) -> str:
    """A key by its signature alone, which is all that sounds of it.

    One that is no major key's is C major with signs: after `exp` abc2midi would keep, of the key before, what it does
    not name.
    """
    if not key.altered:
        return _MAJOR_TONICS[_clamped(key).fifths + MAX_KEY_ACCIDENTALS]
    return " ".join(["C", *(SIGNS[key.alter(step)] + step.lower() for step in STEPS if key.alter(step))])


def _spellable(pitch: Pitch) -> Pitch:
    return pitch if pitch.alter in SIGNS else Pitch(*respelt(pitch.place, pitch.alter))
