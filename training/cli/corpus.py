"""`corpus`: reports what is read, kept and dropped of tunebooks."""

import argparse
import json
from pathlib import Path

from training import atomic_file
from training.cli.arguments import add_corpus
from training.cli.command import Command


def _add(command: argparse.ArgumentParser) -> None:
    add_corpus(command)
    command.add_argument("--json", type=Path, metavar="FILE", help="write the report there too, with what was left out")


def _run(options: argparse.Namespace) -> int:
    from training.corpora import corpus_report

    told = corpus_report.report(options.corpus)
    if options.json:
        content = json.dumps(told.to_json(), indent=2, ensure_ascii=False) + "\n"
        atomic_file.write(options.json, content.encode())
    print(corpus_report.to_text(told))
    return 0


COMMAND = Command(
    "corpus",
    "what is read, kept and dropped of tunebooks, translated",
    _add,
    _run,
    libraries=(),
    loads_tensorflow=False,
)
