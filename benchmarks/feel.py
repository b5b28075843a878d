"""`python -m benchmarks.feel plot.svg`: how far feel takes each rhythm from the grid, and the ratios measured again.

A known tune of each rhythm is played at feel 0, 0.5 and 1 as the service does, its ornaments left out (a piano has
none). At 0 each onset is compared with where the score has it, to a tick, and the file with that of a second service;
at 0.5 and 1 with the onset at 0. Needs matplotlib, which the extra `training` has.
"""

import argparse
import asyncio
import io
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import mido

mpl.use("svg")

import matplotlib.pyplot as plt

from app.abc.dances import is_in_sixteenths
from app.abc.playing_order import playing_order
from app.abc.reader import read
from app.rendering import sandbox
from app.rendering.arrangement import Arrangement
from app.rendering.cache import Cache
from app.rendering.formats import Format
from app.rendering.render_job import RenderOptions
from app.rendering.renderer import Renderer
from app.settings import Settings
from model_store.store import Store

RHYTHMS = (
    "reel", "jig", "slip jig", "slide", "hornpipe", "polka", "strathspey", "waltz", "air", "fling", "clog", "set dance",
)  # fmt: skip
FEELS = (0.0, 0.5, 1.0)
PIANO = 0
TICKS = 480  # a quarter note
SHOWN = 48  # notes of a tune in the plot


@dataclass(frozen=True)
class Notes:
    """Onsets in quarter notes and velocities, in order."""

    onsets: list[float]
    velocities: list[int]
    content: bytes
    """the MIDI file"""


def known_tunes() -> dict[str, str]:
    """A tune of each rhythm: of those without ornaments the one with most notes in eighths, that is the plainest."""
    index = Store(Settings().model_store).load("irish").tune_index()
    if index is None:
        raise SystemExit("the model has no index of its tunes")
    found: dict[str, str] = {}
    for number in range(len(index)):
        abc = index.abc(number)
        rhythm = (read(abc).rhythm or "").lower()
        if rhythm in RHYTHMS and rhythm not in found and not set("{~>(<") & set(abc.split("K:")[1]):
            found[rhythm] = abc + "\n"
    return found


async def play(renderer: Renderer, abc: str, feel: float) -> Notes:
    """What the service's MIDI says."""
    options = RenderOptions(Arrangement(program=PIANO, feel=feel), chords=False)
    rendering = await renderer.render(await renderer.job(abc, Format.MIDI, options), whole=True)
    content = rendering.file.read()
    rendering.leave()
    file = mido.MidiFile(file=io.BytesIO(content))
    tick, onsets, velocities = 0, [], []
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type == "note_on" and message.velocity:
            onsets.append(tick / file.ticks_per_beat)
            velocities.append(message.velocity)
    return Notes(onsets, velocities, content)


def written(abc: str) -> list[float]:
    """Where the score has its notes begin, in quarter notes, all repeats played."""
    found, is_tied = [], False
    for bar in playing_order(read(abc)):
        position = bar.start
        for chord in bar.bar.chords:
            if chord.pitches and not is_tied:
                found.append(float(4 * position))
            is_tied = chord.is_tied
            position += chord.length
    return found


def ratios(abc: str, grid: Notes, heard: Notes) -> list[float]:
    """How long the eighths of a beat are beside one another, over all beats that are written in eighths."""
    score = read(abc)
    eighth = 0.25 if is_in_sixteenths(score) else 0.5
    count = 3 if score.meter.is_compound else 2
    first = score.voices[0].bars[0].length
    pickup = float(first * 4) if score.meter.length and first < score.meter.length else 0.0
    beats: list[list[float]] = []
    for index in range(len(grid.onsets) - count):
        at = (grid.onsets[index] - 1 / 480 - pickup) / eighth
        whole = all(abs(grid.onsets[index + n] - grid.onsets[index] - n * eighth) < 0.01 for n in range(1, count + 1))
        if abs(at % count) < 0.01 and whole:
            beats.append([heard.onsets[index + n + 1] - heard.onsets[index + n] for n in range(count)])
    if not beats:
        return []
    means = [statistics.fmean(beat[n] for beat in beats) for n in range(count)]
    return [count * mean / sum(means) for mean in means]


async def measure(feels: tuple[float, ...] = FEELS) -> dict[str, tuple[str, list[Notes]]]:
    """By rhythm, the tune and its notes at each feel."""
    with tempfile.TemporaryDirectory() as name:
        renderer = Renderer(
            Settings().soundfont, sandbox.probe(), Cache(Path(name), 1), at_once=1, max_waiting=8, max_duration_s=600
        )
        return {
            rhythm: (abc, [await play(renderer, abc, feel) for feel in feels])
            for rhythm, abc in sorted(known_tunes().items())
        }


def draw(found: dict[str, tuple[str, list[Notes]]], path: Path) -> None:
    """Deviations and velocities of each rhythm's first notes."""
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "feel"})
    figure, axes = plt.subplots(len(found), 2, figsize=(12, 2 * len(found)), squeeze=False)
    for (left, right), (rhythm, (_, played)) in zip(axes, found.items(), strict=True):
        grid = played[0]
        for feel, notes in zip(FEELS, played, strict=True):
            shift = [100 * (a - b) for a, b in zip(notes.onsets, grid.onsets, strict=False)][:SHOWN]
            left.plot(grid.onsets[: len(shift)], shift, label=f"feel {feel:g}", linewidth=0.8)
            right.plot(grid.onsets[: len(shift)], notes.velocities[: len(shift)], linewidth=0.8)
        left.set_ylabel(rhythm)
        left.legend(fontsize=6, loc="upper right")
    axes[0][0].set_title("onset, hundredths of a quarter note after the grid")
    axes[0][1].set_title("velocity")
    axes[-1][0].set_xlabel("quarter notes")
    axes[-1][1].set_xlabel("quarter notes")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plot", type=Path)
    arguments = parser.parse_args()
    found, again = asyncio.run(measure()), asyncio.run(measure())
    for rhythm, (abc, played) in found.items():
        grid, score = played[0], written(abc)
        on_it = sum(abs(a - b) <= 1.5 / TICKS for a, b in zip(grid.onsets, score, strict=False))
        is_same = all(one.content == other.content for one, other in zip(played, again[rhythm][1], strict=True))
        print(
            f"{rhythm:12} feel 0: {on_it} of {len(grid.onsets)} onsets where the score's {len(score)} are, velocities "
            f"{', '.join(map(str, sorted(set(grid.velocities))))}; the same bytes again: {'yes' if is_same else 'NO'}"
        )
        for feel, notes in zip(FEELS, played, strict=True):
            shown = " : ".join(f"{ratio:.2f}" for ratio in ratios(abc, played[0], notes))
            off = max(abs(a - b) for a, b in zip(notes.onsets, grid.onsets, strict=False))
            print(
                f"{rhythm:12} feel {feel:3.1f}  eighths {shown:20}  furthest from the grid {off:.3f} of a quarter, "
                f"velocities {min(notes.velocities)} to {max(notes.velocities)}"
            )
    draw(found, arguments.plot)


if __name__ == "__main__":
    main()
