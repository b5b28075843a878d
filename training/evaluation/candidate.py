"""A run or a published version as it is compared: its decoder graph and, where it is known, what it learnt from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.generation.planning import Planning
from model_store.lexicon import Lexicon
from model_store.manifest import DECODER_FILE, Manifest, ModelConfig
from model_store.store import Checkpoint
from model_store.tune_index import TuneIndex
from model_store.vocabulary import Vocabulary
from training.corpora import corpora, corpus
from training.corpora.corpus import Corpus
from training.errors import CorpusError
from training.evaluation.weights_source import Trained, from_run, open_version
from training.learning.config import TrainingConfig
from training.learning.run_folder import RunFolder
from training.publishing import tune_index
from training.publishing.lexicon import lexicon_of
from training.publishing.plans import plans_of_run


@dataclass(frozen=True)
class Candidate:
    """One model of a comparison.

    `graph` is the decoder that is served, with int8 weights. `index` holds the tunes that it learnt from, and is None
    where they are not known. `corpus` is None where a published version's books cannot be opened any more as it read
    them; `corpus_note` then says why.
    """

    name: str
    vocabulary: Vocabulary
    parameters: int
    graph: Path
    corpus: Corpus | None
    index: TuneIndex | None
    corpus_note: str = ""
    lexicon: Lexicon | None = None
    """What its headers may say."""
    planning: Planning | None = None
    """What draws the plans of its tunes; None where it is told none."""

    @property
    def learnt(self) -> tuple[str, ...]:
        """The tunes that it learnt from, in plain ABC; none where they are not known."""
        return tuple(map(self.index.abc, range(len(self.index)))) if self.index else ()


def open_candidate(path: Path, folder: Path, *, reads_books: bool = True) -> Candidate:
    """What a run folder, or a version folder of a model store, holds.

    Args:
        folder: where a run's decoder graph is written.
        reads_books: whether a version's books are opened again, which may fetch them.

    Raises:
        RunError: the path is neither.
        CheckpointError: the run has no weights yet, or they are damaged.
        StoreError: the version does not verify.
    """
    if (path / "run.json").is_file():
        return _of_run(RunFolder.open(path), folder)
    return _of_version(open_version(path), reads_books=reads_books)


def _of_run(run: RunFolder, folder: Path) -> Candidate:
    from training.publishing.export import decoder_graph  # here, as it alone needs TensorFlow

    trained, tunes = from_run(run), run.corpus()
    graph = folder / f"{trained.name}.tflite"
    graph.write_bytes(decoder_graph(trained.weights, inputs=trained.network.inputs))
    index = _index(tunes, run.config().learn_from)
    return Candidate(
        trained.name,
        trained.vocabulary,
        _parameters(trained.network),
        graph,
        tunes,
        index,
        lexicon=lexicon_of(tune_index.learnt_tunes(run)),
        planning=_planning(run, trained),
    )


def _planning(run: RunFolder, trained: Trained) -> Planning | None:
    """As it would be published."""
    plans = plans_of_run(run, trained)
    return Planning(plans, trained.name) if plans else None


def _of_version(checkpoint: Checkpoint, *, reads_books: bool) -> Candidate:
    manifest = checkpoint.manifest
    tunes: Corpus | None = None
    index, note = checkpoint.tune_index(), "" if reads_books else "its books were not opened again"
    try:
        tunes = _read_again(manifest) if reads_books else None
        if index is None and tunes is not None:
            index = _index(tunes, str(manifest.training.get("learn_from", TrainingConfig.learn_from)))
    except CorpusError as error:
        note = str(error)
    return Candidate(
        name=f"{manifest.name}/{manifest.version}",
        vocabulary=checkpoint.vocabulary,
        parameters=_parameters(manifest.model),
        graph=checkpoint.path(DECODER_FILE),
        corpus=tunes,
        index=index,
        corpus_note=note,
        lexicon=checkpoint.lexicon(),
        planning=Planning(plans, f"{manifest.name}/{manifest.version}") if (plans := checkpoint.plans()) else None,
    )


def _read_again(manifest: Manifest) -> Corpus:
    """The corpus that a manifest names.

    Raises:
        CorpusError: a book is not there any more, or is not read as it was.
    """
    names = [corpora.argument(record.name, record.origin) for record in manifest.corpora]
    found = corpus.load(names, translate=bool(manifest.training.get("translate", False)))
    was, is_now = ([(r.name, r.sha256, r.tunes) for r in records] for records in (manifest.corpora, found.records))
    if was != is_now:
        raise CorpusError(f"{', '.join(names)}: not read now as they were for this version")
    return found


def _index(tunes: Corpus, portion: str) -> TuneIndex:
    return tune_index.index(tunes, tunes.sides.train if portion == "train" else tunes.tunes)


def _parameters(network: ModelConfig) -> int:
    return sum(int(np.prod(shape)) for shape in network.weight_shapes().values())
