"""`judge`: holds the tunes of a file beside held-out real ones."""

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path

from training import atomic_file
from training.cli.command import Command
from training.corpora import corpus, tunebook
from training.errors import CorpusError

DEFAULT_BOOKS = ("lab", "oneills", "ryans")
"""The Irish dances that the default model learnt from; its card is written by them."""

logger = logging.getLogger(__name__)


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("tunes", type=Path, metavar="FILE", help="a tunebook, whoever made it")
    command.add_argument(
        "--on",
        nargs="+",
        default=DEFAULT_BOOKS,
        metavar="BOOK",
        help="books whose test side, a tenth of their tunes, it is held beside; where all of its own are jigs, all "
        f"reels or all hornpipes, the tunes of this rhythm alone (default: {' '.join(DEFAULT_BOOKS)})",
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")


def _run(options: argparse.Namespace) -> int:
    from training.evaluation import verdict_table
    from training.evaluation.beside_real import RealSide, common_rhythm, of_rhythm
    from training.evaluation.verdict import LEAST

    drawn = tunebook.read(options.tunes).tunes
    real = corpus.load(list(options.on), translate=True)
    held_out, others = list(real.sides.test), real.without_extras(real.sides.train)
    rhythm = common_rhythm(drawn)
    if rhythm and len(alike := of_rhythm(held_out, rhythm)) >= LEAST:
        held_out, others = alike, of_rhythm(others, rhythm)
        logger.info("all are %ss: held beside the %d held-out ones of %s", rhythm, len(held_out), " ".join(options.on))
    beside = RealSide(held_out, others).beside(drawn)
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
