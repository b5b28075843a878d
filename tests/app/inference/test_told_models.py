"""A model that is told more than the character keeps every promise that one of characters keeps."""

import gc
from collections.abc import Iterable, Iterator
from concurrent.futures import wait
from contextlib import closing
from pathlib import Path
from weakref import ref

import numpy as np
import pytest

from app.abc.lookback import Tracker
from app.abc.lookback.alphabet import Alphabet
from app.abc.lookback.header_numbers import form_number
from app.abc.lookback.plan import UNSAID, Part, Plan
from app.generation.model_registry import load_decoders
from app.generation.planning import Planning
from app.grammar import Grammar
from app.inference.batch import Batch
from app.inference.decoder import LiteRTDecoder, read
from app.inference.engine import Engine
from app.inference.memory import Memory
from app.inference.sampler import SamplingParams
from app.inference.scheduler import TURN_STEPS
from app.inference.sequence import Sequence
from app.settings import Settings
from model_store.errors import InvalidCheckpointError
from model_store.manifest import DECODER_FILE
from model_store.plans import Plans
from model_store.store import Checkpoint, Store
from tests.app.inference import told_models
from tests.app.inference.test_decoder import TEXT, decoder_of, logits_over
from tests.conftest import DEFAULT_STORE
from tests.servers import serving

pytest.importorskip("tensorflow")
TIMEOUT_S = 60


@pytest.fixture(scope="module", params=["lookback", "matched"])
def store(request: pytest.FixtureRequest, checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("store"))
    told_models.publish(store, checkpoint, recipe=request.param)
    return store


@pytest.fixture(scope="module")
def told(store: Store) -> Checkpoint:
    """The model of that store; of the recipe `matched`, it is told plans and matches too."""
    return store.load("told")


@pytest.fixture(scope="module")
def plain() -> Checkpoint:
    """The last version of the default model that reads characters alone."""
    return Store(DEFAULT_STORE).load("irish", 3)


@pytest.fixture
def engine(told: Checkpoint) -> Iterator[Engine]:
    with closing(Engine(decoder_of(told, max_batch=4))) as running:
        yield running


def test_keras_and_the_float32_graph_agree(told: Checkpoint, tmp_path: Path) -> None:
    from app.inference.keras_decoder import KerasDecoder
    from training.publishing.export import decoder_graph

    graph = tmp_path / DECODER_FILE
    graph.write_bytes(decoder_graph(told.weights(), quantise=False, inputs=told.manifest.model.inputs))
    litert = LiteRTDecoder(graph, 1, characters=told.manifest.vocabulary)
    ids = told.vocabulary.encode(TEXT)
    np.testing.assert_allclose(logits_over(litert, ids), logits_over(KerasDecoder(told, max_batch=1), ids), atol=1e-4)


@pytest.mark.parametrize("batch_size", [2, 8, 64])
def test_rows_are_bitwise_the_same_at_every_batch_size(told: Checkpoint, batch_size: int) -> None:
    decoder, ids = decoder_of(told), told.vocabulary.encode(TEXT)
    alone, rows = logits_over(decoder, ids), read(decoder, ids)
    state = decoder.initial_state(batch_size)
    for step in range(len(rows) - batch_size):
        logits, state = decoder.step(np.roll(rows, -step, axis=0)[:batch_size].copy(), state)
        assert (logits[0] == alone[step]).all()


def test_what_is_told_changes_what_comes_next(told: Checkpoint) -> None:
    decoder = decoder_of(told, max_batch=1)
    ids = told.vocabulary.encode(TEXT)
    row = read(decoder, ids)[-1]
    for place in range(1, len(row)):
        other = row.copy()
        other[place] = 0 if row[place] else 1
        (one, _), (another, _) = (decoder.step(each[None], decoder.initial_state(1)) for each in (row, other))
        assert not np.allclose(one, another, atol=1e-3)


def free(told: Checkpoint, seed: int, length: int, text: str = "X:1\n", state: Memory | None = None) -> Sequence:
    return Sequence(told.vocabulary.encode(text), length, SamplingParams(seed=seed), state=state)


def held(told: Checkpoint, grammar: Grammar, seed: int) -> Sequence:
    prompt, constraint = told.vocabulary.encode("X:1\n"), grammar.begin("X:1\n", length=400)
    return Sequence(prompt, 400, SamplingParams(seed=seed), constraint=constraint)


def ended(engine: Engine, *sequences: Sequence) -> list[list[int]]:
    waiting = [engine.submit(sequence).done for sequence in sequences]
    assert not wait(waiting, TIMEOUT_S).not_done
    return [sequence.new_ids for sequence in sequences]


def test_same_seed_same_text_alone_and_under_load_with_turns(told: Checkpoint, engine: Engine) -> None:
    length = TURN_STEPS + 100  # more sequences than places: each is paused once at least
    alone = [ended(engine, free(told, seed, length))[0] for seed in range(3)]
    assert ended(engine, *(free(told, seed, length) for seed in range(9)))[:3] == alone
    assert len({tuple(ids) for ids in alone}) == 3


def test_same_seed_same_tune_with_the_grammar(told: Checkpoint, engine: Engine) -> None:
    grammar = Grammar(told.vocabulary)
    alone = [ended(engine, held(told, grammar, seed))[0] for seed in range(4)]
    assert ended(engine, *(held(told, grammar, seed) for seed in range(12)))[:4] == alone


def test_a_draw_is_what_the_graph_says_of_the_text_so_far(told: Checkpoint, engine: Engine) -> None:
    (ids,) = ended(engine, Sequence(told.vocabulary.encode(TEXT), 200, SamplingParams(temperature=0.0)))
    text = TEXT + told.vocabulary.decode(ids)
    logits = logits_over(decoder_of(told, max_batch=1), told.vocabulary.encode(text))
    assert logits.argmax(axis=1)[len(TEXT) - 1 : -1].tolist() == ids


@pytest.mark.parametrize("cut", [10, 70, 133, 300])
def test_a_state_is_gone_on_from_in_several_ways(told: Checkpoint, engine: Engine, cut: int) -> None:
    first = free(told, 0, 1, TEXT[:cut])
    ended(engine, first)
    for rest in (TEXT[cut:], "|A2|\n", TEXT[cut:]):
        whole = ended(engine, free(told, 7, 100, TEXT[:cut] + rest))
        assert ended(engine, free(told, 7, 100, rest, first.state)) == whole


def test_an_ended_sequence_is_no_cycle_that_waits_for_the_garbage_collector(told: Checkpoint) -> None:
    batch, sequence = Batch(decoder_of(told, max_batch=1)), free(told, 1, 20)
    batch.take_in([sequence])
    while not sequence.finish_reason:
        batch.step()
    batch.take_out([sequence])
    memory, ended = sequence.completion().state, ref(sequence)
    gc.disable()
    try:
        del sequence
        assert ended() is None
    finally:
        gc.enable()
    assert memory is not None


def test_a_graph_that_reads_something_else_is_refused(told: Checkpoint, plain: Checkpoint, tmp_path: Path) -> None:
    from training.publishing.export import decoder_graph

    assert LiteRTDecoder(plain.path(DECODER_FILE), 1, characters=plain.manifest.vocabulary).alphabet is None
    less = told.manifest.model.inputs[:7]
    weights = told_models.drawn_weights(told.manifest.model.model_copy(update={"inputs": less}))
    graph = tmp_path / DECODER_FILE
    graph.write_bytes(decoder_graph(weights, inputs=less))
    with pytest.raises(ValueError, match=f"no {len(less)} columns are known"):
        LiteRTDecoder(graph, 1, characters=told.manifest.vocabulary)


def test_a_model_with_inputs_that_this_code_does_not_know_is_refused(
    told: Checkpoint, checkpoint: Checkpoint, tmp_path: Path
) -> None:
    other = Store(tmp_path)
    (*known, last) = told.manifest.model.inputs
    strange = told_models.publish(other, checkpoint, inputs=(*known, last.model_copy(update={"name": "mood"})))
    with pytest.raises(InvalidCheckpointError, match=r"told/1: .*input mood"):
        load_decoders(strange, Settings(model_store=tmp_path), few=1)


def test_it_is_published_in_a_format_that_lists_its_inputs(store: Store, told: Checkpoint, plain: Checkpoint) -> None:
    assert (told.manifest.format_version, plain.manifest.format_version) == (2, 1)
    again = store.load("told").manifest
    assert again == told.manifest
    names = ["back_1", "back_2", "back_4", "back_8", "place", "bar", "key", "form", "plan", "again", "match"]
    assert [each.name for each in again.model.inputs] == names[: 11 if again.model.inputs[8:] else 8]


@pytest.mark.parametrize("decoder", ["litert", "keras"])
def test_the_service_gives_the_same_tune_for_a_seed_and_makes_bars_anew(
    store: Store, told: Checkpoint, decoder: str
) -> None:
    assert told.manifest.name == "told"
    with serving(model_store=str(store.root), decoder=decoder) as server, server.client() as client:
        wish = {"seed": 5, "length": 300, "top_k": 3}
        one, other = (client.post("/generate", json=wish).raise_for_status().json() for _ in range(2))
        assert one["abc"] == other["abc"]
        tune = "X:1\nT:A\nM:4/4\nL:1/8\nK:D\n|:ABcd efga|bagf edcB|ABcd efga|d2d2 d4:|\n"
        anew = client.post("/generate", json={"abc": tune, "bars": [2], "seed": 1})
        assert anew.status_code in (200, 422), anew.text  # a model of noise may find no bar that fits


@pytest.mark.parametrize(("start", "asked"), [("X:1\nM:4/4\nK:D\n", 1), ("X:1\nM:4/4\nK:D\nA", 0), ("X:1\nM:4/4\n", 0)])
def test_a_plan_is_asked_for_where_a_header_is_complete_and_nothing_follows(
    told: Checkpoint, engine: Engine, start: str, asked: int
) -> None:
    forms: list[int] = []

    def planner(form: int) -> None:
        forms.append(form)

    prompt = told.vocabulary.encode(start)
    ended(engine, Sequence(prompt, 1, SamplingParams(seed=1), planner=planner))
    assert forms == [form_number("", "4/4")] * asked


def test_a_sequence_that_goes_on_from_another_asks_its_own_planner(told: Checkpoint, engine: Engine) -> None:
    asked: list[tuple[str, int]] = []

    def first_planner(form: int) -> None:
        asked.append(("first", form))

    def other_planner(form: int) -> None:
        asked.append(("other", form))

    first = Sequence(told.vocabulary.encode("X:1\nK:D\n"), 1, SamplingParams(seed=1), planner=first_planner)
    ended(engine, first)
    rest = told.vocabulary.encode("A2|\n\nX:2\nM:4/4\nK:D\n")
    ended(engine, Sequence(rest, 1, SamplingParams(seed=1), state=first.state, planner=other_planner))
    assert asked == [("first", form_number("", "")), ("other", form_number("", "4/4"))]


def test_a_plan_changes_what_is_written(told: Checkpoint, engine: Engine) -> None:
    prompt = told.vocabulary.encode("X:1\nM:4/4\nK:D\n")
    planner = Planning(told_models.PLANS, "here").planner(1)
    without, with_plan = ended(
        engine,
        Sequence(prompt, 200, SamplingParams(seed=1)),
        Sequence(prompt, 200, SamplingParams(seed=1), planner=planner),
    )
    assert (without != with_plan) == (len(told.manifest.model.inputs) > 8)


START = "X:1\nM:4/4\nL:1/8\nK:D\n"


def planned(told: Checkpoint, grammar: Grammar, seed: int, redraws: int) -> Sequence:
    """A tune whose parts are held to a plan, after so many other draws of each last bar."""
    plans = Plans(told_models.PLANS.plans, are_held=True, redraws=redraws)
    return Sequence(
        told.vocabulary.encode(START),
        600,
        SamplingParams(seed=seed),
        constraint=grammar.begin(START, length=600),
        planner=Planning(plans, "here").planner(seed),
    )


@pytest.mark.parametrize("redraws", [0, 3])
def test_parts_end_as_a_held_plan_says(told: Checkpoint, engine: Engine, redraws: int) -> None:
    grammar = Grammar(told.vocabulary)
    drawn = ended(engine, *(planned(told, grammar, seed, redraws) for seed in range(12)))
    ends = [end for ids in drawn for end in last_degrees(told, START, ids)]
    assert len(ends) > 4
    as_planned = sum((degree == 1) == at_home for degree, at_home in ends)  # noise leaves some bars no such ending
    assert (as_planned >= 0.8 * len(ends)) == (len(told.manifest.model.inputs) > 8)


def test_same_seed_same_tune_where_bars_are_drawn_again_alone_and_with_turns(told: Checkpoint, engine: Engine) -> None:
    grammar = Grammar(told.vocabulary)
    alone = [ended(engine, planned(told, grammar, seed, 3))[0] for seed in range(3)]
    together = [planned(told, grammar, seed, 3) for seed in range(12)]
    assert ended(engine, *together)[:3] == alone
    is_told_plans = len(told.manifest.model.inputs) > 8
    assert any(each.next_draw > len(each.new_ids) for each in together) == is_told_plans


def test_no_id_is_shown_that_is_drawn_again(told: Checkpoint) -> None:
    batch, grammar = Batch(decoder_of(told, max_batch=4)), Grammar(told.vocabulary)
    sequences = [planned(told, grammar, seed, 3) for seed in range(4)]
    batch.take_in(sequences)
    shown: list[list[int]] = [[] for _ in sequences]
    while not all(sequence.finish_reason for sequence in sequences):
        batch.step()
        for number, sequence in enumerate(sequences):
            assert sequence.new_ids[: len(shown[number])] == shown[number]
            shown[number] = list(sequence.new_ids)
        batch.take_out([sequence for sequence in sequences if sequence.finish_reason])
    for sequence in sequences:
        assert len(sequence.new_ids) <= 600
        text = START + told.vocabulary.decode(sequence.new_ids)
        assert not grammar.begin(text).faults


def test_each_begins_once_whose_first_ids_may_be_drawn_again_beside_another_that_goes_back(told: Checkpoint) -> None:
    plan = Plan((Part((UNSAID,), at_home=True),), is_held=True, redraws=3)
    batch, grammar, prompt = (
        Batch(decoder_of(told, max_batch=16)),
        Grammar(told.vocabulary),
        told.vocabulary.encode(START),
    )
    sequences = [
        Sequence(prompt, 80, SamplingParams(seed=seed), constraint=grammar.begin(START), planner=lambda _: plan)
        for seed in range(16)
    ]
    batch.take_in(sequences)
    begun: list[Sequence] = []
    while not all(sequence.finish_reason for sequence in sequences):
        batch.step()
        begun += batch.take_begun()
        batch.take_out([sequence for sequence in sequences if sequence.finish_reason])
    assert len(begun) == len(set(begun)) == 16


def last_degrees(told: Checkpoint, start: str, ids: Iterable[int]) -> list[tuple[int, bool]]:
    """Of the bars that `told_models.PLANS` has parts end with: the last note's degree, and whether it is to be 1."""
    tracker, found = Tracker(Alphabet(told.manifest.vocabulary)), []
    for id_ in [*told.vocabulary.encode(start).tolist(), *ids]:
        at, degree = tracker.bar_of_part, tracker.degree
        tracker.advance(id_)
        if tracker.bar_of_part != at and at in ((0, 3), (1, 7)):
            found.append((degree, at == (0, 3)))
    return found
