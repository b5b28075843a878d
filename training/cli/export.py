"""`export`: writes a run's weights and decoder graphs into its folder."""

import argparse
from pathlib import Path

from training.cli.command import Command
from training.learning.run_folder import RunFolder


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN")


def _run(options: argparse.Namespace) -> int:
    from training.publishing.export import export

    for file in export(RunFolder.open(options.run)):
        print(f"{file} ({file.stat().st_size:,} bytes)")
    return 0


COMMAND = Command("export", "write the weights and decoder graphs into RUN/export", _add, _run)
