"""`picture`: draws the first tunes of models side by side as scores."""

import argparse
import tempfile
from pathlib import Path

from training import atomic_file
from training.cli.arguments import several
from training.cli.command import Command


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "models", type=Path, nargs="+", metavar="MODEL", help="run folders, or NAME/VERSION in a store"
    )
    command.add_argument("--tunes", type=several, default=10, help="seeds from 1 up to this (default: 10)")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="where it goes, as .svg or .png")


def _run(options: argparse.Namespace) -> int:
    from app.rendering.engrave import png
    from training.evaluation.candidate import open_candidate
    from training.evaluation.tune_picture import picture
    from training.evaluation.tune_sampling import draw_as_served

    with tempfile.TemporaryDirectory(prefix="lilt-picture-") as folder:
        candidates = [open_candidate(path, Path(folder), reads_books=False) for path in options.models]
        drawn = {each.name: draw_as_served(each, range(1, options.tunes + 1)) for each in candidates}
    drawing = picture(drawn)
    atomic_file.write(options.out, png(drawing) if options.out.suffix == ".png" else drawing.encode())
    print(options.out)
    return 0


COMMAND = Command("picture", "draw the first tunes of models side by side, as scores in a picture", _add, _run)
