"""Models are judged beside real tunes by figures whose answers are known here, and told on a page that stands alone."""

import json
import re
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.inference.decoder import State
from model_store.plans import KnownHeader, Plans
from model_store.store import Checkpoint, Store
from model_store.tune_index import TuneIndex
from model_store.vocabulary import Vocabulary
from tests import checkpoints
from tests.app.inference import told_models
from tests.training.conftest import ten_tunes
from training.cli.evaluate import DEFAULT_MODEL
from training.cli.main import main
from training.errors import ConfigError, CorpusError
from training.evaluation import common_text, copying, mask, music, plots, style
from training.evaluation.candidate import Candidate, open_candidate
from training.evaluation.compare import Report, compare
from training.evaluation.compare import steps as steps_of
from training.evaluation.copying import Learnt
from training.evaluation.music import Music
from training.evaluation.tune_sampling import draw, draw_as_served, grammar_of
from training.learning.run_folder import RunFolder
from training.publishing.publish import publish
from training.publishing.tune_index import indexed

HEAD = "X:1\nT:Scale\nM:4/4\nL:1/8\nK:D\n"
TUNE = HEAD + "|:DEFG ABcd|d2cB AGFE|DFAd fdAF|EGBe g2-g2:|"
IN_G = HEAD.replace("K:D", "K:G") + "|:GABc defg|g2fe dcBA|GBdg bgdB|Acea c'2-c'2:|"
OTHER = HEAD + "|:A2A2 B4|B2B2 A4|F2F2 E4|E2F2 D4:|"


def read(tune: str) -> Music:
    found = music.read(tune)
    assert found is not None
    return found


class Indifferent:
    """A decoder to which every character is as likely as any other."""

    batch_sizes: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)
    alphabet: None = None

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size

    def adopt(self) -> None:
        pass

    def initial_state(self, batch_size: int) -> State:
        return (np.zeros((batch_size, 1), np.float32),)

    def step(self, ids: NDArray[np.int32], state: State) -> tuple[NDArray[np.float32], State]:
        return np.zeros((len(ids), self.vocab_size), np.float32), state


def index(*tunes: str) -> TuneIndex:
    return TuneIndex.of([indexed(tune, "book") for tune in tunes])


def learnt(*tunes: str) -> Learnt:
    return Learnt(index(*tunes))


def candidate(characters: str, tunes: tuple[str, ...], name: str = "one") -> Candidate:
    return Candidate(name, Vocabulary.from_text(characters), 1, Path("none"), None, index(*tunes))


def test_what_a_tune_is_made_of() -> None:
    tune = read(TUNE)
    assert (tune.tonic, tune.parts, len(tune.whole_bars)) == (2, (4,), 4)
    assert str(tune.sounds[-1].length) == "1/2"  # the tie is one note
    described = style.describe([TUNE], [tune])
    assert described is not None
    assert described.ends_on_tonic == 0
    assert described.spreads["bars a part"] == {"4": 1.0}
    assert described.spreads["notes a bar"] == {"8": 0.5, "7": 0.25, "6": 0.25}
    assert described.spreads["bar repetition"] == {"new": 1.0}
    assert described.spreads["scale degrees"]["1"] == pytest.approx(6 / 28)


def test_a_bar_that_comes_again_is_counted_by_how_far_back_it_was() -> None:
    described = style.describe([""], [read(HEAD + "D8|E8|D8|D8|]")])
    assert described is not None
    assert described.spreads["bar repetition"] == pytest.approx({"new": 1 / 3, "2": 1 / 3, "1": 1 / 3})
    assert described.ends_on_tonic == 1


def test_overlap_is_one_less_the_total_variation_distance() -> None:
    one, other = {"a": 0.5, "b": 0.5}, {"b": 0.25, "c": 0.75}
    assert style.overlap(one, other) == style.overlap(other, one) == 0.25
    assert 1 - sum(abs(one.get(c, 0) - other.get(c, 0)) for c in "abc") / 2 == 0.25
    assert style.overlap(one, one) == 1


def test_a_copy_is_found_in_another_key() -> None:
    run = learnt(OTHER, TUNE).longest_run(IN_G)
    assert run == copying.Run(notes=28, source="Scale", bars=4, judgement="copies")


def test_a_copied_bar_is_found_amid_other_music() -> None:
    run = learnt(TUNE).longest_run(HEAD + "A2A2 z4|z4 DFAd|fdAF D4|E4 E4|DFAd fdAF|D8|]")
    assert (run.notes, run.bars, run.judgement) == (8, 1, "original")


def test_nothing_is_shared_with_nothing() -> None:
    assert learnt().longest_run(TUNE) == copying.Run(0, None, 0, "original")
    assert learnt(HEAD + "D8|]").longest_run(TUNE).notes == 0


def test_runs_are_told_as_shares_of_tunes() -> None:
    told = copying.describe([copying.Run(10, "A", 1, None), copying.Run(20, "B", 4, "echoes")])
    assert (told.median_notes, told.max_notes) == (15, 20)
    assert [told.share_by_bars[bars] for bars in ("1", "2", "4", "5")] == [1.0, 0.5, 0.5, 0.0]
    assert told.judgements == {"original": 0.0, "echoes": 0.5, "copies": 0.0}


def test_the_mask_takes_what_is_not_allowed() -> None:
    vocabulary = Vocabulary.from_text("\n" + "".join(map(chr, range(32, 127))))
    grammar, decoder = grammar_of(vocabulary), Indifferent(len(vocabulary))
    assert grammar is not None
    draws = draw(decoder, vocabulary, range(1, 4), 1.0, grammar)
    shares = mask.removed(decoder, vocabulary, grammar, draws, 1.0)
    assert len(shares) == sum(len(each.ids) for each in draws)
    allowed = grammar.begin("").allowed.sum()  # the first character of a tune
    assert shares[:3] == pytest.approx([1 - allowed / len(vocabulary)] * 3)
    assert sum(mask.spread(shares).values()) == pytest.approx(1)


def test_a_model_that_is_told_more_is_drawn_from_too(checkpoint: Checkpoint, tmp_path: Path) -> None:
    version = told_models.publish(Store(tmp_path), checkpoint).folder
    drawn = draw_as_served(open_candidate(version, tmp_path), range(1, 3))
    assert len(drawn) == len([music.read(tune) for tune in drawn]) == 2


def test_headers_are_drawn_as_the_service_draws_them(checkpoint: Checkpoint, tmp_path: Path) -> None:
    plans = Plans((), headers=(KnownHeader(20, "", "", "3/8", "1/16", "Gm"),))
    version = checkpoints.publish(Store(tmp_path), checkpoint, "own", plans=plans).folder
    drawn = draw_as_served(open_candidate(version, tmp_path, reads_books=False), range(1, 7))
    assert len(drawn) == 6
    assert sum("\nM:3/8\nL:1/16\nK:Gm\n" in tune for tune in drawn) > 3  # a title may name a rhythm


def test_a_tune_that_one_learnt_from_is_set_aside_for_all() -> None:
    tunes, characters = tuple(ten_tunes()), "".join(ten_tunes())
    candidates = [candidate(characters, ()), candidate(characters, tunes[2:3], "two")]
    text = common_text.choose("ten", tunes, candidates)
    assert text.tunes == tunes[:2] + tunes[3:]
    assert text.set_aside == {"two learnt from a setting of it": 1}


def test_a_tune_that_one_cannot_write_is_set_aside_for_all() -> None:
    tunes = tuple(ten_tunes())
    text = common_text.choose("ten", tunes, [candidate("".join(tunes).replace("9", ""), ())])
    assert text.tunes == tunes[:9]
    assert text.set_aside == {"one has no character 9": 1}


def test_where_no_tune_is_left_there_is_nothing_to_compare_by() -> None:
    tunes = tuple(ten_tunes())
    with pytest.raises(CorpusError, match="ten: no tune is left to compare by; one learnt from"):
        common_text.choose("ten", tunes, [candidate("".join(tunes), tunes)])


def test_labels_keep_apart() -> None:
    placed = plots._apart([50.0, 52.0, 200.0, 51.0])
    assert placed[2] == 200.0
    assert sorted(placed[:2] + placed[3:]) == pytest.approx([36, 51, 66], abs=1)
    assert placed[0] < placed[3] < placed[1]


def test_a_published_version_without_its_books_needs_a_named_text(tiny_version: Checkpoint) -> None:
    version = tiny_version.folder
    opened = open_candidate(version, version.parent.parent)
    assert opened.corpus is None
    assert "ten.abc" in opened.corpus_note
    with pytest.raises(ConfigError, match="name another by --on BOOK"):
        compare([version], [], 2, lambda _: None)
    with pytest.raises(ConfigError, match="two models of one name"):
        compare([version, version], [], 2, lambda _: None)


def test_the_default_model_stands_beside_ones_own_and_a_tiny_held_out_side_is_warned_of(
    tiny_run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(tiny_run, DEFAULT_MODEL, tmp_path, tunes=0)  # a small one in its place
    monkeypatch.setattr("training.cli.evaluate.OWN_STORE", tmp_path)
    arguments = ["evaluate", str(tiny_run.path), "--tunes", "2", "--sample", "2", "--out", str(tmp_path / "told")]
    assert main(arguments) == 0
    told, text = capsys.readouterr().out, (tmp_path / "told/index.html").read_text("utf-8")
    name = tiny_run.path.name
    cost = re.search(rf"^{name} pays .* a character (more|less) than irish/1 for the same held-out tunes$", told, re.M)
    assert cost
    assert cost[0] in text
    assert ">irish/1</span>" in text
    warning = "only 1 tune was held out: below 30 what is compared is largely chance"
    assert f"mind that {warning}" in told
    assert f"Mind that {warning}" in text


def test_the_page_tells_of_all_and_needs_nothing_else(
    tiny_run: RunFolder, tiny_version: Checkpoint, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = tiny_version.folder
    beside = tmp_path / "other"
    shutil.copytree(tiny_run.path, beside)
    arguments = ["evaluate", str(beside), "--beside", str(version), "--tunes", "3", "--sample", "4"]
    arguments += ["--out", str(tmp_path / "told")]
    assert main(arguments) == 0
    said, steps = capsys.readouterr(), 1 + steps_of(2)
    assert str(tmp_path / "told" / "index.html") in said.out
    assert f" {steps}/{steps} " in said.err
    assert (beside / "evaluation.json").is_file()

    text = (tmp_path / "told" / "index.html").read_text("utf-8")
    assert "<h1>" in text
    assert ">other</span>" in text
    assert ">tiny/1</span>" in text
    assert text.index("<h2>Verdict</h2>") < text.index("<h2>Figures</h2>")
    assert text.count("bars that come again") == 5  # of all, and of each rhythm
    assert text.count("Seed ") == 8
    assert not re.findall(r'(?:src|href)="(?!#|data:)|@import|<script', text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))

    told = json.loads((tmp_path / "told" / "tiny-1.json").read_text("utf-8"))
    assert told["name"] == "tiny/1"
    assert "ten.abc" in told["corpus_note"]
    own = json.loads((tmp_path / "told" / "other.json").read_text("utf-8"))
    assert told["copying"] == own["copying"] is not None
    assert own["common"]["nats"] == pytest.approx(told["common"]["nats"])

    assert told["drawn"] == 4

    again = compare([beside, version], [], 3, lambda _: None, sample=4).reports
    assert [timeless(report) for report in again] == [{**each, "speed": None} for each in (own, told)]


def timeless(report: Report) -> dict[str, object]:
    """A report as it is written, without the one thing that depends on the machine."""
    values: dict[str, object] = json.loads(json.dumps(asdict(report)))
    return values | {"speed": None}
