"""Judges models side by side and beside real tunes, by one held-out text and by what they draw."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path

from app.grammar import Grammar
from app.inference.decoder import LiteRTDecoder
from training import atomic_file
from training.corpora import corpus
from training.corpora.corpus import Corpus
from training.errors import ConfigError, CorpusError
from training.evaluation import common_text, copying, mask, music, speed, style, tune_sampling
from training.evaluation.abc2midi_check import complaints_of
from training.evaluation.beside_real import BesideReal, RealSide
from training.evaluation.candidate import Candidate, open_candidate
from training.evaluation.common_text import CommonText
from training.evaluation.copying import Copying, Learnt
from training.evaluation.decoder_loss import decoder_loss
from training.evaluation.speed import Speed
from training.evaluation.style import Style
from training.evaluation.tune_sampling import MAX_BATCH, Draw

TEMPERATURES = (0.5, 0.7, 0.9, 1.0, 1.1, 1.3)
AT = 1.0
"""The temperature of all that is told of a model's music."""

FIRST_SEED = 1
BLIND = 5
"""Tunes that are shown, the first ones."""

MIN_HELD_OUT = 30
"""Held-out tunes, below which chance decides what is said of a model."""

Tell = Callable[[str], None]


def steps(models: int) -> int:
    """How often `compare` tells what it is doing, with so many models."""
    return 2 + models * (3 + len(TEMPERATURES))


@dataclass(frozen=True)
class Cost:
    """What a text costs, a character, in the decoder that is served."""

    text: str
    tunes: int
    characters: int
    nats: float
    bits: float


@dataclass(frozen=True)
class Level:
    """What came of one temperature; the grammar's figures are None for a model that it cannot hold."""

    temperature: float
    tunes: int
    clean_free: int
    clean_held: int | None
    removed: float | None  # mean probability taken away, a character


@dataclass(frozen=True)
class BlindTune:
    """The tune of a seed, held to the grammar where it can be; None if it did not end in time."""

    seed: int
    abc: str | None
    run: copying.Run | None


@dataclass(frozen=True)
class RealTunes:
    """The same figures for the held-out tunes of the common text; they overlap with others of their own corpus."""

    name: str
    tunes: int
    set_aside: dict[str, int]
    clean: int
    style: Style
    yardstick: int  # how many tunes of the other side they are laid over
    overlaps: dict[str, float]

    @property
    def warning(self) -> str | None:
        """What to say of a held-out side that is tiny."""
        if self.tunes >= MIN_HELD_OUT:
            return None
        return (
            f"only {self.tunes} tune{'s were' if self.tunes > 1 else ' was'} held out: below {MIN_HELD_OUT} what is "
            f"compared is largely chance; listen to the tunes, or judge by a larger book with --on"
        )


@dataclass(frozen=True)
class Report:
    """All that was measured of one model; what needs the tunes that it learnt from is None where they are unknown."""

    name: str
    parameters: int
    decoder_bytes: int
    corpus: list[str]
    corpus_note: str
    learnt: int
    common: Cost
    own: Cost | None
    levels: list[Level]
    removed_spread: dict[str, float] | None  # of the characters drawn at temperature 1
    style: Style | None
    style_free: Style | None  # of the tunes that were drawn freely
    overlaps: dict[str, float] | None  # with the common text
    copying: Copying | None
    copying_of_real: Copying | None  # the common text against the same tunes
    speed: Speed
    blind: list[BlindTune]
    drawn: int  # for all that is told of its music
    beside_real: BesideReal | None

    @property
    def level(self) -> Level:
        """At temperature 1."""
        return next(level for level in self.levels if level.temperature == AT)


@dataclass(frozen=True)
class Comparison:
    """The first report is that of the model that was asked for."""

    real: RealTunes
    reports: list[Report]

    def costs_in_words(self) -> list[str]:
        """The first one's cost of a held-out character beside each other one's."""
        first, *others = self.reports
        gaps = [(first.common.nats - other.common.nats, other.name) for other in others]
        return [
            f"{first.name} pays {abs(gap):.3f} nats a character {'less' if gap < 0 else 'more'} than {name} "
            "for the same held-out tunes"
            for gap, name in gaps
        ]


def compare(
    paths: list[Path], on: list[str], tunes: int, tell: Tell, sample: int = 0, beside: Path | None = None
) -> Comparison:
    """Judge the models at some paths.

    Args:
        paths: run folders, or version folders of a model store.
        on: the books whose test side is the common text; empty: the first model's own.
        tunes: how many are drawn at each temperature, freely and under the grammar.
        tell: is told what is being done.
        sample: how many, if they are more, are drawn at temperature 1 for all that is told of a model's music.
        beside: a version that nobody asked for: its books are not opened again, and it is left out where no held-out
            tune is fair to it.

    Raises:
        ConfigError: there is no telling what to compare by, or two models have the same name.
        TrainingError: a path is no model, or no tune is fair to all.
    """
    with tempfile.TemporaryDirectory(prefix="lilt-evaluate-") as folder:
        candidates = []
        for path in paths:
            tell(f"open {path}")
            candidates.append(open_candidate(path, Path(folder)))
        if beside is not None:
            tell(f"open {beside}")
            candidates.append(open_candidate(beside, Path(folder), reads_books=False))
        names = [candidate.name for candidate in candidates]
        if len(set(names)) < len(names):
            raise ConfigError(f"two models of one name: {', '.join(names)}; rename a run folder")
        tell("choose held-out tunes that none of them learnt from")
        name, source = _source(candidates[0], on)
        try:
            text = common_text.choose(name, source.sides.test, candidates)
        except CorpusError as error:
            if beside is None:
                raise
            tell(f"{error}; {candidates.pop().name} is left out")
            text = common_text.choose(name, source.sides.test, candidates)
        real, real_side = _real(text, source, tunes), RealSide(text.tunes, source.without_extras(source.sides.train))
        tell("time them")
        decoders = [
            LiteRTDecoder(candidate.graph, MAX_BATCH, characters=candidate.vocabulary.characters)
            for candidate in candidates
        ]
        grammars = [tune_sampling.grammar_of(candidate.vocabulary, candidate.lexicon) for candidate in candidates]
        vocabularies = [candidate.vocabulary for candidate in candidates]
        speeds = speed.measure(list(zip(decoders, vocabularies, grammars, strict=True)))
        reports = [
            _report(*each, tunes, max(tunes, sample), text, real.style, real_side, tell)
            for each in zip(candidates, decoders, grammars, speeds, strict=True)
        ]
    return Comparison(real, reports)


def write(report: Report, folder: Path) -> Path:
    """A model's report as JSON."""
    file = folder / f"{report.name.replace('/', '-')}.json"
    atomic_file.write(file, (json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n").encode())
    return file


def _source(first: Candidate, on: list[str]) -> tuple[str, Corpus]:
    """The corpus whose test side is the common text."""
    if on:
        return f"test side of {', '.join(on)}", corpus.load(on, translate=True)
    if first.corpus is None:
        raise ConfigError(f"{first.name}: its own text is not at hand ({first.corpus_note}); name another by --on BOOK")
    return f"test side of {first.name}'s corpus", first.corpus


def _real(text: CommonText, source: Corpus, tunes: int) -> RealTunes:
    """Laid over as many real tunes of the other side as are drawn, evenly picked."""
    others = source.sides.train
    picked = [others[number * len(others) // tunes] for number in range(tunes)] if tunes < len(others) else list(others)
    described = style.describe(list(text.tunes), [music.read(tune) for tune in text.tunes])
    yardstick = style.describe(picked, [music.read(tune) for tune in picked])
    if described is None or yardstick is None:
        raise CorpusError(f"{text.name}: not one of its tunes is understood")
    return RealTunes(
        name=text.name,
        tunes=len(text.tunes),
        set_aside=text.set_aside,
        clean=_clean(list(text.tunes)),
        style=described,
        yardstick=len(picked),
        overlaps=style.overlaps(described, yardstick),
    )


def _report(
    candidate: Candidate,
    decoder: LiteRTDecoder,
    grammar: Grammar | None,
    measured: Speed,
    tunes: int,
    sample: int,
    text: CommonText,
    real_style: Style,
    real_side: RealSide,
    tell: Tell,
) -> Report:
    tell(f"{candidate.name}: held-out loss")
    common = _cost(candidate, text.name, text.tunes)
    own = _cost(candidate, "its own test side", candidate.corpus.sides.test) if candidate.corpus else None
    levels: list[Level] = []
    spread: dict[str, float] | None = None
    shown: list[Draw] = []
    shown_free: list[Draw] = []
    for temperature in TEMPERATURES:
        tell(f"{candidate.name}: {tunes} tunes freely and {tunes} under the grammar, temperature {temperature}")
        seeds = range(FIRST_SEED, FIRST_SEED + tunes)
        more = range(FIRST_SEED, FIRST_SEED + (sample if temperature == AT else tunes))
        all_free = tune_sampling.draw(
            decoder, candidate.vocabulary, seeds if grammar else more, temperature, planning=candidate.planning
        )
        all_held = (
            tune_sampling.draw(decoder, candidate.vocabulary, more, temperature, grammar, candidate.planning)
            if grammar
            else None
        )
        free, held = all_free[:tunes], all_held[:tunes] if all_held else None
        shares = mask.removed(decoder, candidate.vocabulary, grammar, held, temperature) if grammar and held else None
        levels.append(
            Level(
                temperature=temperature,
                tunes=tunes,
                clean_free=_clean([each.tune for each in free]),
                clean_held=_clean([each.tune for each in held]) if held else None,
                removed=float(shares.mean()) if shares is not None else None,
            )
        )
        if temperature == AT:
            shown, shown_free = all_held or all_free, all_free
            spread = mask.spread(shares) if shares is not None else None
    described = _described(shown)
    tell(f"{candidate.name}: its music, and what it shares with what it learnt from")
    learnt = Learnt(candidate.index) if candidate.index else None
    return Report(
        name=candidate.name,
        parameters=candidate.parameters,
        decoder_bytes=candidate.graph.stat().st_size,
        corpus=[f"{record.name}: {record.tunes:,} tunes" for record in candidate.corpus.records]
        if candidate.corpus
        else [],
        corpus_note=candidate.corpus_note,
        learnt=len(candidate.index) if candidate.index else 0,
        common=common,
        own=own,
        levels=levels,
        removed_spread=spread,
        style=described,
        style_free=_described(shown_free),
        overlaps=style.overlaps(described, real_style) if described else None,
        copying=_copying(learnt, [each.tune for each in shown if each.tune is not None]),
        copying_of_real=_copying(learnt, text.tunes),
        speed=measured,
        blind=[_blind(each, learnt) for each in shown[:BLIND]],
        drawn=len(shown),
        beside_real=real_side.beside([each.tune for each in shown if each.tune is not None]),
    )


def _described(draws: list[Draw]) -> Style | None:
    """What the tunes that ended are like."""
    ended = [each.tune for each in draws if each.tune is not None]
    return style.describe(ended, [music.read(tune) for tune in ended]) if ended else None


def _cost(candidate: Candidate, name: str, tunes: tuple[str, ...]) -> Cost:
    score = decoder_loss(candidate.graph, tunes, candidate.vocabulary)
    nats = score.nats_per_character
    return Cost(name, len(tunes), score.characters, nats, nats / log(2))


def _clean(tunes: list[str | None] | list[str]) -> int:
    """The tunes that abc2midi plays without a warning or an error."""
    return sum(not said for said in complaints_of([tune for tune in tunes if tune is not None]))


def _copying(learnt: Learnt | None, tunes: Sequence[str]) -> Copying | None:
    return copying.describe([learnt.longest_run(tune) for tune in tunes]) if learnt and tunes else None


def _blind(drawn: Draw, learnt: Learnt | None) -> BlindTune:
    return BlindTune(drawn.seed, drawn.tune, learnt.longest_run(drawn.tune) if learnt and drawn.tune else None)
