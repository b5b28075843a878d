"""Writes a `Score` as ABC 2.1, so that reading it gives the same score: for `format=abc`, and for what is imported."""

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from app.abc.chord_symbols import Harmony
from app.abc.fields import Clef, Tempo
from app.abc.keys import Key, fifths_of
from app.abc.lengths import write_length
from app.abc.meters import Meter
from app.abc.pitch import SIGNS, STEPS, Pitch
from app.abc.score import Bar, Chord, Score, Syllable, Voice
from app.abc.texts import on_one_line
from app.abc.transpose import respelt
from app.abc.writer import BARS_A_LINE, Spelling
from app.abc.written_subset import UNIT_LENGTHS

_MAX_LINE = 400
"""Characters of a line of music, but for a bar that is longer by itself."""

_MAX_VERSES = 12
_MAX_TUPLET = 9
_FINEST = 512
_MAX_NUMBER = 999
"""The largest among notes that the input filter lets through."""

_TONICS = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_CLEF_NAMES = {
    ("G", 2): "treble", ("F", 4): "bass", ("C", 3): "alto", ("C", 4): "tenor", ("C", 1): "soprano",
    ("C", 2): "mezzosoprano", ("F", 3): "baritone", ("percussion", 2): "perc", ("none", 2): "none",
}  # fmt: skip
_LINES = ("", "|", "||", "|]", "[|")
_ESCAPED = re.compile(r"[\\%&]")
_TO_QUOTES = str.maketrans('"', "'")
_DEFAULT_CLEF = Clef()


def write(score: Score, number: int = 1) -> str:
    """The score's text as the tune of that number, with a final newline; its length is linear in the score's notes."""
    unit = _unit(score)
    return "\n".join([f"X:{number}", *_header(score, unit), *_body(score, unit)]) + "\n"


def _header(score: Score, unit: Fraction) -> Iterator[str]:
    for title in score.titles or ("",):
        yield f"T:{_text(title)}"
    for name, value in (("C", score.composer), ("R", score.rhythm)):
        if value:
            yield f"{name}:{_text(value)}"
    if score.parts:
        yield f"P:{_text(score.parts)}"
    yield f"M:{_meter(score.meter)}"
    yield f"L:{unit}"
    if tempo := _tempo(score.tempo, score.tempo_mark):
        yield f"Q:{tempo}"
    yield from (f"%%MIDI {directive}" for directive in score.directives)
    if len(score.voices) > 1:
        yield from (f"V:{number}{_properties(voice)}" for number, voice in enumerate(score.voices, 1))
        yield f"K:{_key(score.key)}"
    else:
        yield f"K:{_key(score.key)}{''.join(_properties(voice) for voice in score.voices)}"


def _properties(voice: Voice) -> str:
    """What a voice says of itself, after its name or its key."""
    clef = "" if voice.clef == _DEFAULT_CLEF else f" clef={_clef(voice.clef)}"
    name = f' name="{_text(voice.name).translate(_TO_QUOTES)}"' if voice.name else ""
    return clef + (f" transpose={voice.transposition}" if voice.transposition else "") + name


def _body(score: Score, unit: Fraction) -> Iterator[str]:
    for number, voice in enumerate(score.voices, 1):
        if len(score.voices) > 1:
            yield f"V:{number}"
        yield from _Music(score, voice, unit).lines()


class _Music:
    """One voice, written bar by bar."""

    def __init__(self, score: Score, voice: Voice, unit: Fraction) -> None:
        self._voice = voice
        self._unit = unit
        self._meter = score.meter
        self._clef = voice.clef
        self._spelling = Spelling(_spellable_key(score.key))

    def lines(self) -> Iterator[str]:
        """The lines of music, each followed by its lines of words."""
        bars = self._voice.bars
        follows_lines = any(bar.starts_line for bar in bars[1:])
        line, sung, count = "", list[Chord](), 0
        for index, bar in enumerate(bars):
            text = self._bar(bar)
            is_full = bar.starts_line if follows_lines else count >= BARS_A_LINE
            if line and (bar.directives or is_full or len(line) + len(text) > _MAX_LINE):
                yield from _with_words(line, sung)
                line, sung, count = "", [], 0
            yield from (f"%%MIDI {directive}" for directive in bar.directives)
            line = _begun(line, bar) + text + _end_of(bar, is_last=index == len(bars) - 1)
            sung += [chord for chord in bar.chords if chord.pitches]
            count += bar.count if bar.length >= (self._meter.length or 0) else 0
        yield from _with_words(line, sung)

    def _bar(self, bar: Bar) -> str:
        self._spelling.begin_bar()
        fields = "".join(f"[{field}]" for field in self._fields(bar))
        marks = _marks(bar.end_annotations, bar.end_decorations)
        if bar.count > 1:
            begins = "".join(f"[Q:{_tempo(chord.tempo, None)}]" for chord in bar.chords if chord.tempo)
            return f"{fields}{begins}Z{bar.count}{marks}"
        lines = [bar.chords, *bar.overlays]
        return fields + "&".join(self._line(line) for line in lines) + marks

    def _fields(self, bar: Bar) -> Iterator[str]:
        """What changes as it begins."""
        if bar.part:
            yield f"P:{bar.part}"
        if bar.meter:
            self._meter = bar.meter
            yield f"M:{_meter(bar.meter)}"
        clef = bar.clef
        if bar.key:
            self._spelling.turn_to(_spellable_key(bar.key))
        if bar.key or clef or bar.transposition is not None:
            self._clef = clef or self._clef
            said = [_key(bar.key)] if bar.key else []
            said += [f"clef={_clef(clef)}"] if clef else []
            said += [f"transpose={bar.transposition}"] if bar.transposition is not None else []
            yield f"K:{' '.join(said)}"
        if tempo := _tempo(bar.tempo, bar.tempo_mark):
            yield f"Q:{tempo}"

    def _line(self, chords: list[Chord]) -> str:
        made = []
        left, sign = 0, ""
        for index, chord in enumerate(chords):
            following = chords[index + 1] if index + 1 < len(chords) else None
            text = f"[Q:{_tempo(chord.tempo, None)}]" if chord.tempo else ""
            text += "(" * chord.slurs_begun
            is_signed = chord.tuplet is not None and max(chord.tuplet.actual, chord.tuplet.normal) <= _MAX_TUPLET
            if is_signed and not left:
                left = _run(chords, index)
                text += self._tuplet(chord, left)
            left -= 1 if is_signed else left
            pair = None if sign or chord.tuplet else self._broken(chord, following)
            written = self._unit if sign or pair else chord.written_length if is_signed else chord.length
            made.append(text + self._chord(chord, written) + ")" * chord.slurs_ended + (pair or ""))
            sign = pair or ""
            if following and not chord.joins_next and not sign:
                made.append(" ")
        return "".join(made)

    def _tuplet(self, chord: Chord, count: int) -> str:
        tuplet = chord.tuplet
        assert tuplet is not None  # noqa: S101  # the caller has asked
        if (tuplet.actual, tuplet.normal, count) in ((3, 2, 3), (2, 3, 2), (4, 3, 4)):
            return f"({tuplet.actual}"
        return f"({tuplet.actual}:{tuplet.normal}:{count}"

    def _broken(self, chord: Chord, following: Chord | None) -> str | None:
        """The sign between two notes of which one lasts three times as long as the other, a pair of units together."""
        if following is None or following.tuplet or not chord.joins_next or following.graces or following.tempo:
            return None
        pair = (chord.length / self._unit, following.length / self._unit)
        return {(Fraction(3, 2), Fraction(1, 2)): ">", (Fraction(1, 2), Fraction(3, 2)): "<"}.get(pair)

    def _chord(self, chord: Chord, written: Fraction) -> str:
        units = _writable(written / self._unit)
        graces = "".join(
            self._spell(grace) + write_length(_writable(length))
            for grace, length in zip(chord.graces, self._grace_lengths(chord), strict=True)
        )
        notes = [self._spell(pitch, tied=index in chord.tied) for index, pitch in enumerate(chord.pitches)]
        self._spelling.end_note(tied=bool(chord.tied))
        is_tied = len(chord.tied) == len(notes) > 0
        if not is_tied:
            notes = [note + "-" * (index in chord.tied) for index, note in enumerate(notes)]
        head = "z" if not notes else notes[0] if len(notes) == 1 else f"[{''.join(notes)}]"
        return (
            (f"{{{graces}}}" if graces else "")  # in the order of ABC 2.1, 4.20
            + _marks(chord.annotations, chord.decorations, chord.symbol)
            + head
            + write_length(units)
            + "-" * is_tied
        )

    def _grace_lengths(self, chord: Chord) -> list[Fraction]:
        if not chord.grace_lengths:
            return [Fraction(1)] * len(chord.graces)
        return [length * chord.unit / self._unit for length in chord.grace_lengths]

    def _spell(self, pitch: Pitch, *, tied: bool = False) -> str:
        if pitch.alter not in SIGNS:
            place, alter = respelt(pitch.place, pitch.alter)
            pitch = Pitch(place, alter, alter)
        drawn = Pitch(pitch.place - len(STEPS) * self._clef.octaves, pitch.alter, pitch.written)
        return self._spelling.spell(drawn, tied=tied)


def _begun(line: str, bar: Bar) -> str:
    """A line as far as it is written, with the sign that a bar begins with; one bar line where two would meet."""
    opens = ":" * bar.opens_repeat
    if opens and line.endswith(":|") and not line.endswith("::|"):
        line = line[:-2] + ("::" if opens == ":" else f":|{opens}")
    elif opens:
        line = (line if line.endswith("|") else line + "|") + opens
    if bar.ending:
        line += f"{bar.ending} " if line.endswith("|") else f"[{bar.ending} "
    return line


def _end_of(bar: Bar, *, is_last: bool) -> str:
    """The bar line after a bar; an ending's last that ends in no repeat is told by a double one."""
    if bar.closes_repeat:
        return ":" * bar.closes_repeat + "|"
    style = bar.line_style if bar.line_style in _LINES else "|"
    if style in ("", "|") and (is_last or bar.ends_ending):
        return "|]" if is_last else "||"
    return style


def _marks(annotations: tuple[str, ...], decorations: tuple[str, ...], symbol: str | None = None) -> str:
    """What stands before a note or a bar line."""
    made = ""
    if symbol:
        name = symbol if Harmony.parse(symbol) else f"^{symbol}"
        made += f'"{_text(name).translate(_TO_QUOTES)}"'
    made += "".join(f'"{_text(each).translate(_TO_QUOTES)}"' for each in annotations)
    return made + "".join(f"!{name}!" for name in decorations if "!" not in name)


def _with_words(line: str, sung: list[Chord]) -> Iterator[str]:
    """A line of music, and of each verse the words to it."""
    if not line:
        return
    yield line.rstrip()
    verses = max((syllable.verse for chord in sung for syllable in chord.syllables), default=0)
    for verse in range(1, min(verses, _MAX_VERSES) + 1):
        words = "".join(_word(chord, verse, held) for chord, held in zip(sung, _held(sung, verse), strict=True))
        yield f"w:{words.rstrip(' *')}"


def _held(sung: list[Chord], verse: int) -> Iterator[bool]:
    """Whether the syllable before a note is held over it."""
    is_held = False
    for chord in sung:
        own = _syllable(chord, verse)
        yield is_held and own is None
        is_held = own.is_held if own else is_held


def _word(chord: Chord, verse: int, is_held: bool) -> str:
    syllable = _syllable(chord, verse)
    if syllable is None:
        return "_ " if is_held else "* "
    text = "~".join(
        _text(syllable.text).replace("-", "\\-").replace("_", " ").replace("*", " ").replace("|", " ").split()
    )
    return (text or "*") + ("-" if syllable.joins_next else " ")


def _syllable(chord: Chord, verse: int) -> Syllable | None:
    return next((syllable for syllable in chord.syllables if syllable.verse == verse), None)


def _run(chords: list[Chord], first: int) -> int:
    """How many chords are of the tuplet that begins, or goes on, at one of them."""
    begun = chords[first].tuplet
    for index in range(first, len(chords)):
        tuplet = chords[index].tuplet
        if tuplet is None or begun is None or (tuplet.actual, tuplet.normal) != (begun.actual, begun.normal):
            return index - first
        if index > first and tuplet.starts:
            return index - first
        if tuplet.stops:
            return index - first + 1
    return len(chords) - first


def _unit(score: Score) -> Fraction:
    """The unit by which the score's lengths are the shortest to write."""
    lengths = Counter[Fraction]()
    for voice in score.voices:
        for line in (line for bar in voice.bars if bar.count == 1 for line in bar.lines):
            lengths.update(chord.written_length for chord in line if chord.pitches)
            for one, other in pairwise(line):
                pair = one.length + other.length
                if max(one.length, other.length) * 4 == pair * 3:  # is written as two units, with a sign
                    lengths.subtract((one.length, other.length))
                    lengths.update((pair / 2, pair / 2))
    return min(
        UNIT_LENGTHS, key=lambda unit: sum(len(write_length(length / unit)) * n for length, n in lengths.items())
    )


def _writable(units: Fraction) -> Fraction:
    """The nearest number of units that is written with numbers that readers take."""
    if units.denominator > _FINEST:
        units = Fraction(max(1, round(units * _FINEST)), _FINEST)
    if units.numerator > _MAX_NUMBER:
        units = Fraction(max(1, min(_MAX_NUMBER, round(units))))
    return units


def _spellable_key(key: Key) -> Key:
    return Key(max(-7, min(7, key.fifths)), key.mode, key.altered, key.tonic)


def _key(key: Key) -> str:
    """What `K:` says: the tonic and mode, and what the signature has beside; `none` where it has nothing."""
    signs = "".join(f" {SIGNS[alter]}{step.lower()}" for step, alter in key.altered if alter in SIGNS)
    if key.tonic and not key.fifths and fifths_of(key.tonic[0], key.tonic[1:], key.mode):
        return f"{key.tonic} exp{signs}"
    if key.tonic:
        return key.name + signs
    if key.fifths:
        return _TONICS[max(-7, min(7, key.fifths)) + 7] + signs
    return ("C exp" + signs) if signs else "none"


def _meter(meter: Meter) -> str:
    return "none" if meter.beats is None else meter.sign or f"{meter.beats}/{meter.unit}"


def _clef(clef: Clef) -> str:
    name = _CLEF_NAMES.get((clef.sign, clef.line), f"{clef.sign[:1]}{clef.line}")
    return name + {1: "+8", 2: "+15", -1: "-8", -2: "-15"}.get(clef.octaves, "")


def _tempo(quarters: float | None, mark: Tempo | None) -> str:
    """What `Q:` says; empty where there is nothing to say."""
    words = f'"{_text(mark.words).translate(_TO_QUOTES)}"' if mark and mark.words else ""
    if mark and mark.count and mark.beats:
        beats, count = " ".join(map(str, map(_as_part, mark.beats))), float(mark.count)
    else:
        beats, count = "1/4", quarters or 0.0
    number = f"{beats}={round(count, 2):g}" if 0.01 <= count < 1000 else ""
    return f"{words} {number}".strip()


def _as_part(beat: Fraction) -> str:
    return f"{beat.numerator}/{beat.denominator}"


def _text(said: str) -> str:
    """A text with what ABC reads in it as signs escaped, on one line."""
    return _ESCAPED.sub(r"\\\g<0>", on_one_line(said))
