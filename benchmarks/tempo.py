"""`python -m benchmarks.tempo`: notes a minute of known tunes, by rhythm and metre, at the speed of their kind.

The tunes are those that the default model learnt from. For one rhythm the metres are compared with their common median:
the table of speeds is right where a tune sounds as fast in whichever metre it is written.
"""

import argparse
import statistics
from collections import defaultdict

from app.abc.dances import dance_of, notes_a_quarter, quarters_a_minute
from app.abc.reader import read
from app.settings import Settings
from model_store.store import Store

SAMPLE = 60  # tunes of a rhythm in a metre
MIN_TUNES = 3  # fewer say nothing of a metre


def notes_a_minute(tunes: list[str], sample: int) -> dict[str, dict[str, list[float]]]:
    """By rhythm and metre, for the first so many tunes of each; those that say a tempo of their own are left out."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for tune in tunes:
        score = read(tune)
        meter = f"{score.meter.beats}/{score.meter.unit}"
        of_this = found[dance_of(score.rhythm, score.meter).name if score.rhythm else "(none)"][meter]
        if score.tempo is None and len(of_this) < sample:
            of_this.append(notes_a_quarter(score) * quarters_a_minute(score))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tunes", type=int, default=SAMPLE)
    arguments = parser.parse_args()
    index = Store(Settings().model_store).load("irish").tune_index()
    if index is None:
        raise SystemExit("the model has no index of its tunes")
    tunes = [index.abc(number) for number in range(len(index))]
    print(f"{'rhythm':14}{'metre':8}{'tunes':>6}{'notes a minute':>16}{'beside the rhythm':>19}")
    for rhythm, meters in sorted(notes_a_minute(tunes, arguments.tunes).items()):
        medians = {m: statistics.median(values) for m, values in meters.items() if len(values) >= MIN_TUNES}
        middle = statistics.fmean([min(medians.values()), max(medians.values())]) if medians else 0.0
        for meter, median in sorted(medians.items(), key=lambda item: -len(meters[item[0]])):
            print(f"{rhythm:14}{meter:8}{len(meters[meter]):6}{median:16.0f}{100 * (median / middle - 1):+17.1f} %")


if __name__ == "__main__":
    main()
