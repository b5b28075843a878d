"""Headers are drawn as often as real tunes have them, the same for a request and seed, and keep to what is said."""

import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from app.generation.drawn_headers import MIN_TUNES
from app.generation.jobs import seed_of_draw
from app.generation.planning import Planning
from app.grammar import DrawnHeader, Form, Grammar, Request
from model_store.plans import KnownHeader, Plans
from model_store.store import Checkpoint, Store
from tests.app.generation.draws import generate
from tests.app.generation.test_best_of import taste
from tests.checkpoints import publish
from tests.random_tunes import VOCABULARY, write
from tests.servers import serving

REEL, JIG = "R:reel\nM:2/4\nL:1/16\nK:Gm\n", "R:jig\nM:6/8\nL:1/8\nK:D\n"
UNNAMED, HORNPIPE = "M:3/8\nL:1/8\nK:D\n", "R:hornpipe\nM:4/4\nL:1/8\nK:Bb\n"
KNOWN = Plans(
    (),
    headers=(
        KnownHeader(3 * MIN_TUNES, "", "reel", "2/4", "1/16", "Gm"),
        KnownHeader(MIN_TUNES, "", "", "3/8", "1/8", "D"),
        KnownHeader(MIN_TUNES - 1, "", "jig", "6/8", "1/8", "D"),
        KnownHeader(MIN_TUNES, "hornpipe", "hornpipe", "4/4", "1/8", "Bb"),
        KnownHeader(MIN_TUNES - 1, "march", "march", "4/4", "1/8", "G"),
    ),
)
PLANNING = Planning(KNOWN, "here")


def headers(seed: int | None, request: Request | None = None, start: str = "") -> DrawnHeader:
    found = PLANNING.headers(seed, request, start)
    assert found
    return found


def header(seed: int | None = 1, request: Request | None = None, start: str = "X:1\n", number: int = 0) -> str:
    return headers(seed, request, start)(number, start)


def test_headers_are_drawn_as_often_as_they_are_known() -> None:
    drawn = Counter(header(seed) for seed in range(500))
    assert drawn.keys() == {REEL, UNNAMED, JIG}
    assert 255 < drawn[REEL] < 345
    assert header(None) == REEL


def test_all_candidates_of_a_request_have_its_header_and_each_tune_its_own() -> None:
    one = headers(7)
    tunes = [one(number, "X:1\n") for number in range(20)]
    assert len(set(tunes)) > 1
    for again in (headers(7), headers(seed_of_draw(7, 1)), headers(seed_of_draw(7, 3))):
        assert [again(number, "X:1\n") for number in reversed(range(20))] == tunes[::-1]
    assert [headers(8)(number, "X:1\n") for number in range(20)] != tunes


@pytest.mark.parametrize(
    ("request_", "start", "drawn"),
    [
        (Request(key="D"), "X:1\n", {UNNAMED, JIG}),
        (Request(rhythm="Reel"), "X:1\n", {REEL.replace("reel", "Reel")}),
        (Request(meter="2/4"), "X:1\n", {REEL}),
        (Request(key="D", meter="2/4"), "X:1\n", {""}),
        (Request(rhythm="jig"), "X:1\n", {""}),  # of which too few are known
        (Request(), "X:1\nT:The Test\nR:reel\n", {"M:2/4\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nR:  Reel % fast\n", {"M:2/4\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nR: re", {"el\nM:2/4\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nR", {":reel\nM:2/4\nL:1/16\nK:Gm\n", ":jig\nM:6/8\nL:1/8\nK:D\n"}),
        (Request(), "X:1\nM:2/", {"4\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nM:3/8\n", {"L:1/8\nK:D\n"}),
        (Request(), "X:1\nM:2/4\nL:1/16", {"\nK:Gm\n"}),
        (Request(), "X:1\nM:2/4\nL:1/8\n", {""}),
        (Request(), "X:1\nM:2/4\nR:re", {"el\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nL:1/16\nM:", {"2/4\nK:Gm\n"}),
        (Request(key="D"), "X:1\nR:reel\n", {""}),
        (Request(rhythm="jig"), "X:1\nR:reel\n", {"M:2/4\nL:1/16\nK:Gm\n"}),
        (Request(), "X:1\nM:3/8\nK:D\nA3|\n\nX:2\nC:trad\n", {REEL, UNNAMED, JIG}),
    ],
)
def test_what_is_said_is_kept_and_the_rest_agrees_with_it(request_: Request, start: str, drawn: set[str]) -> None:
    assert {header(seed, request_, start) for seed in range(40)} == drawn
    later = {header(seed, request_, "X:1\n", number=1) for seed in range(40)}
    assert later == {header(seed, request_, number=1) for seed in range(40)}


@pytest.mark.parametrize(
    ("title", "drawn"),
    [
        ("Hornpipes", {HORNPIPE}),
        ("The Reel Hornpipe", {HORNPIPE}),
        ("The March Of Time", {""}),  # of which too few are known
        ("The Reels of Tulla", {""}),
        ("The Fairest", {REEL, UNNAMED, JIG}),
    ],
)
def test_a_title_that_names_a_rhythm_has_headers_of_such_titles(title: str, drawn: set[str]) -> None:
    for start, written in ((f"X:1\nT:{title}\n", ""), ("X:1\nT:The", f"X:1\nT:{title}\n")):
        assert {headers(seed, start=start)(0, written) for seed in range(40)} == drawn


def test_older_plans_have_no_headers() -> None:
    assert Planning(Plans(()), "here").headers(1) is None


def without_titles(text: str) -> list[str]:
    """The headers of tunes from behind the title on."""
    return [re.sub(r"(?m)^[XT]:.*\n", "", found) for found in re.findall(r"(?ms)^X:.*?^K:.*?\n", text)]


def test_the_grammar_writes_what_is_drawn_after_any_title_of_each_tune() -> None:
    grammar, titles, count = Grammar(VOCABULARY), 0, 0
    for seed in range(30):
        text, _ = write(grammar, seed, 900, request=Request(form=Form(2, 2)), tunes=3, headers=headers(seed))
        found = without_titles(text)
        assert found == [headers(seed)(number, "X:1\n") for number in range(len(found))]
        assert not grammar.faults(text)
        count, titles = count + len(found), titles + text.count("T:")
    assert count > 60
    assert 0 < titles < count


def test_what_the_grammar_refuses_is_left_to_the_network() -> None:
    grammar = Grammar(VOCABULARY)
    for seed in range(10):
        assert not grammar.faults(write(grammar, seed, 30, headers=headers(seed))[0])
    strange = Planning(Plans((), headers=(KnownHeader(MIN_TUNES, "", "", "17/8", "1/8", "D"),)), "here")
    cursor = grammar.begin("X:1\nM:", headers=strange.headers(1, None, "X:1\nM:"))
    assert [c for c, allowed in zip(VOCABULARY.characters, cursor.allowed, strict=True) if allowed] == ["1"]
    cursor.advance(VOCABULARY.characters.index("1"))
    assert cursor.allowed.tolist() == grammar.begin("X:1\nM:1").allowed.tolist()


@pytest.fixture(scope="module")
def client(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a service whose model has these headers."""
    store = tmp_path_factory.mktemp("store")
    publish(Store(store), checkpoint, "own", critic=taste("range", 10.0, 1.0), plans=KNOWN)
    with serving(model_store=str(store)) as server, server.client() as client:
        yield client


def test_the_service_draws_headers_and_chooses_among_tunes_of_one(client: httpx.Client) -> None:
    drawn = set()
    for seed in range(8):
        asked = {"title": "The Test", "seed": seed, "length": 2000}
        one, chosen = generate(client, **asked, best_of=1)["abc"], generate(client, **asked, best_of=3)["abc"]
        assert without_titles(one) == without_titles(chosen) == [header(seed)]
        drawn.add(header(seed))
    assert len(drawn) > 1
    of_hornpipe = generate(client, title="The Test Hornpipe", seed=1, length=2000)["abc"]
    assert without_titles(of_hornpipe) == [HORNPIPE]


def test_the_service_keeps_what_is_asked_for_and_draws_nothing_freely(client: httpx.Client) -> None:
    (tune,) = generate(client, title="The Test", seed=1, length=2000, key="Gm")["tunes"]
    assert (tune["key"], tune["meter"], tune["rhythm"]) == ("Gm", "2/4", "reel")
    (tune,) = generate(client, start_string="X:1\nT:The Test\nM:3/8\n", seed=1, length=2000)["tunes"]
    assert (tune["key"], tune["meter"], tune["rhythm"]) == ("D", "3/8", None)
    (tune,) = generate(client, title="The Test", seed=1, length=2000, rhythm="waltz", key="A")["tunes"]
    assert (tune["key"], tune["meter"], tune["rhythm"]) == ("A", "3/4", "waltz")
    free = {generate(client, title="The Test", seed=seed, length=60, constrained=False)["abc"] for seed in range(4)}
    assert not all("M:2/4\nL:1/16\nK:Gm\n" in text or UNNAMED in text or JIG in text for text in free)
