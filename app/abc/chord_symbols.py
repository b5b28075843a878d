"""Chord symbols: what one says, and how they are written into a tune (ABC 2.1, section 4.18)."""

import re
from dataclasses import dataclass
from typing import Self

from app.abc.fields import parse_voice
from app.abc.overlays import Overlay
from app.abc.pitch import ALTERATIONS, NATURAL_SEMITONES, SEMITONES_PER_OCTAVE
from app.abc.tokens import parse_rest, tokens
from app.abc.tunebook import FIELD, body_begins, notation_lines

_KIND = r"(?:maj|min|m|M|dim|aug|sus|add|o|\+|-|1[13]|[2-9]|[b#]\d|[()])*"
_SYMBOL = re.compile(rf"([A-G])(#|b)?({_KIND})(?:/([A-Ga-g])(#|b)?)?")
_KINDS = {
    "": (0, 4, 7), "maj": (0, 4, 7), "M": (0, 4, 7), "m": (0, 3, 7), "min": (0, 3, 7), "-": (0, 3, 7),
    "5": (0, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10), "min7": (0, 3, 7, 10), "maj7": (0, 4, 7, 11),
    "M7": (0, 4, 7, 11), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "9": (0, 4, 7, 10), "sus": (0, 5, 7),
    "sus4": (0, 5, 7), "sus2": (0, 2, 7), "dim": (0, 3, 6), "o": (0, 3, 6), "dim7": (0, 3, 6, 9),
    "aug": (0, 4, 8), "+": (0, 4, 8),
}  # fmt: skip


@dataclass(frozen=True)
class Harmony:
    """A chord: its name, the pitch classes of its root and tones, and of its bass note where that is not the root."""

    name: str
    root: int
    tones: tuple[int, ...]
    bass: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What a symbol says, its kind taken as far as it is known; None where it is no chord."""
        match = _SYMBOL.fullmatch(text.strip())
        if not match:
            return None
        letter, sign, kind, bass, bass_sign = match.groups("")
        root = (NATURAL_SEMITONES[letter] + ALTERATIONS[sign]) % SEMITONES_PER_OCTAVE
        kind = re.sub(r"[()]", "", kind)
        longest = max((known for known in _KINDS if kind.startswith(known)), key=len)
        tones = tuple((root + interval) % SEMITONES_PER_OCTAVE for interval in _KINDS[longest])
        lowest = (NATURAL_SEMITONES[bass.upper()] + ALTERATIONS[bass_sign]) % SEMITONES_PER_OCTAVE if bass else root
        return cls(match[0], root, tones, lowest)

    def moved(self, semitones: int) -> "Harmony":
        """The same chord, that many semitones higher; its name stays."""
        return Harmony(
            self.name,
            (self.root + semitones) % SEMITONES_PER_OCTAVE,
            tuple((tone + semitones) % SEMITONES_PER_OCTAVE for tone in self.tones),
            (self.bass + semitones) % SEMITONES_PER_OCTAVE,
        )


def triad(letter: str, alteration: int, kind: str) -> Harmony:
    """A chord of a kind on a root that is named by letter and semitones."""
    sign = {0: "", 1: "#", -1: "b", 2: "##", -2: "bb"}[alteration]
    root = (NATURAL_SEMITONES[letter] + alteration) % SEMITONES_PER_OCTAVE
    return Harmony(
        f"{letter}{sign}{kind}",
        root,
        tuple((root + interval) % SEMITONES_PER_OCTAVE for interval in _KINDS[kind]),
        root,
    )


def write_symbols(abc: str, names: dict[tuple[int, int], str]) -> str:
    """The tune with chord symbols before the notes of its first voice.

    Args:
        abc: one tune.
        names: symbols by bar and place in the bar, both counted as in the `Score` of the tune, from 0.
    """
    lines = abc.split("\n")
    scan = _Scan(names)
    begins = body_begins(lines)
    for number, _, line in notation_lines(lines):
        if field := FIELD.match(line):
            if number >= begins and field[1] == "V":
                scan.turn_to(field[2])
            if number >= begins and field[1] in "KMP":
                scan.end_bar()
        elif number >= begins:
            lines[number] = scan.write(line)
    return "\n".join(lines)


class _Scan:
    """Counts bars and notes of the first voice as the reader does."""

    def __init__(self, names: dict[tuple[int, int], str]) -> None:
        self._names = names
        self._first: str | None = None
        self._is_first = True
        self._overlay = Overlay()
        self._bar, self._place = 0, 0

    def turn_to(self, voice: str) -> None:
        name = parse_voice(voice)
        self._first = self._first or name
        self._is_first = name == self._first

    def end_bar(self) -> None:
        self._overlay.end()
        if self._place and self._is_first:
            self._bar, self._place = self._bar + 1, 0

    def write(self, line: str) -> str:
        """A line of music with its symbols."""
        made: list[str] = []
        done, mark = 0, None
        for token in tokens(line):
            kind = token.lastgroup or ""
            if kind in ("decoration", "mark", "quoted"):
                mark = token.start() if mark is None else mark
                continue
            if kind in ("note", "chord", "rest"):
                name = self._take(token[0], is_rest=kind == "rest")
                if name is not None:
                    at = token.start() if mark is None else mark
                    made += [line[done:at], f'"{name}"']
                    done = at
            elif kind in ("bar", "number", "ending"):
                if not (self._is_first and self._overlay.passes(has_music=bool(self._place))):
                    self.end_bar()
            elif kind == "overlay":
                if self._is_first:
                    self._overlay.begin(token[0], has_music=bool(self._place), bars=self._bar)
            elif kind == "field":
                if token[0][1] == "V":
                    self.turn_to(token[0][3:-1])
                elif token[0][1] in "KMP":
                    self.end_bar()
            mark = None
        self._overlay.end_line(line, has_music=bool(self._place))
        return "".join([*made, line[done:]])

    def _take(self, text: str, *, is_rest: bool) -> str | None:
        if self._first is None:
            self._first = "1"
        if not self._is_first or self._overlay.is_on:
            return None
        if is_rest:
            bars, length = parse_rest(text)
            if length is None and not bars:
                return None
            if bars > 1:
                self.end_bar()  # a rest of several bars is a bar of its own, whatever stands before it
        name = self._names.get((self._bar, self._place))
        self._place += 1
        return name
