"""A start string may end anywhere and be at fault: what follows is a whole tune, and the fault is reported."""

from collections.abc import Callable

import httpx
import pytest

from app.api.schemas.generation import GenerateRequest
from app.grammar import Grammar
from model_store.store import Checkpoint
from tests import judges
from tests.random_tunes import VOCABULARY, write
from tests.start_strings import STARTS, Start

SEEDS = (1, 2)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(VOCABULARY)


def _begun(start: Start) -> str:
    return GenerateRequest(start_string=start.text).start_string


@pytest.mark.parametrize("start", STARTS, ids=[start.name for start in STARTS])
def test_a_start_string_leads_to_a_whole_tune(grammar: Grammar, start: Start) -> None:
    for seed in SEEDS:
        text, cursor = write(grammar, seed, 300, start=_begun(start))
        places = [(fault.line, fault.column) for fault in cursor.faults]
        assert places[:1] == ([start.fault] if start.fault else [])
        assert cursor.finished == 1
        assert {fault.line for fault in grammar.begin(text).faults} == {line for line, _ in places}


@pytest.mark.parametrize("judge", [judges.abc2midi, judges.music21, judges.abcjs])
def test_after_a_clean_start_string_the_tune_is_clean(
    grammar: Grammar, judge: Callable[[list[str]], list[list[str]]]
) -> None:
    if reason := judges.missing(judge):
        pytest.skip(reason)
    texts = [write(grammar, seed, 300, start=_begun(start))[0] for start in STARTS if not start.fault for seed in SEEDS]
    tunes = [text.rstrip("\n").split("\n\n")[-1] + "\n" for text in texts]
    assert [(tune, said) for tune, said in zip(tunes, judge(tunes), strict=True) if said] == []


def test_the_service_reports_the_fault_in_its_tune(client: httpx.Client, checkpoint: Checkpoint) -> None:
    alphabet = set(checkpoint.vocabulary.characters)
    faulty = [start for start in STARTS if start.fault and alphabet.issuperset(start.text) and "\n\n" not in start.text]
    assert len(faulty) > 5
    for start in faulty:
        tune = client.post("/generate", json={"start_string": start.text, "seed": 1}).json()["tunes"][0]
        assert start.fault in [(problem["line"], problem["column"]) for problem in tune["problems"]], start.name
        assert tune["complete"], start.name
