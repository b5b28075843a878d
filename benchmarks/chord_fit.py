"""`python -m benchmarks.chord_fit TUNEBOOK...`: how the chords of `POST /chords` fit tunes that bear none.

Counted are chord tones on strong beats (a bar's first, and where its second half begins) and on all beats, beside what
the tonic throughout would have had; cadences: on which chord parts and phrases of four bars begin and end, and what
leads home; and every chord with a note outside its key, by its degree and kind.
"""

import argparse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from app.abc.chord_symbols import Harmony
from app.abc.harmony import Changes, harmonize, harmony_at
from app.abc.key_chords import candidates
from app.abc.keys import Key
from app.abc.meters import Meter
from app.abc.pitch import NATURAL_SEMITONES, SEMITONES_PER_OCTAVE
from app.abc.playing_order import sections
from app.abc.reader import read
from app.abc.score import Bar, Score
from benchmarks.chords import tunes_of

_PHRASE = 4
_DEGREES = ("I", "bII", "II", "bIII", "III", "IV", "#IV", "V", "bVI", "VI", "bVII", "VII")
_KINDS = {(0, 4, 7): "", (0, 3, 7): "m", (0, 7): "5"}


@dataclass
class Fit:
    """What was counted."""

    tunes: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    chords: Counter[str] = field(default_factory=Counter)
    foreign: Counter[str] = field(default_factory=Counter)
    """chords with a note outside their key, by mode and degree"""

    def share(self, name: str, of: str) -> str:
        """One count in hundredths of another."""
        return f"{100 * self.counts[name] / max(1, self.counts[of]):5.1f} %"

    def table(self) -> Iterator[str]:
        """Lines to print."""
        counts = self.counts
        yield f"{self.tunes} tunes, {counts['chords']} chords"
        for beats in ("strong beats", "beats"):
            found, tonic = self.share(f"{beats}: chord tone", beats), self.share(f"{beats}: tonic's", beats)
            yield f"  {beats:34}{counts[beats]:7}  with a tone of their chord {found} (of the tonic throughout {tonic})"
        for what, of in (
            ("begin on the tonic", "parts"),
            ("end on the tonic", "parts"),
            ("come to it from a chord that leads there", "parts that end on the tonic"),
            ("end on the dominant or the seventh", "parts that end elsewhere"),
            ("pause on the dominant or the seventh", "phrases within parts"),
            ("pause on the tonic", "phrases within parts"),
            ("end on the tonic", "tunes"),
        ):
            yield f"  {of:34}{counts[of]:7}  {what} {self.share(f'{of}: {what}', of)}"
        yield "  degrees: " + ", ".join(f"{name} {count}" for name, count in self.chords.most_common(12))
        outside = ", ".join(f"{name} {count}" for name, count in self.foreign.most_common()) or "none"
        yield f"  with a note outside the key: {outside}"


def measure(score: Score, fit: Fit) -> None:
    """Count one tune."""
    changes = harmonize(score)
    bars = score.voices[0].bars
    signatures = _signatures(score, bars)
    fit.tunes += 1
    for index, bar in enumerate(bars):
        meter, key = signatures[index]
        for _, harmony in changes[index]:
            _count_chord(fit, harmony, key)
        if any(changes[: index + 1]) and bar.length == (meter.length or bar.length):
            _count_beats(fit, bar, changes, index, meter, key)
    for first, last in sorted(set(sections(bars))):
        _count_cadences(fit, bars, changes, first, last, signatures)


def _signatures(score: Score, bars: list[Bar]) -> list[tuple[Meter, Key]]:
    meter, key, found = score.meter, score.key, []
    for bar in bars:
        meter, key = bar.meter or meter, bar.key or key
        found.append((meter, key))
    return found


def _count_chord(fit: Fit, harmony: Harmony, key: Key) -> None:
    fit.counts["chords"] += 1
    tonic = candidates(key)[0][0].root
    kind = tuple(sorted((tone - harmony.root) % SEMITONES_PER_OCTAVE for tone in harmony.tones))
    name = _DEGREES[(harmony.root - tonic) % SEMITONES_PER_OCTAVE] + _KINDS.get(kind, str(kind))
    fit.chords[name] += 1
    scale = {(semitones + key.alter(letter)) % SEMITONES_PER_OCTAVE for letter, semitones in NATURAL_SEMITONES.items()}
    if not scale.issuperset(harmony.tones):
        fit.foreign[f"{key.mode.name} {name}"] += 1


def _count_beats(fit: Fit, bar: Bar, changes: list[Changes], index: int, meter: Meter, key: Key) -> None:
    tonic = candidates(key)[0][0]
    beat = Fraction(3, meter.unit) if meter.is_compound else Fraction(1, meter.unit)
    half = bar.length / 2
    at = Fraction(0)
    while at < bar.length:
        harmony, sounding = harmony_at(changes, index, at), _sounding(bar, at)
        if harmony is not None and sounding:
            strong = at in (0, half) and (half % beat == 0 or not at)
            for name in ("beats", *(("strong beats",) if strong else ())):
                fit.counts[name] += 1
                fit.counts[f"{name}: chord tone"] += bool(sounding & set(harmony.tones))
                fit.counts[f"{name}: tonic's"] += bool(sounding & set(tonic.tones))
        at += beat


def _sounding(bar: Bar, at: Fraction) -> set[int]:
    position = Fraction(0)
    for chord in bar.chords:
        if position <= at < position + chord.length:
            return {pitch.midi % SEMITONES_PER_OCTAVE for pitch in chord.pitches}
        position += chord.length
    return set()


def _count_cadences(
    fit: Fit, bars: list[Bar], changes: list[Changes], first: int, last: int, signatures: list[tuple[Meter, Key]]
) -> None:
    meter, key = signatures[last]
    whole = [n for n in range(first, last + 1) if bars[n].length >= (meter.length or bars[n].length)]
    if not whole or last - first < _PHRASE - 1:
        return
    tonic = candidates(key)[0][0].root
    home = {tonic}
    dominant = {(tonic + degree) % SEMITONES_PER_OCTAVE for degree in (7, 10, 11)}
    leading = dominant | {(tonic + 5) % SEMITONES_PER_OCTAVE}
    begun, ended = harmony_at(changes, whole[0], Fraction(0)), harmony_at(changes, last, bars[last].length)
    fit.counts["parts"] += 1
    fit.counts["parts: begin on the tonic"] += begun is not None and begun.root in home
    fit.counts["parts: end on the tonic"] += ended is not None and ended.root in home
    if ended is not None and ended.root in home:
        before = [harmony.root for n in range(first, last + 1) for _, harmony in changes[n] if harmony.root not in home]
        fit.counts["parts that end on the tonic"] += 1
        name = "parts that end on the tonic: come to it from a chord that leads there"
        fit.counts[name] += bool(before) and before[-1] in leading
    else:
        fit.counts["parts that end elsewhere"] += 1
        name = "parts that end elsewhere: end on the dominant or the seventh"
        fit.counts[name] += ended is not None and ended.root in dominant
    if last == len(bars) - 1:
        fit.counts["tunes"] += 1
        fit.counts["tunes: end on the tonic"] += ended is not None and ended.root in home
    for number in range(_PHRASE - 1, len(whole) - 1, _PHRASE):
        paused = harmony_at(changes, whole[number], bars[whole[number]].length)
        fit.counts["phrases within parts"] += 1
        fit.counts["phrases within parts: pause on the tonic"] += paused is not None and paused.root in home
        name = "phrases within parts: pause on the dominant or the seventh"
        fit.counts[name] += paused is not None and paused.root in dominant


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebooks", type=Path, nargs="+")
    arguments = parser.parse_args()
    for book in arguments.tunebooks:
        fit = Fit()
        for tune in tunes_of(book):
            score = read(tune)
            if score.voices:
                measure(score, fit)
        print(f"{book.name}: {next(lines := fit.table())}")
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()
