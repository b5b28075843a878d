"""The command line: `python -m training train | evaluate | judge | critic | picture | sample | export | publish …`."""

import argparse
import importlib
import json
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import model_store
from app.operations import stderr_filter
from model_store.errors import StoreError
from model_store.store import Checkpoint, Store
from training import atomic_file
from training.corpora import corpora, corpus, tunebook
from training.errors import ConfigError, CorpusError, RunError, SetupError, TrainingError
from training.learning.config import RECIPES, TrainingConfig
from training.learning.run_folder import RunFolder
from training.learning.start import find, shaped_like, start_of
from training.learning.workers import Workers

RUNS = Path("runs")
STORE = Path("model_store/checkpoints")
OWN_STORE = Path(model_store.__file__).parent / "checkpoints"
"""The models that come with Lilt."""

EVALUATION = Path("evaluation")
DEFAULT_MODEL = "irish"
SAMPLE = 500
CRITIC_TUNES = 3000
_LIBRARIES = ("tensorflow", "matplotlib", "sklearn")
"""of the extra `train`"""
logger = logging.getLogger("training")
Command = Callable[[argparse.Namespace], int]


def main(arguments: list[str] | None = None, prog: str = "python -m training") -> int:
    """Run one command; the exit code is 2 for an error that the user can mend."""
    options = _parser(prog).parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's own notes say nothing of the run
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("training").setLevel(logging.INFO)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # its advice on retracing is for us, not for the user
    command: Command = options.command
    try:
        _require(() if command is _report else ("sklearn",) if command is _judge else _LIBRARIES)
        if command not in (_report, _judge, _train):
            _load_tensorflow()
        return command(options)
    except (TrainingError, StoreError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def _require(libraries: tuple[str, ...]) -> None:
    """Check that what a command imports later on is installed.

    Raises:
        SetupError: it is not; the text says how to install it.
    """
    missing = [name for name in libraries if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"{', '.join(missing)}: not installed; training needs it: `pip install 'lilt[train]'`, or in a checkout "
            "`make train`"
        )


def _load_tensorflow() -> None:
    """Import it once, without what its libraries say of themselves."""
    with stderr_filter.without(*stderr_filter.TENSORFLOW):
        importlib.import_module("tensorflow")


def _train(options: argparse.Namespace) -> int:
    overrides = _overrides(options)
    recipe = options.recipe or ("finetune" if options.start else "small")
    path: Path = options.run or RUNS / recipe
    workers = Workers.from_environment()
    if not workers.is_chief:
        _load_tensorflow()
        from training.learning.learner import among_workers

        among_workers()  # the chief joins when the run is there
        run = RunFolder.open(path)
    elif options.resume:
        run = RunFolder.open(path)
        _extend(run, overrides)
    else:
        config = TrainingConfig.from_recipe(recipe, overrides)
        run = _create(path, config, options.corpus, find(options.start, options.store) if options.start else None)
    if workers.is_chief:
        _log_to(run.log)

    _load_tensorflow()
    from training.learning.train import train  # here, so that a wrong option is told before TensorFlow is loaded

    logging.getLogger("training").info("run %s", run.path)
    outcome = train(run)
    done, best = outcome.progress.step, outcome.progress
    result = (
        f"best validation loss {best.best_loss:.4f} at step {best.best_step}" if best.best_step else "no validation yet"
    )
    if outcome.signal is not None:
        print(f"interrupted and saved at step {done}; {result}; go on with --run {run.path} --resume")
        return 128 + outcome.signal
    print(f"finished at step {done}; {result}; curves in {run.png}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from training.evaluation import compare, page, verdict_table

    if (options.run / "run.json").is_file():
        from training.evaluation.evaluate import evaluate

        logger.info("losses of %s", options.run)
        evaluate(RunFolder.open(options.run), options.tunes, options.sample)
    paths = [options.run, *options.beside]
    yardstick = None if options.beside or options.alone else _default_model(options.run)
    comparison = compare.compare(paths, options.on, options.tunes, logger.info, options.sample, yardstick)
    out: Path = options.out or (options.run / "evaluation" if (options.run / "run.json").is_file() else EVALUATION)
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


def _default_model(run: Path) -> Path | None:
    """The model that comes with Lilt, unless it is the one to judge, or is not there."""
    store = Store(OWN_STORE)
    try:
        version = store.root / DEFAULT_MODEL / str(store.current(DEFAULT_MODEL))
    except StoreError:
        return None
    return None if run.resolve() == version.resolve() else version


def _judge(options: argparse.Namespace) -> int:
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


def _critic(options: argparse.Namespace) -> int:
    from training.evaluation import critic
    from training.evaluation.candidate import open_candidate

    with tempfile.TemporaryDirectory(prefix="lilt-critic-") as folder:
        content = critic.of(open_candidate(options.run, Path(folder)), options.tunes).to_bytes()
    atomic_file.write(options.out, content)
    print(f"{options.out} ({len(content):,} bytes)")
    return 0


def _picture(options: argparse.Namespace) -> int:
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


def _sample(options: argparse.Namespace) -> int:
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


def _export(options: argparse.Namespace) -> int:
    from training.publishing.export import export

    for file in export(RunFolder.open(options.run)):
        print(f"{file} ({file.stat().st_size:,} bytes)")
    return 0


def _publish(options: argparse.Namespace) -> int:
    from training.evaluation.weights_source import from_run
    from training.publishing.publish import publish

    run, store = RunFolder.open(options.run), _store(options.store)
    published = Store(store).version_with(options.name, from_run(run).weights)
    if published and not options.again:
        raise RunError(
            f"{options.run}: its weights are published already, as {options.name}/{published}; --again publishes them "
            "once more"
        )
    checkpoint = publish(
        run,
        options.name,
        store,
        options.tunes,
        options.note,
        options.sample,
        options.critic,
    )
    manifest = checkpoint.manifest
    print(f"published {manifest.name} version {manifest.version} in {checkpoint.folder}")
    return 0


def _store(given: Path | None) -> Path:
    """Where to publish.

    Raises:
        ConfigError: nothing says where.
    """
    if given is None and "LILT_MODEL_STORE" in os.environ:
        return Path(os.environ["LILT_MODEL_STORE"])
    if given is not None:
        return given
    if not STORE.is_dir():
        raise ConfigError(f"there is no {STORE} here: name a model store by --store FOLDER or LILT_MODEL_STORE")
    return STORE


def _report(options: argparse.Namespace) -> int:
    from training.corpora import corpus_report

    told = corpus_report.report(options.corpus)
    if options.json:
        content = json.dumps(told.to_json(), indent=2, ensure_ascii=False) + "\n"
        atomic_file.write(options.json, content.encode())
    print(corpus_report.to_text(told))
    return 0


def _create(path: Path, config: TrainingConfig, names: list[str], checkpoint: Checkpoint | None) -> RunFolder:
    tunes = corpus.load(names, translate=config.translate)
    if checkpoint:
        config, tunes = shaped_like(config, checkpoint), tunes.within(checkpoint.vocabulary)
    for reject in tunes.rejects:
        print(f"not a tune: {reject}", file=sys.stderr)
    for drop in tunes.drops:
        print(f"left out: {drop}", file=sys.stderr)
    _ = tunes.sides  # where there are too few to split, that is told before anything is written
    return RunFolder.create(path, config, tunes, start_of(checkpoint) if checkpoint else None)


def _extend(run: RunFolder, overrides: dict[str, str]) -> None:
    """A resumed run keeps its settings; only its length may change, and with it the rest of its cosine."""
    if set(overrides) - {"steps"}:
        raise RunError(
            f"{run.path}: a resumed run keeps its settings; only steps may change, not {', '.join(overrides)}"
        )
    if overrides:
        values = run.config().to_json()
        steps = TrainingConfig.from_recipe("lab", overrides).steps
        run.write_config(TrainingConfig.from_json(values | {"steps": steps}))


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("training").addHandler(handler)


def _overrides(options: argparse.Namespace) -> dict[str, str]:
    """Settings given on the command line, as text."""
    overrides: dict[str, str] = {}
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set {setting}: write NAME=VALUE")
        overrides[name.strip()] = value.strip()
    for name in ("steps", "seed"):
        if (value := getattr(options, name)) is not None:
            overrides[name] = str(value)
    return overrides


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Train, judge and publish tune models.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train a model into a run folder")
    train.add_argument("--recipe", help=f"one of {', '.join(RECIPES)} (default: small; with --from: finetune)")
    _add_corpus(train)
    train.add_argument("--run", type=Path, metavar="FOLDER", help="the run folder (default: runs/RECIPE)")
    train.add_argument(
        "--from",
        dest="start",
        metavar="NAME[/VERSION]",
        help="go on from a published version, whose vocabulary and shape the network then has",
    )
    train.add_argument("--store", type=Path, default=OWN_STORE, help="its model store (default: that of Lilt)")
    train.add_argument("--steps", type=_whole, help="the length of the run")
    train.add_argument("--seed", type=_whole)
    train.add_argument("--resume", action="store_true", help="go on with a run that was stopped or killed")
    train.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="replace one setting of the recipe"
    )
    train.set_defaults(command=_train)

    evaluate = commands.add_parser(
        "evaluate", help="a page of what a model is like, beside real tunes and other models"
    )
    evaluate.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    evaluate.add_argument(
        "--beside", type=Path, nargs="+", default=[], metavar="MODEL", help="others to judge by the same text"
    )
    evaluate.add_argument("--alone", action="store_true", help="beside none: else the model that comes with Lilt is")
    evaluate.add_argument(
        "--on",
        nargs="+",
        default=[],
        metavar="BOOK",
        help="books whose test side, in plain ABC, is that text (RUN's own)",
    )
    evaluate.add_argument(
        "--tunes", type=_several, default=100, help="tunes to draw and judge at each temperature (default: 100)"
    )
    evaluate.add_argument("--out", type=Path, metavar="FOLDER", help="where the page goes (default: RUN/evaluation)")
    _add_sample(evaluate)
    evaluate.set_defaults(command=_evaluate)

    judge = commands.add_parser("judge", help="what the tunes of a file are like, beside held-out real tunes")
    judge.add_argument("tunes", type=Path, metavar="FILE", help="a tunebook, whoever made it")
    judge.add_argument(
        "--on", nargs="+", default=[], metavar="BOOK", help="books whose test side it is held beside (default: lab)"
    )
    judge.add_argument("--json", type=Path, metavar="FILE", help="write all figures there too")
    judge.set_defaults(command=_judge)

    critic = commands.add_parser("critic", help="train what chooses among several of a model's tunes, as publish does")
    critic.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    critic.add_argument("--tunes", type=_several, default=CRITIC_TUNES, help=f"tunes to draw (default: {CRITIC_TUNES})")
    critic.add_argument("--out", type=Path, required=True, metavar="FILE", help="where it goes, as safetensors")
    critic.set_defaults(command=_critic)

    sample = commands.add_parser("sample", help="print tunes")
    sample.add_argument("run", type=Path, metavar="RUN", help="a run folder, or NAME/VERSION in a model store")
    sample.add_argument("--start", default="X:1\n", help="what each tune begins with (default: X:1 and a line end)")
    sample.add_argument("--tunes", type=_whole, default=1)
    sample.add_argument("--temperature", type=_temperature, default=1.0)
    sample.add_argument("--length", type=_whole, default=1500, help="most characters of a tune (default: 1500)")
    sample.add_argument("--seed", type=_whole, default=1, help="of the first tune; the next ones count up")
    sample.set_defaults(command=_sample)

    shown = commands.add_parser("picture", help="draw the first tunes of models side by side, as scores in a picture")
    shown.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="run folders, or NAME/VERSION in a store")
    shown.add_argument("--tunes", type=_several, default=10, help="seeds from 1 up to this (default: 10)")
    shown.add_argument("--out", type=Path, required=True, metavar="FILE", help="where it goes, as .svg or .png")
    shown.set_defaults(command=_picture)

    export = commands.add_parser("export", help="write the weights and decoder graphs into RUN/export")
    export.add_argument("run", type=Path, metavar="RUN")
    export.set_defaults(command=_export)

    publish = commands.add_parser("publish", help="put a run's best weights into a model store")
    publish.add_argument("run", type=Path, metavar="RUN")
    publish.add_argument("--name", required=True, help="the checkpoint's name: a-z, 0-9, - and _")
    publish.add_argument(
        "--store",
        type=Path,
        help=f"the model store, which may be new (default: LILT_MODEL_STORE, or {STORE} if it is there)",
    )
    publish.add_argument("--again", action="store_true", help="even if the same weights have been published before")
    publish.add_argument("--tunes", type=_whole, default=200, help="tunes to judge, if that is still to be done")
    _add_sample(publish)
    told = f"tunes to draw for a critic, which chooses among several, to learn from; 0: none (default: {CRITIC_TUNES})"
    publish.add_argument("--critic", type=_whole, default=CRITIC_TUNES, metavar="TUNES", help=told)
    publish.add_argument("--note", default="", help="a sentence for the model card")
    publish.set_defaults(command=_publish)

    report = commands.add_parser("corpus", help="what is read, kept and dropped of tunebooks, translated")
    _add_corpus(report)
    report.add_argument("--json", type=Path, metavar="FILE", help="write the report there too, with what was left out")
    report.set_defaults(command=_report)
    return parser


def _add_corpus(command: argparse.ArgumentParser) -> None:
    names = f"{', '.join(corpora.NAMED)}, {corpora.THESESSION}FILE, or ABC files, folders or globs (default: lab)"
    licence = "The dump of thesession.org is yours to fetch: its licence now forbids use with large language models."
    command.add_argument("--corpus", nargs="+", default=[], metavar="BOOK", help=f"{names}. {licence}")


def _add_sample(command: argparse.ArgumentParser) -> None:
    told = f"tunes to draw under the grammar at temperature 1, to be held beside real ones (default: {SAMPLE})"
    command.add_argument("--sample", type=_whole, default=SAMPLE, help=told)


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 up")
    return int(text)


def _several(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 100.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return value


if __name__ == "__main__":
    sys.exit(main())
