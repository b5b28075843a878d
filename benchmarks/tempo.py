"""`python -m benchmarks.tempo [TUNEBOOK...]`: notes a minute of tunes, by rhythm and metre, at the speed of their kind.

The tunes are those that the default model learnt from, or those of tunebooks. For one rhythm the metres are compared
with their common median: the table of speeds is right where a tune sounds as fast in whichever metre it is written.
Beside it stand the table's own speed, and how fast dancers want it, where there is a source (`app/abc/dances.py`).
"""

import argparse
import statistics
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

from app.abc.dances import DANCES, dance_of, notes_a_quarter, quarters_a_minute
from app.abc.reader import read
from app.errors import NotationError
from app.settings import Settings
from benchmarks.chords import tunes_of
from model_store.store import Store

SAMPLE = 60  # tunes of a rhythm in a metre
MIN_TUNES = 3  # fewer say nothing of a metre


def notes_a_minute(tunes: list[str], sample: int) -> dict[str, dict[str, list[float]]]:
    """By rhythm and metre, for the first so many tunes of each that say their rhythm and no tempo of their own."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for tune in tunes:
        try:
            score = read(tune)
        except NotationError:
            continue
        meter = f"{score.meter.beats}/{score.meter.unit}"
        if not score.rhythm:
            continue
        of_this = found[dance_of(score.rhythm, score.meter).name][meter]
        if score.tempo is None and len(of_this) < sample:
            of_this.append(notes_a_quarter(score) * quarters_a_minute(score))
    return found


def known() -> list[str]:
    """The tunes that the default model learnt from."""
    index = Store(Settings().model_store).load("irish").tune_index()
    if index is None:
        raise SystemExit("the model has no index of its tunes")
    return [index.abc(number) for number in range(len(index))]


def speed(rhythm: str) -> str:
    """The table's beats a minute, and those that dancers want."""
    dance = next((dance for dance in DANCES if dance.name == rhythm), None)
    if dance is None:
        return ""
    beat = {Fraction(1, 2): "minims", Fraction(3, 8): "dotted crotchets", Fraction(1, 4): "crotchets"}[dance.beat]
    dancers = "-".join(f"{each:g}" for each in dict.fromkeys(dance.dancers or ())) or "no source"
    return f"{dance.beats_a_minute:g} {beat}, {dancers}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tunebooks", type=Path, nargs="*")
    parser.add_argument("--tunes", type=int, default=SAMPLE, help="of a rhythm in a metre, at the most")
    arguments = parser.parse_args()
    tunes = [tune for book in arguments.tunebooks for tune in tunes_of(book)] or known()
    print(f"{'rhythm':14}{'metre':8}{'tunes':>6}{'notes a minute':>16}{'beside the rhythm':>19}  speed, dancers'")
    for rhythm, meters in sorted(notes_a_minute(tunes, arguments.tunes).items()):
        medians = {m: statistics.median(values) for m, values in meters.items() if len(values) >= MIN_TUNES}
        middle = statistics.fmean([min(medians.values()), max(medians.values())]) if medians else 0.0
        for meter, median in sorted(medians.items(), key=lambda item: -len(meters[item[0]])):
            beside = 100 * (median / middle - 1)
            print(f"{rhythm:14}{meter:8}{len(meters[meter]):6}{median:16.0f}{beside:+17.1f} %  {speed(rhythm)}")


if __name__ == "__main__":
    main()
