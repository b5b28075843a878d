"""`critic`: trains what chooses among several of a model's tunes."""

import argparse
import tempfile
from pathlib import Path

from training import atomic_file
from training.cli.arguments import CRITIC_TUNES, several
from training.cli.command import Command


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    command.add_argument("--tunes", type=several, default=CRITIC_TUNES, help=f"tunes to draw (default: {CRITIC_TUNES})")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="where it goes, as safetensors")


def _run(options: argparse.Namespace) -> int:
    from training.evaluation import critic
    from training.evaluation.candidate import open_candidate

    with tempfile.TemporaryDirectory(prefix="lilt-critic-") as folder:
        content = critic.of(open_candidate(options.run, Path(folder)), options.tunes).to_bytes()
    atomic_file.write(options.out, content)
    print(f"{options.out} ({len(content):,} bytes)")
    return 0


COMMAND = Command("critic", "train what chooses among several of a model's tunes, as publish does", _add, _run)
