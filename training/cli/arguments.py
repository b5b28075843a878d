"""Arguments that several subcommands take, and what a number on the command line may be."""

import argparse
from pathlib import Path

import model_store
from training.corpora import corpora

OWN_STORE = Path(model_store.__file__).parent / "checkpoints"
"""The models that come with Lilt."""

SAMPLE = 500
CRITIC_TUNES = 3000


def add_corpus(command: argparse.ArgumentParser) -> None:
    """`--corpus`: tunebooks."""
    names = f"{', '.join(corpora.NAMED)}, {corpora.THESESSION}FILE, or ABC files, folders or globs (default: lab)"
    licence = "The dump of thesession.org is yours to fetch: its licence now forbids use with large language models."
    command.add_argument("--corpus", nargs="+", default=[], metavar="BOOK", help=f"{names}. {licence}")


def add_sample(command: argparse.ArgumentParser) -> None:
    """`--sample`: how many tunes are held beside real ones."""
    told = f"tunes to draw under the grammar at temperature 1, to be held beside real ones (default: {SAMPLE})"
    command.add_argument("--sample", type=whole, default=SAMPLE, help=told)


def whole(text: str) -> int:
    """A whole number from 0 up."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def several(text: str) -> int:
    """A whole number from 1 up."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def temperature(text: str) -> float:
    """A number from 0 to 100."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 100.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return value
