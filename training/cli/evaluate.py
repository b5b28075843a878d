"""`evaluate`: writes a page of what a model is like, beside real tunes and other models."""

import argparse
import logging
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]
from tqdm.contrib.logging import logging_redirect_tqdm  # type: ignore[import-untyped]

from model_store.errors import StoreError
from model_store.store import Store
from training import atomic_file
from training.cli.arguments import OWN_STORE, add_sample, several
from training.cli.command import Command
from training.learning.run_folder import RunFolder

EVALUATION = Path("evaluation")
DEFAULT_MODEL = "irish"
logger = logging.getLogger(__name__)


def _add(command: argparse.ArgumentParser) -> None:
    command.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    command.add_argument(
        "--beside", type=Path, nargs="+", default=[], metavar="MODEL", help="others to judge by the same text"
    )
    command.add_argument("--alone", action="store_true", help="beside none: else the model that comes with Lilt is")
    command.add_argument(
        "--on",
        nargs="+",
        default=[],
        metavar="BOOK",
        help="books whose test side, in plain ABC, is that text (RUN's own)",
    )
    command.add_argument(
        "--tunes", type=several, default=100, help="tunes to draw and judge at each temperature (default: 100)"
    )
    command.add_argument("--out", type=Path, metavar="FOLDER", help="where the page goes (default: RUN/evaluation)")
    add_sample(command)


def _run(options: argparse.Namespace) -> int:
    from training.evaluation import compare, page, verdict_table

    is_run = (options.run / "run.json").is_file()
    paths = [options.run, *options.beside]
    yardstick = None if options.beside or options.alone else _default_model(options.run)
    steps = is_run + compare.steps(len(paths) + (yardstick is not None))
    with logging_redirect_tqdm(), tqdm(total=steps, desc="evaluating", unit="step") as bar:
        if is_run:
            from training.evaluation.evaluate import evaluate

            logger.info("losses of %s", options.run)
            evaluate(RunFolder.open(options.run), options.tunes, options.sample)
            bar.update()
        tell = _Told(bar)
        comparison = compare.compare(paths, options.on, options.tunes, tell, options.sample, yardstick)
        tell.end()
    out: Path = options.out or (options.run / "evaluation" if is_run else EVALUATION)
    logger.info("engrave tunes and write the page")
    out.mkdir(parents=True, exist_ok=True)
    for report in comparison.reports:
        file = compare.write(report, out)
        print(f"{report.name}: {report.common.nats:.4f} nats per character on {report.common.text}; {file}")
        if report.beside_real:
            print(f"  {verdict_table.verdict_in_words(report.beside_real)}")
    for cost in comparison.costs_in_words():
        print(cost)
    if comparison.real.warning:
        print(f"mind that {comparison.real.warning}")
    written = out / "index.html"
    atomic_file.write(written, page.page(comparison).encode())
    print(written)
    return 0


class _Told:
    """Logs what begins; by that, what began before it has ended, which moves the bar."""

    def __init__(self, bar: "tqdm[None]") -> None:
        self._bar, self._has_begun = bar, False

    def __call__(self, what: str) -> None:
        logger.info(what)
        self._bar.update(int(self._has_begun))
        self._has_begun = True

    def end(self) -> None:
        """What began last has ended, and that was all: a model may have been left out."""
        self._bar.update()
        self._bar.total = self._bar.n
        self._bar.refresh()


def _default_model(run: Path) -> Path | None:
    """The model that comes with Lilt, unless it is the one to judge, or is not there."""
    store = Store(OWN_STORE)
    try:
        version = store.root / DEFAULT_MODEL / str(store.current(DEFAULT_MODEL))
    except StoreError:
        return None
    return None if run.resolve() == version.resolve() else version


COMMAND = Command("evaluate", "a page of what a model is like, beside real tunes and other models", _add, _run)
