"""Many tunes into one file, by the service's own engine without HTTP: each tune from the seed after the last one's.

A run that was interrupted goes on where it was, and ends with the same file as one that was not.
"""

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from app.abc.tunebook import FIELD, Tune, split_tunes
from app.errors import SetupError
from app.generation.critic import choose
from app.generation.job_to_sequence import prepare
from app.generation.jobs import GenerationJob, seed_of_draw
from app.generation.model_registry import Models, ServedModel
from app.generation.originality import Judgement
from app.inference.completion import Completion
from app.inference.sampler import SamplingParams

_SAVE_EVERY = 100  # tunes drawn


class BulkError(SetupError):
    """A run that cannot begin or go on; its text is fit for a user."""


EACH = GenerationJob(length=2000, sampling=SamplingParams(seed=1))
"""How each tune is drawn if nothing else is said."""


@dataclass(frozen=True)
class BulkJob:
    """How many tunes, and how each is drawn: its seed is the first tune's, and its `tunes` is 1."""

    count: int
    each: GenerationJob = EACH
    model: str | None = None
    originality: Judgement | None = None
    """The worst that a tune may be judged; None takes any."""

    @property
    def seed(self) -> int:
        """Of the first tune; the next ones count up."""
        return self.each.sampling.seed


@dataclass(frozen=True)
class Progress:
    """How far a run got: the seed to go on with, the tunes written and their length in bytes; `recipe` is the job's."""

    recipe: str
    next_seed: int
    written: int = 0
    size: int = 0


Drawn = Iterator[tuple[int, Tune | None]]
"""Seeds and their tunes, in order; None where a seed makes no tune."""

Drawing = Callable[[BulkJob, ServedModel, int], Drawn]
"""Draws from a first seed on, without end."""


def run(job: BulkJob, models: Models, out: Path, drawing: Drawing | None = None) -> Progress:
    """Write `job.count` tunes, no two with the same notes: a tunebook, or JSON lines where `out` ends in `.jsonl`.

    Args:
        job: what to make.
        models: one of them makes it, and its name and hash are written down.
        out: the file.
        drawing: `draw` if not given, which draws in this process.

    Raises:
        BulkError: the model is not loaded, or `out` is not this job's.
    """
    model = models.get(job.model)
    if model is None:
        raise BulkError(f"no model {job.model!r} is loaded; there is {', '.join(m.id.name for m in models.all())}")
    if job.each.best_of > 1 and model.critic is None:
        raise BulkError(f"{model.id.name}/{model.id.version} was published without a critic; publish it anew")
    if job.originality is not None and model.index is None:
        raise BulkError(f"{model.id.name}/{model.id.version} has no index of its training tunes; publish it anew")
    notebook = _Notebook(out, job, model)
    begun = notebook.progress.written
    bar_of_progress = tqdm(total=job.count, initial=begun, unit="tune", desc=out.name, disable=None)  # at a terminal
    with notebook, bar_of_progress as bar:
        for seed, tune in (drawing or draw)(job, model, notebook.progress.next_seed):
            if notebook.progress.written >= job.count:
                break
            bar.update(notebook.take(seed, tune))
    return notebook.progress


def draw(job: BulkJob, model: ServedModel, first_seed: int, end: int | None = None) -> Drawn:
    """Seeds and their tunes, in order, up to `end` or without one; a few are under way in the engine ahead of need."""
    ahead = 2 * model.engine.max_running
    under_way: deque[tuple[int, list[Future[Completion]]]] = deque()
    seed = first_seed
    try:
        while True:
            while len(under_way) * job.each.best_of < ahead and (end is None or seed < end):
                under_way.append((seed, []))
                for number in range(job.each.best_of):
                    sampling = replace(job.each.sampling, seed=seed_of_draw(seed, number))
                    sequence = prepare(model, replace(job.each, sampling=sampling)).sequence
                    under_way[-1][1].append(model.engine.submit(sequence).done)
                seed += 1
            if not under_way:
                return
            drawn, futures = under_way[0]
            texts = [model.checkpoint.vocabulary.decode(future.result().new_ids) for future in futures]
            under_way.popleft()
            yield (
                drawn,
                _chosen([next(iter(split_tunes(job.each.prompt + text)), None) for text in texts], model, drawn),
            )
    finally:
        for _, futures in under_way:
            for future in futures:
                future.cancel()


def _chosen(candidates: list[Tune | None], model: ServedModel, seed: int) -> Tune | None:
    """The one that the critic chooses."""
    if len(candidates) == 1 or model.critic is None:
        return candidates[0]
    return candidates[choose(model.critic.log_odds([tune.abc if tune else "" for tune in candidates]).tolist(), seed)]


class _Notebook:
    """The file that tunes are written to, and beside it how far it got; both are whole after any interruption."""

    def __init__(self, out: Path, job: BulkJob, model: ServedModel) -> None:
        self._out, self._job, self._model = out, job, model
        self._state = out.with_name(out.name + ".progress")
        described = json.dumps([asdict(replace(job, count=0)), model.id.hash])
        self.progress = self._resume(hashlib.sha256(described.encode()).hexdigest())
        self._file = out.open("ab")
        self._file.truncate(self.progress.size)
        self._seen = {_melody(tune.abc) for tune in self._written()}

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self._save()
        self._file.close()

    def take(self, seed: int, tune: Tune | None) -> bool:
        """Write the tune of a seed if it is wanted and new; whether it was."""
        is_new = tune is not None and tune.complete and _melody(tune.abc) not in self._seen and self._is_own(tune)
        written, size = self.progress.written, self.progress.size
        if tune is not None and is_new:
            self._seen.add(_melody(tune.abc))
            written, size = written + 1, size + self._file.write(self._format(tune, written + 1, seed))
        self.progress = replace(self.progress, next_seed=seed + 1, written=written, size=size)
        if (seed - self._job.seed) % _SAVE_EVERY == 0:
            self._save()
        return is_new

    def _is_own(self, tune: Tune) -> bool:
        """Whether it is as original as was asked for; a tune too short to be judged is."""
        if self._job.originality is None:
            return True
        found = self._model.originality(tune.abc)
        return found is None or found.judgement.severity <= self._job.originality.severity

    @property
    def _is_json(self) -> bool:
        return self._out.suffix == ".jsonl"

    def _format(self, tune: Tune, number: int, seed: int) -> bytes:
        if self._is_json:
            described = {name: getattr(tune, name) for name in ("abc", "title", "key", "meter", "rhythm")}
            return (json.dumps(described | {"seed": seed, "model": asdict(self._model.id)}) + "\n").encode()
        first, _, rest = tune.abc.partition("\n")
        return (f"X:{number}\n" if first.startswith("X:") else f"X:{number}\n{first}\n").encode() + (
            rest + "\n"
        ).encode()

    def _written(self) -> tuple[Tune, ...]:
        text = self._out.read_text("utf-8")
        if self._is_json:
            text = "\n".join(json.loads(line)["abc"] for line in text.splitlines())
        return split_tunes(text)

    def _resume(self, recipe: str) -> Progress:
        if not self._out.exists():
            return Progress(recipe, self._job.seed)
        try:
            progress = Progress(**json.loads(self._state.read_text()))
        except (OSError, ValueError, TypeError):
            raise BulkError(f"{self._out}: exists, and is not an unfinished run; name another file") from None
        if progress.recipe != recipe or self._out.stat().st_size < progress.size:
            raise BulkError(f"{self._out}: belongs to a run with other settings or another model; name another file")
        return progress

    def _save(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        beside = self._state.with_name(self._state.name + ".new")
        beside.write_text(json.dumps(asdict(self.progress)))
        beside.replace(self._state)


def _melody(abc: str) -> bytes:
    """A digest of a tune without its fields: what must differ."""
    notes = "".join(line for line in abc.splitlines() if not FIELD.match(line))
    return hashlib.blake2b(notes.encode(), digest_size=16).digest()
