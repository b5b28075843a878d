"""`sample`: prints tunes of a run or of a published model."""

import argparse
import sys
from pathlib import Path

from training.cli.arguments import temperature, whole
from training.cli.command import Command


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    command.add_argument("--start", default="X:1\n", help="what each tune begins with (default: X:1 and a line end)")
    command.add_argument("--tunes", type=whole, default=1)
    command.add_argument("--temperature", type=temperature, default=1.0)
    command.add_argument("--length", type=whole, default=1500, help="most characters of a tune (default: 1500)")
    command.add_argument("--seed", type=whole, default=1, help="of the first tune; the next ones count up")


def _run(options: argparse.Namespace) -> int:
    from training.evaluation.sample import sample
    from training.evaluation.weights_source import open_trained

    seeds = range(options.seed, options.seed + options.tunes)
    tunes = sample(open_trained(options.run), options.start, seeds, options.temperature, options.length)
    for seed, tune in zip(seeds, tunes, strict=True):
        if tune is None:
            print(f"seed {seed}: no end within {options.length} characters", file=sys.stderr)
        else:
            print(tune, end="\n\n")
    return 0


COMMAND = Command("sample", "print tunes", _add, _run)
