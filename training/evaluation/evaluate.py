"""Judges a run: held-out loss, what abc2midi says of its free tunes, and how its tunes lie beside real ones."""

import json
import tempfile
from dataclasses import asdict, dataclass
from math import exp, log
from pathlib import Path
from typing import Any, Self

import numpy as np

from training import atomic_file
from training.corpora.corpus import Corpus
from training.evaluation.abc2midi_check import Verdicts, judge
from training.evaluation.beside_real import BesideReal, RealSide
from training.evaluation.candidate import open_candidate
from training.evaluation.decoder_loss import decoder_loss
from training.evaluation.heldout_loss import Score, Scorer
from training.evaluation.sample import sample
from training.evaluation.tune_sampling import draw_as_served
from training.evaluation.two_sample import NUMBERS
from training.evaluation.weights_source import Trained, from_run
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder
from training.publishing.export import decoder_graph

MAX_CHARACTERS = 1500
FIRST_SEED = 1


@dataclass(frozen=True)
class Loss:
    """What a side of the split costs, per character."""

    tunes: int
    nats: float
    bits: float
    perplexity: float


@dataclass(frozen=True)
class FreeTunes:
    """What abc2midi says of whole tunes drawn at temperature 1 with nothing forbidden."""

    tunes: int
    seeds: str
    share_clean: float
    share_clean_but_for_repeats: float
    share_clean_of_test_tunes: float  # the corpus' own tunes, by the same judge
    share_clean_but_for_repeats_of_test_tunes: float


@dataclass(frozen=True)
class Evaluation:
    """The numbers of a run's best weights."""

    step: int
    parameters: int
    train: Loss
    validation: Loss
    test: Loss
    test_int8: Loss  # of the decoder graph that is served
    test_with_plans: Loss | None  # told each tune's own plan; None of a network that is told none
    free_tunes: FreeTunes | None
    beside_real: BesideReal | None  # of tunes under the grammar

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """The inverse of `asdict`."""
        losses = {name: Loss(**values[name]) for name in ("train", "validation", "test", "test_int8")}
        planned = Loss(**values["test_with_plans"]) if values["test_with_plans"] else None
        free = FreeTunes(**values["free_tunes"]) if values["free_tunes"] else None
        beside = BesideReal.from_json(values["beside_real"]) if values["beside_real"] else None
        return cls(
            step=values["step"],
            parameters=values["parameters"],
            **losses,
            test_with_plans=planned,
            free_tunes=free,
            beside_real=beside,
        )

    def metrics(self) -> dict[str, float]:
        """The numbers that a manifest carries."""
        named: dict[str, float] = {"parameters": float(self.parameters)}
        for side in ("train", "validation", "test", "test_int8"):
            loss: Loss = getattr(self, side)
            named |= {f"{side}_nats_per_character": loss.nats, f"{side}_bits_per_character": loss.bits}
        if self.test_with_plans:
            named["test_with_plans_nats_per_character"] = self.test_with_plans.nats
        named["test_perplexity"] = self.test.perplexity
        if self.free_tunes:
            named["free_tunes_judged"] = float(self.free_tunes.tunes)
            named["free_tunes_clean_share"] = self.free_tunes.share_clean
            named["free_tunes_clean_but_for_repeats_share"] = self.free_tunes.share_clean_but_for_repeats
        for test in self.beside_real.tests if self.beside_real else ():
            which = "numbers" if test.classifier == NUMBERS else "words"
            named |= {f"auc_by_{which}": test.drawn.auc, f"auc_by_{which}_of_real_tunes": test.real.auc}
        return named


def evaluate(run: RunFolder, tunes: int, sample_size: int = 0) -> Evaluation:
    """Judge a run and write its evaluation.json.

    Args:
        tunes: how many tunes to draw freely; 0 leaves abc2midi out.
        sample_size: how many to draw under the grammar, to be held beside real ones; 0 leaves that out.
    """
    trained, corpus = from_run(run), run.corpus()
    sides = corpus.sides
    free = None
    if tunes:
        seeds = range(FIRST_SEED, FIRST_SEED + tunes)
        free = _describe(judge(sample(trained, "", seeds, 1.0, MAX_CHARACTERS)), judge(list(sides.test)), seeds)
    evaluation = Evaluation(
        step=run.load_progress()[0].best_step,
        parameters=sum(int(np.prod(shape)) for shape in trained.network.weight_shapes().values()),
        train=_loss(sides.train, _score(trained, sides.train)),
        validation=_loss(sides.validation, _score(trained, sides.validation)),
        test=_loss(sides.test, _score(trained, sides.test)),
        test_int8=_loss(sides.test, _score_int8(trained, sides.test)),
        test_with_plans=_with_plans(trained, run.config(), sides.test),
        free_tunes=free,
        beside_real=_beside_real(run, corpus, sample_size) if sample_size else None,
    )
    atomic_file.write(run.evaluation, (json.dumps(asdict(evaluation), indent=2) + "\n").encode())
    return evaluation


def evaluation_of(run: RunFolder, tunes: int, sample_size: int = 0) -> Evaluation:
    """The run's evaluation.json, made anew if the run has learnt since."""
    try:
        evaluation = Evaluation.from_json(json.loads(run.evaluation.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return evaluate(run, tunes, sample_size)
    is_current = evaluation.step == run.load_progress()[0].best_step
    return evaluation if is_current else evaluate(run, tunes, sample_size)


def _score(trained: Trained, tunes: tuple[str, ...]) -> Score:
    return Scorer(tunes, trained.vocabulary, trained.network.inputs).score(trained.weights)


def _with_plans(trained: Trained, config: TrainingConfig, tunes: tuple[str, ...]) -> Loss | None:
    if not config.plan:
        return None
    scorer = Scorer(tunes, trained.vocabulary, trained.network.inputs, with_plans=True)
    return _loss(tunes, scorer.score(trained.weights))


def _score_int8(trained: Trained, tunes: tuple[str, ...]) -> Score:
    with tempfile.TemporaryDirectory(prefix="lilt-evaluate-") as folder:
        graph = Path(folder) / "decoder.tflite"
        graph.write_bytes(decoder_graph(trained.weights, inputs=trained.network.inputs))
        return decoder_loss(graph, tunes, trained.vocabulary)


def _beside_real(run: RunFolder, corpus: Corpus, sample_size: int) -> BesideReal | None:
    seeds = range(FIRST_SEED, FIRST_SEED + sample_size)
    with tempfile.TemporaryDirectory(prefix="lilt-evaluate-") as folder:
        drawn = draw_as_served(open_candidate(run.path, Path(folder)), seeds)
    return RealSide(corpus.sides.test, corpus.without_extras(corpus.sides.train)).beside(drawn)


def _loss(tunes: tuple[str, ...], score: Score) -> Loss:
    nats = score.nats_per_character
    return Loss(len(tunes), nats, nats / log(2), exp(nats))


def _describe(drawn: Verdicts, real: Verdicts, seeds: range) -> FreeTunes:
    return FreeTunes(
        tunes=drawn.tunes,
        seeds=f"{seeds.start} to {seeds.stop - 1}",
        share_clean=drawn.share_clean,
        share_clean_but_for_repeats=drawn.share_clean_but_for_repeats,
        share_clean_of_test_tunes=real.share_clean,
        share_clean_but_for_repeats_of_test_tunes=real.share_clean_but_for_repeats,
    )
