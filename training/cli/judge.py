"""`judge`: holds the tunes of a file beside held-out real ones."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from training import atomic_file
from training.cli.command import Command
from training.corpora import corpus, tunebook
from training.errors import CorpusError


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("tunes", type=Path, metavar="FILE", help="a tunebook, whoever made it")
    command.add_argument(
        "--on", nargs="+", default=[], metavar="BOOK", help="books whose test side it is held beside (default: lab)"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")


def _run(options: argparse.Namespace) -> int:
    from training.evaluation import verdict_table
    from training.evaluation.beside_real import RealSide

    drawn = tunebook.read(options.tunes).tunes
    real = corpus.load(options.on, translate=True)
    beside = RealSide(real.sides.test, real.without_extras(real.sides.train)).beside(drawn)
    if beside is None:
        raise CorpusError(f"{options.tunes}: not one of its {len(drawn)} tunes is understood")
    if options.json:
        atomic_file.write(options.json, (json.dumps(asdict(beside), indent=2, ensure_ascii=False) + "\n").encode())
    print(verdict_table.to_markdown(beside))
    return 0


COMMAND = Command(
    "judge",
    "what the tunes of a file are like, beside held-out real tunes",
    _add,
    _run,
    libraries=("sklearn",),
    loads_tensorflow=False,
)
