"""`python -m benchmarks.chords TUNEBOOK...`: our chords beside those that tunes bear, by half bars.

Each tune's own symbols are taken out and chords found for what is left; each half bar's own chord is that which sounds
for most of it. Counted are the same root, and the same function: on the tonic's side, the subdominant's or the
dominant's, as degrees I, III and VI; IV and II; V and VII. Beside them stands what the tonic throughout would have had.
"""

import argparse
import re
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path

from app.abc.chord_symbols import Harmony
from app.abc.harmony import harmonize, harmony_at
from app.abc.key_chords import candidates
from app.abc.reader import read
from app.abc.score import Score

_SYMBOL = re.compile(r'"[A-G][^"\n]*"')
_FUNCTIONS = {0: "T", 3: "T", 4: "T", 8: "T", 9: "T", 5: "S", 2: "S", 7: "D", 10: "D", 11: "D", 1: "S", 6: "D"}
MIN_CHORDS = 8
"""with fewer a tune's symbols are remarks"""


def compare(abc: str) -> Counter[str]:
    """What is equal in one tune, by half bars."""
    score, plain = read(abc), read(_SYMBOL.sub("", abc))
    theirs, ours = harmonize(score), harmonize(plain)
    if len(theirs) != len(ours):
        return Counter()  # a quote is missing
    found: Counter[str] = Counter()
    meter, key = score.meter, score.key
    for index, bar in enumerate(score.voices[0].bars):
        meter, key = bar.meter or meter, bar.key or key
        whole = meter.length or bar.length
        if bar.length != whole or not any(theirs[: index + 1]):
            continue
        tonic = candidates(key)[0][0].root
        for half in range(2):
            at = whole * half / 2 + Fraction(1, 64)
            wanted, found_chord = harmony_at(theirs, index, at), harmony_at(ours, index, at)
            if wanted is None or found_chord is None:
                continue
            functions = [_FUNCTIONS[(chord.root - tonic) % 12] for chord in (wanted, found_chord)]
            found["half bars"] += 1
            found["same root"] += wanted.root == found_chord.root
            found["same function"] += functions[0] == functions[1]
            found["tonic root"] += wanted.root == tonic
            found["tonic function"] += functions[0] == "T"
    return found


def is_chorded(score: Score) -> bool:
    """Whether a tune bears chords, rather than a remark or two."""
    chords = [chord for voice in score.voices[:1] for bar in voice.bars for chord in bar.chords]
    return (
        len(score.voices) == 1 and sum(Harmony.parse(chord.symbol or "") is not None for chord in chords) >= MIN_CHORDS
    )


def tunes_of(book: Path) -> list[str]:
    """What stands between empty lines of a tunebook and has a key."""
    texts = re.split(r"\n\s*\n", book.read_text("utf-8", errors="replace"))
    return [text.strip("\n") + "\n" for text in texts if re.search("^K:", text, re.MULTILINE)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebooks", type=Path, nargs="+")
    arguments = parser.parse_args()
    everything = Counter[str]()
    for book in arguments.tunebooks:
        tunes = [tune for tune in tunes_of(book) if is_chorded(read(tune))]
        if not tunes:
            print(f"{book.name}: no tune bears chords")
            continue
        began, total = time.perf_counter(), Counter[str]()
        for tune in tunes:
            total += compare(tune)
        took = 1000 * (time.perf_counter() - began) / len(tunes)
        print(f"{book.name}: {len(tunes)} tunes with chords, {took:.0f} ms a tune, {shares(total)}")
        everything += total
    print(f"together: {shares(everything)}")


def shares(total: Counter[str]) -> str:
    """What is equal, in hundredths of the half bars."""
    of_all = {
        name: f"{100 * total[name] / max(1, total['half bars']):.1f} %"
        for name in ("same root", "same function", "tonic root", "tonic function")
    }
    return (
        f"{total['half bars']} half bars: same root {of_all['same root']} (the tonic throughout "
        f"{of_all['tonic root']}), same function {of_all['same function']} ({of_all['tonic function']})"
    )


if __name__ == "__main__":
    main()
