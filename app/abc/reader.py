"""A lenient ABC parser: reads one tune's text into a `Score`, and reports what it skips.

Notation: the ABC standard 2.1, sections 3 and 4. It never raises for what stands among the notes, but lists what it
skipped in `faults`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm

from app.abc.keys import MAJOR, TONIC, Key, fifths_of, mode_of
from app.abc.meters import SYMBOLS, Meter, default_unit
from app.abc.pitch import ACCIDENTALS, SIGN, STEPS, Pitch
from app.abc.score import Bar, Chord, Score, Tuplet, Voice
from app.abc.tokens import (
    Note,
    parse_broken,
    parse_chord,
    parse_note,
    parse_notes,
    parse_rest,
    parse_tuplet,
    tokens,
)
from app.abc.tunebook import FIELD, split_header
from app.errors import Fault

_KEY = re.compile(rf"\s*{TONIC}\s*([A-Za-z]*)(.*)")
_KEY_ACCIDENTAL = re.compile(rf"{SIGN}([A-Ga-g])")
_ASSIGNMENT = re.compile(r"(?<!\w)\w+=\S*")  # as `clef=bass`
_METER = re.compile(r"\(?\s*(\d{1,3}(?:\s*+\+\s*\d{1,3})*)\s*+\)?\s*+/\s*(\d{1,3})")
_TEMPO = re.compile(r"\s*(?:\"[^\"]*\"\s*)?((?:\d+/\d+\s*)*)=?\s*(\d+(?:\.\d+)?)?")
SHORT_TEXT = 200  # characters kept of a title or of an annotation
_MAX_FAULTS = 20


def parse_key(text: str) -> Key:
    """What a `K:` field says; no signature where it says nothing that is known (ABC 2.1, section 3.1.14)."""
    if text.strip()[:2] in ("HP", "Hp"):
        return Key(2)
    match = _KEY.match(text)
    if not match or match[3][:4].lower() in ("clef", "none"):
        return Key(altered=_altered(text))
    tonic, accidental, word, rest = match.groups()
    mode = mode_of(word)
    if mode is None:
        mode, rest = MAJOR, word + rest
    fifths = fifths_of(tonic, accidental, mode)
    if word.lower() == "exp" or rest.lower().lstrip().startswith("exp"):
        fifths = 0
    return Key(fifths, mode, _altered(rest), tonic + accidental)


def _altered(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((step.upper(), ACCIDENTALS[sign]) for sign, step in _KEY_ACCIDENTAL.findall(_ASSIGNMENT.sub("", text)))


def parse_meter(text: str) -> Meter:
    """What an `M:` field says."""
    text = text.strip()
    if text.startswith("C"):
        sign, symbol = ("C|", "cut") if text.startswith("C|") else ("C", "common")
        return Meter(*SYMBOLS[sign], symbol)
    match = _METER.match(text)
    if not match or not int(match[2]):
        return Meter(None)
    return Meter(sum(int(part) for part in match[1].split("+")) or 4, int(match[2]))


def parse_tempo(text: str, unit: Fraction) -> float | None:
    """Quarter notes a minute of a `Q:` field; None where it gives no number."""
    match = _TEMPO.match(text.replace("C=", "="))
    if not match or not match[2]:
        return None
    beats = [Fraction(int(a), int(b)) for a, b in re.findall(r"(\d+)/(\d+)", match[1]) if int(b)]
    return float(sum(beats, Fraction(0)) or unit) * 4 * float(match[2])


def parse_unit(text: str) -> Fraction | None:
    """What an `L:` field says; None where it says nothing."""
    match = re.match(r"\s*(\d{1,3})\s*(?:/\s*(\d{1,3}))?", text)
    if not match or not int(match[1]) or (match[2] and not int(match[2])):
        return None
    return Fraction(int(match[1]), int(match[2] or 1))


def parse_voice(text: str) -> str:
    """The name of the voice that a `V:` field turns to."""
    return (text.split() or ["1"])[0][:SHORT_TEXT]


@dataclass(frozen=True)
class Header:
    """The fields up to `K:`, each with all its values, and what they say of the notes that follow."""

    fields: dict[str, list[str]]
    key: Key
    meter: Meter
    unit: Fraction

    @property
    def tempo(self) -> float | None:
        """Quarter notes a minute."""
        return parse_tempo(self.fields.get("Q", [""])[-1], self.unit)

    def first(self, name: str) -> str | None:
        """A field's first value."""
        return next(iter(self.fields.get(name, [])), None)


def read_header(abc: str) -> tuple[Header, list[str]]:
    """The header of a tune, and the lines after it."""
    fields, body = split_header(abc.split("\n"))
    key = parse_key(fields["K"][0]) if "K" in fields else Key()
    meter = parse_meter(fields["M"][-1]) if "M" in fields else Meter()
    unit = parse_unit(fields["L"][-1]) if "L" in fields else None
    return Header(fields, key, meter, unit or default_unit(meter.length)), body


@dataclass
class Size:
    """How large a tune is, as far as it has been read; all voices together."""

    bars: int = 0
    """a rest of several bars counts as so many"""
    notes: int = 0
    """rests and grace notes too"""
    whole_notes: Fraction = Fraction(0)
    """how long the bars are, each once"""
    divisions: int = 1
    """of a whole note, such that every length is a whole number of them"""


@dataclass
class _State:
    """One voice as it is being read."""

    voice: Voice
    unit: Fraction
    key: Key
    meter: Meter
    tempo: float | None
    bar: Bar = field(default_factory=Bar)
    accidentals: dict[str, int] = field(default_factory=dict)
    tuplet: Tuplet | None = None
    tuplet_left: int = 0
    graces: tuple[Pitch, ...] = ()
    symbol: str | None = None
    annotations: list[str] = field(default_factory=list)
    decorations: list[str] = field(default_factory=list)
    slurs: int = 0
    broken: Fraction = Fraction(1)
    last: Chord | None = None
    in_ending: bool = False


class Reader:
    """Reads one tune; `score`, `faults` and `size` are its result.

    Its work is linear in the text's length.

    Args:
        abc: the tune.
        measure: told the size so far after each line of music, with the line's number; may raise.
    """

    def __init__(self, abc: str, measure: Callable[[Size, int], None] = lambda _, __: None) -> None:
        self.faults: list[Fault] = []
        self.size = Size()
        self._denominators: set[int] = set()
        self._header, body = read_header(abc)
        self._states: dict[str, _State] = {}
        self._now: _State | None = None
        last = abc.count("\n") + 1
        for number, line in enumerate(body, last + 1 - len(body)):
            if match := FIELD.match(line):
                self._body_field(match[1], match[2].split("%")[0])
            elif line.strip() and not line.startswith("%"):
                self._music(line, number)
                measure(self.size, number)
        for state in self._states.values():
            self._close_bar(state)
        measure(self.size, last)
        self.score = Score(
            titles=tuple(title[:SHORT_TEXT] for title in self._header.fields.get("T", [])),
            composer=self._header.first("C"),
            rhythm=self._header.first("R"),
            key=self._header.key,
            meter=self._header.meter,
            tempo=self._header.tempo,
            parts=self._header.first("P"),
            voices=[state.voice for state in self._states.values() if state.voice.bars],
        )

    def _state(self) -> _State:
        return self._now or self._turn_to("1")

    def _turn_to(self, name: str) -> _State:
        if name not in self._states:
            head = self._header
            self._states[name] = _State(Voice(name), head.unit, head.key, head.meter, head.tempo)
        self._now = self._states[name]
        return self._now

    def _body_field(self, name: str, value: str) -> None:
        if name == "V":
            self._turn_to(parse_voice(value))
            return
        state = self._state()
        if name == "K":
            self._close_if_begun(state)
            state.key = state.bar.key = parse_key(value)
        elif name == "M":
            self._close_if_begun(state)
            state.meter = state.bar.meter = parse_meter(value)
        elif name == "L":
            state.unit = parse_unit(value) or state.unit
        elif name == "Q":
            state.tempo = state.bar.tempo = parse_tempo(value, state.unit) or state.tempo
        elif name == "P":
            self._close_if_begun(state)
            state.bar.part = value.strip()[:1]

    def _close_if_begun(self, state: _State) -> None:
        if state.bar.chords:
            self._close_bar(state)

    def _music(self, line: str, number: int) -> None:
        state = self._state()
        state.bar.starts_line = True
        for token in tokens(line):
            state = self._state()
            kind = token.lastgroup or ""
            handle = getattr(self, f"_read_{_GROUPS.get(kind, kind)}", None)
            if handle is not None:
                handle(state, token)
            elif kind == "other" and len(self.faults) < _MAX_FAULTS:
                message = f"{token[0]!r} is not music"
                self.faults.append(Fault(message, line=number, column=token.start() + 1))
            if kind in ("space", "broken") and state.last:
                state.last.joins_next = state.last.joins_next and kind == "broken"

    def _read_quoted(self, state: _State, token: re.Match[str]) -> None:
        text = token[0][1:-1][:SHORT_TEXT]
        if text[:1] in tuple(STEPS):
            state.symbol = text
        elif text[:1] in tuple("^_<>@"):
            state.annotations.append(text[1:])

    def _read_decoration(self, state: _State, token: re.Match[str]) -> None:
        state.decorations.append(token[0].strip("!"))

    def _read_mark(self, state: _State, token: re.Match[str]) -> None:
        name = {".": "staccato", "~": "roll", "H": "fermata", "T": "trill", "u": "upbow", "v": "downbow"}.get(token[0])
        if name:
            state.decorations.append(name)

    def _read_field(self, _: _State, token: re.Match[str]) -> None:
        self._body_field(token[0][1], token[0][3:-1])

    def _read_ending(self, state: _State, token: re.Match[str]) -> None:
        self._close_if_begun(state)
        self._begin_ending(state, token[0][1:])

    def _begin_ending(self, state: _State, number: str) -> None:
        if state.in_ending and state.voice.bars:
            state.voice.bars[-1].ends_ending = True
        state.bar.ending = re.sub(r"[^\d,-]", "", number).strip(",-")[:10]
        state.in_ending = True

    def _read_bar(self, state: _State, token: re.Match[str]) -> None:
        line = token["bar"]
        core = line.strip(":")
        closes = len(line) - len(line.lstrip(":")) if core else len(line) // 2
        opens = len(line) - len(line.rstrip(":")) if core else len(line) - closes
        ends_part = bool(closes) or core in ("||", "|]", "[|") or "]" in core
        target = state.bar if state.bar.chords else (state.voice.bars[-1] if state.voice.bars else None)
        if target is not None:
            target.closes_repeat = max(target.closes_repeat, min(closes, 9))
            if closes or core not in ("|", ""):
                target.line_style = core or "::"
            if state.in_ending and ends_part:
                target.ends_ending, state.in_ending = True, False
        self._close_if_begun(state)
        state.bar.opens_repeat = max(state.bar.opens_repeat, min(opens, 9))
        state.accidentals.clear()
        if token["number"]:
            self._begin_ending(state, token["number"])

    def _close_bar(self, state: _State) -> None:
        if not state.bar.chords:
            return
        seconds_per_whole = 240 / (state.tempo or 120)
        length = state.bar.length
        state.bar.seconds = float(length) * seconds_per_whole
        self.size.bars += state.bar.count
        self.size.whole_notes += length * state.bar.count
        state.voice.bars.append(state.bar)
        state.bar = Bar()
        state.accidentals.clear()
        state.last = None

    def _read_grace(self, state: _State, token: re.Match[str]) -> None:
        state.graces = self._pitches(state, parse_notes(token[0]))[:20]

    def _read_tuplet(self, state: _State, token: re.Match[str]) -> None:
        if said := parse_tuplet(token[0], state.meter.is_compound):
            actual, normal, state.tuplet_left = said
            state.tuplet = Tuplet(actual, normal, starts=True)

    def _read_note(self, state: _State, token: re.Match[str]) -> None:
        found = parse_note(token[0])
        self._add(state, self._pitches(state, [found]), found.length)

    def _read_rest(self, state: _State, token: re.Match[str]) -> None:
        bars, length = parse_rest(token[0])
        if length is not None:
            self._add(state, (), length)
        elif bars:
            if bars > 1:
                self._close_if_begun(state)
            self._add(state, (), (state.meter.length or Fraction(1)) / state.unit)
            state.bar.count = bars

    def _read_chord(self, state: _State, token: re.Match[str]) -> None:
        found, length, is_tied = parse_chord(token[0])
        if found:
            self._add(state, self._pitches(state, found), length)
            if state.last and is_tied:
                state.last.is_tied = True

    def _read_broken(self, state: _State, token: re.Match[str]) -> None:
        if state.last is not None and state.broken == 1:
            first, state.broken = parse_broken(token[0])
            state.last.length *= first

    def _read_tie(self, state: _State, _: re.Match[str]) -> None:
        if state.last:
            state.last.is_tied = bool(state.last.pitches)

    def _read_slur(self, state: _State, token: re.Match[str]) -> None:
        if token[0] == "(":
            state.slurs += 1
        elif state.last:
            state.last.slurs_ended += 1

    def _add(self, state: _State, pitches: tuple[Pitch, ...], multiple: Fraction) -> None:
        if state.bar.count > 1:
            self._close_bar(state)
        length = multiple * state.unit * state.broken
        tuplet = None
        if state.tuplet and state.tuplet_left:
            state.tuplet_left -= 1
            made = state.tuplet
            tuplet = Tuplet(made.actual, made.normal, made.starts, stops=not state.tuplet_left)
            length *= Fraction(made.normal, made.actual)
            state.tuplet = Tuplet(made.actual, made.normal) if state.tuplet_left else None
        chord = Chord(
            pitches,
            length,
            tuplet,
            state.graces,
            state.symbol,
            tuple(state.annotations),
            tuple(state.decorations),
            slurs_begun=state.slurs,
            joins_next=True,
        )
        state.bar.chords.append(chord)
        state.last = chord
        self.size.notes += max(1, len(pitches)) + len(state.graces)
        if length.denominator not in self._denominators:
            self._denominators.add(length.denominator)
            self.size.divisions = lcm(self.size.divisions, length.denominator)
        state.graces, state.symbol, state.slurs, state.broken = (), None, 0, Fraction(1)
        state.annotations, state.decorations = [], []

    def _pitches(self, state: _State, notes: list[Note]) -> tuple[Pitch, ...]:
        pitches = []
        for note in notes:
            if note.accidental is not None:
                state.accidentals[note.step] = note.accidental  # in every octave, to the bar's end (ABC 2.1, 4.2)
            alter = state.accidentals.get(note.step, state.key.alter(note.step))
            pitches.append(Pitch(note.place, alter, note.accidental))
        return tuple(pitches)


_GROUPS = {"number": "bar"}


def read(abc: str) -> Score:
    """The score of one tune."""
    return Reader(abc).score
