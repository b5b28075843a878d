"""The promise of the grammar: whatever the logits, a finished tune is clean for judges that know nothing of it."""

import gc
import random
import re
import tracemalloc
from collections.abc import Callable
from itertools import islice

import numpy as np
import pytest

from app.abc.pitch import midi_pitch
from app.abc.rhythms import METERS_OF_RHYTHM
from app.abc.written_subset import HORNPIPE_METERS
from app.errors import RequestError, VocabularyError
from app.grammar import Grammar
from app.grammar.pitch import KEYS
from app.grammar.request import Form, Request
from model_store.vocabulary import Vocabulary
from tests import judges
from tests.random_tunes import VOCABULARY, headers, requests, write

HEADER = "X:1\nM:4/4\nL:1/8\nK:D\n"


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(VOCABULARY)


@pytest.fixture(scope="module")
def tunes(grammar: Grammar) -> list[str]:
    """Finished tunes in every metre and unit length, in many keys, and as asked for."""
    begun = [(header, None) for header in headers()] + [("", request) for request in requests(15)]
    written = [
        write(grammar, seed, random.Random(seed).randint(300, 600), start=start, request=request)
        for seed, (start, request) in enumerate(begun)
    ]
    assert all(cursor.finished == 1 and not cursor.faults for _, cursor in written)
    return [text for text, _ in written]


@pytest.mark.parametrize("judge", [judges.abc2midi, judges.music21, judges.abcjs])
def test_random_tunes_are_clean(tunes: list[str], judge: Callable[[list[str]], list[list[str]]]) -> None:
    if reason := judges.missing(judge):
        pytest.skip(reason)
    complaints = {tune: complaint for tune, complaint in zip(tunes, judge(tunes), strict=True) if complaint}
    assert not complaints


def test_random_tunes_use_every_construct(tunes: list[str]) -> None:
    notes = ["z", r"\^\^", "__", "=", "'", ",,", "/4", "7/", "-", r"- ?\|", "<", ">>", "~", r"\."]
    groups = [r"\(\d", r"\((?!\d)", r"\{", r"\[[A-Ga-g^_=]", '"']
    bar_lines = ["::", r"\|:", r"\|\|", r"\|\]\n\n", r":\|\n\n", r"\|1", r":\|\n?\[?2"]
    bodies = "".join(re.sub(r"(?s).*\nK:[^\n]*\n", "", tune) for tune in tunes)
    assert [construct for construct in notes + groups + bar_lines if not re.search(construct, bodies)] == []


SOUND_BODIES = [
    "A8|B8|c8|d8|]",
    "A2|B8|c8|d6|]",
    "A2|B8|c8|d8|]",
    "|:A8|B8:|",
    "A8|B8:|",
    "|:A8|B8::c8|d8:|",
    "A8|B8:|\n|:c8|d8:|",
    "|:A2|B8|c6:|",
    "A2|:B8|c8|d6A2:|",
    "A2|B8|c6::A2|B8|c6:|",
    "A8|d6||A2|B8|]",
    "A8||B8||",
    "|:A8|1d8:|2d4D4|]",
    "|:A8|[1d8:|[2d4D4|]",
    "|:A8|\n[1d8:|\n[2d4D4|]",
    "|:A2|B8|1d6:|2d6||",
    "A8|1B8:|2c8||\n|:d8:|",
    "A1A2A3A2|A4A4|A6A2|A7A|A/A/A3/2A/A4A|A//A//A/A7/4A/4A4A|A3/4A/4A7/2A7/2|]",
    "A>BA<Bc4|A>>BA<<Bc4|A> BA>{g}Bc4|]",
    "(3ABc(3ABcd4|(2ABc4z|(4ABcdz4z|(5ABcded6|(3(ABc)A>Bd4|(3A>Bcd6|]",
    "A4-A4-|A8|^F4-^F4|[DF]4-[DF]4|]",
    "(AB)c6|d4(e4|f4)g4|]",
    "{g}A4{AB}c4|{^g}A8|{g2a/}A8|]",
    "[DFA]2[DF]6|",
    "A,8|A,,,8|a'8|a'''8|^^A8|__A8|=A8|]",
    '"D"A8|"A7"A8|"G/B"A8|"F#m7"A4"Bb"A4|]',
    "~A4.A4|z8|A2z2A4|]",
    "A8|\nB8|\nc8|]",
    "!trill!A8|[M:3/4]A6|x2A4|]",
    "A2 B2 c4 | d8 |]",
    "A4\nB4|c8|]",
    "A`B!trill!c2vd4|",
    "|:A2|B8|1d6:|2d8||\nA8|B8|]",
    "|:A2|B8|1d6:|2d8|]",
    "A2|B8|c8|d4|]",
    "A2|B8|c8|d4||",
    "A2|:B8|c8|d6A2:|c8|d4|]",
    "A4-(3ABcd2|A8|]",
]


@pytest.mark.parametrize("body", SOUND_BODIES)
def test_a_sound_body_has_no_fault(grammar: Grammar, body: str) -> None:
    assert grammar.begin(f"{HEADER}{body}\n\n").faults == ()
    assert judges.abc2midi([HEADER + body.replace("`", "")]) == [[]]


UNSOUND_BODIES = [
    ("A8|B9|c8|]", 5),
    ("A8|B4|c8|]", 6),
    ("A8|B8c|d8|]", 6),
    ("|:A8:|B8:|", 9),
    ("|:A2|B8|c8:|", 11),
    ("A2|B8|c8|d4|\n\n", 12),
    ("|:A2|B8|c8|d4|]", 14),
    ("A8|d8:|A2|B8|c6|]", 10),
    ("A8||1B8|]", 5),
    ("A8|B4 1c4|]", 7),
    ("A5B3|", 2),
    ("A5/2B3/2|", 2),
    ("A/3B8|", 3),
    ("A>B2c6|", 4),
    ("A7B>|c8|", 4),
    ("A>(3Bcd|", 3),
    ("(3AB|c", 5),
    ("(3AB2c", 5),
    ("(3A{g}Bc", 4),
    ("A4-B4|", 4),
    ("A4-z4|", 4),
    ("A8-:|", 4),
    ("A4-{g}A4|", 4),
    ("(A(BC))", 4),
    ("{}A8|", 2),
    ("[DF2]8|", 4),
    ("A,,,,8|", 5),
    ('"slow"A8|', 2),
]


@pytest.mark.parametrize(("body", "column"), UNSOUND_BODIES)
def test_a_fault_is_reported_where_it_stands(grammar: Grammar, body: str, column: int) -> None:
    fault = grammar.begin(HEADER + body).faults[0]
    assert (fault.field, fault.line, fault.column) == ("start_string", 5, column)
    assert fault.position == len(HEADER) + column - 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("A8|B7|c8|]", "the bar is short by 1/8 of a whole note"),
        ("A8:|B8:|", "a repeat ends here that has not begun: there is no |: before it"),
        ("|:A2|B8|c8:|", "the last bar of the repeat is full; it should leave 1/4 of a whole note to the pickup"),
        ("A8|B9|", "'9' does not fit here: a note must be a note value, dotted or not, within the bar"),
        ("A8|]]", "']' cannot stand here"),
    ],
)
def test_a_fault_says_what_is_wrong(grammar: Grammar, body: str, message: str) -> None:
    assert grammar.begin(HEADER + body).faults[0].message == message


def test_an_open_repeat_at_the_end_of_a_tune_is_a_fault(grammar: Grammar) -> None:
    (fault,) = grammar.begin(HEADER + "|:A8|B8|\n\n").faults
    assert (fault.line, fault.column) == (6, 1)


STARTS = ["", "\n\n", "X", "X:", "X:1", "X:1\n", "X:1\nT", "X:1\nT:The", "X:1\nT:The Old\nZ:trad\n", "X:1\nZ:tr"]
STARTS += ["X:1\nT:A\nR:re", "X:1\nM:6", "X:1\nM:6/8\n", "X:1\nM:6/8\nL:1/", "X:1\nM:6/8\nL:1/8\nK:"]
STARTS += ["X:1\nM:6/8\nL:1/8\nK:A Dor", "X:1\nQ:1/4=120\nM:4/4\nL:1/8\nK:D\n", "X:1\nM:4/4\nK:D\nA"]
_MID_BAR = ["A", "A2B", "A3/", "^", "(3AB", "(3", "(", "(AB", "(AB)", "{g", "{g}", "[DF", "[DF]", "[DF]-", '"A', '"A"']
_MID_BAR += ["A>", "A>>", "A-", "A A", "~", ".", "(A-", "z", "A//"]
STARTS += [HEADER + bar for bar in _MID_BAR]
STARTS += [
    HEADER + bar for bar in ("", "A8-|", "A2|", "A2|d8|", "|", "|:", "A8:", "A8|\n", "A8|]", "A8|]\n", "A8|]\n\n")
]
STARTS += [HEADER + "|:A8|1", HEADER + "|:A8|1B8:|", HEADER + "|:A8:|", HEADER + "A8|B8|]\n\nX:2\n"]

FAULTY_STARTS = [
    "M:4/4\nX:1\n",
    "X:1\nK:H\n",
    "X:1\nK:H",
    "X:1\nM:9/7\n",
    "X:1\nM:9/7",
    "hello",
    "hello\n",
    "X:1\nK:D\nABc",
]
FAULTY_STARTS += [HEADER + bar for bar in ("A5B5|c8|d", "A8|B9", "A8|B4|c", "]A", '"xx', "A8|B8|}c", "A,,,,", "{g2{")]
FAULTY_STARTS += ["X:1\nT:x\n\n", HEADER + "|:A8|\n\n"]


@pytest.mark.parametrize("start", STARTS)
def test_a_start_string_may_end_anywhere(grammar: Grammar, start: str) -> None:
    for seed in range(2):
        text, cursor = write(grammar, seed, 200, start=start)
        assert cursor.faults == ()
        assert cursor.finished == 1
        assert grammar.begin(text).faults == ()
        assert judges.abc2midi([text.split("\n\n")[-2]]) == [[]]


@pytest.mark.parametrize("start", FAULTY_STARTS)
def test_after_a_fault_the_tune_goes_on_soundly(grammar: Grammar, start: str) -> None:
    for seed in range(2):
        text, cursor = write(grammar, seed, 200, start=start)
        assert cursor.faults
        assert cursor.finished == 1
        assert {fault.line for fault in grammar.begin(text).faults} == {fault.line for fault in cursor.faults}


def test_there_is_no_dead_end(grammar: Grammar) -> None:
    for seed, request in enumerate(requests(12)):
        generator = np.random.default_rng(seed)
        cursor = grammar.begin("", request, tunes=None)
        for _ in range(400):
            ids = np.flatnonzero(cursor.allowed)
            assert len(ids)
            cursor.advance(int(generator.choice(ids)))


def test_the_mask_does_not_depend_on_the_cache(grammar: Grammar) -> None:
    """Of what a grammar knows it makes out the rest; one that knows nothing yet has nothing to make it out from."""
    for seed, request in enumerate(requests(3)):
        generator = np.random.default_rng(seed)
        cursor, text = grammar.begin("", request, tunes=None), ""
        for place in range(200):
            if place % 20 == 19:
                assert Grammar(VOCABULARY).begin(text, request).allowed.tolist() == cursor.allowed.tolist(), text
            id_ = int(generator.choice(np.flatnonzero(cursor.allowed)))
            cursor.advance(id_)
            text = "" if cursor.finished and text.endswith("\n") else text + VOCABULARY.characters[id_]
            if not text:
                break


def test_from_every_character_that_may_come_the_tune_goes_on_soundly(grammar: Grammar) -> None:
    tried = 0
    for seed, request in enumerate(requests(4)):
        text, _ = write(grammar, seed, 150, request=request)
        for end in range(seed, len(text) - 2, 23):
            for id_ in np.flatnonzero(grammar.begin(text[:end], request).allowed)[end % 3 :: 3]:
                after = text[:end] + VOCABULARY.characters[id_]
                whole, cursor = write(grammar, seed, 150, start=after, request=request)
                assert (cursor.faults, cursor.finished) == ((), 1), whole
                tried += 1
    assert tried > 150


def test_once_there_is_time_to_close_a_tune_there_is_with_any_more(grammar: Grammar) -> None:
    """And whatever comes of what may: nothing is let through that takes too long, from the least length on."""
    for seed, request in enumerate(requests(4)):
        text, _ = write(grammar, seed, 150, request=request)
        for end in range(seed, len(text) - 2, 31):
            start = text[:end]
            least = next(n for n in range(1, 500) if write(grammar, 0, n, start=start, request=request)[1].finished)
            for length in (least, least + 1, least + 2, least + 9):
                for taste in range(3):
                    assert write(grammar, taste, length, start=start, request=request)[1].finished, (start, length)


@pytest.mark.parametrize(
    "start", ["", "X:1\nM:12/8\nL:1/16\nK:C\n", HEADER + "|:A2|", HEADER + "|:A2|B8|1c4", HEADER + "(A4"]
)
def test_a_tune_is_closed_within_its_length(grammar: Grammar, start: str) -> None:
    for seed in range(6):
        for length in (60, 61, 100):
            text, cursor = write(grammar, seed, length, start=start)
            assert len(text) - len(start) <= length
            assert cursor.finished == 1
            assert text.endswith(("|]\n\n", ":|\n\n", "||\n\n"))


def test_a_tune_that_cannot_be_closed_is_left_open(grammar: Grammar) -> None:
    text, cursor = write(grammar, 0, 3, start=HEADER + "|:A2|")
    assert cursor.finished == 0
    assert len(text) == len(HEADER) + 5 + 3


def test_as_many_tunes_as_asked_for(grammar: Grammar) -> None:
    generator = np.random.default_rng(0)
    taste = np.array([4.0 * (c in "\n]") + 2.0 * (c in "ABCD2|:") for c in VOCABULARY.characters])
    cursor = grammar.begin("X:1\n", tunes=3)
    ids: list[int] = []
    while not ids or not cursor.advance(ids[-1]):
        logits = taste + generator.gumbel(size=len(taste))
        ids.append(int(np.where(cursor.allowed, logits, -np.inf).argmax()))
    tunes = ("X:1\n" + VOCABULARY.decode(ids)).split("\n\n")
    assert cursor.finished == 3
    assert [tune[:2] for tune in tunes] == ["X:", "X:", "X:", ""]
    assert judges.abc2midi(tunes[:3]) == [[], [], []]


def test_the_header_is_as_asked_for(grammar: Grammar) -> None:
    for seed, key in enumerate(sorted(KEYS)[::150]):
        request = Request(key=key, meter="9/8", rhythm="slip jig")
        text, _ = write(grammar, seed, 300, request=request)
        assert {f"K:{key}", "M:9/8", "R:slip jig"} <= set(text.split("\n"))


@pytest.mark.parametrize("rhythm", METERS_OF_RHYTHM)
def test_a_rhythm_that_is_asked_for_is_in_one_of_its_metres(grammar: Grammar, rhythm: str) -> None:
    for seed in range(6):
        text, _ = write(grammar, seed, 300, request=Request(rhythm=rhythm))
        assert re.findall(r"^M:(.*)$", text, re.MULTILINE)[0] in METERS_OF_RHYTHM[rhythm]


@pytest.mark.parametrize(("form", "plays"), [("AABB4", 4), ("AA8", 2), ("ABC2", 3), ("AABBCC2", 6), ("AABB1", 4)])
@pytest.mark.parametrize("meter", ["4/4", "6/8"])
def test_the_form_is_as_asked_for(grammar: Grammar, form: str, plays: int, meter: str) -> None:
    asked = Form.parse(form)
    for seed in range(4):
        text, cursor = write(grammar, seed, 4000, request=Request(meter=meter, form=asked))
        assert cursor.finished == 1
        quarters = plays * asked.bars * (4 if meter == "4/4" else 3)
        assert judges.quarters_played(text) == pytest.approx(quarters, abs=0.1), text


def test_notes_stay_within_the_range(grammar: Grammar) -> None:
    if reason := judges.missing(judges.music21):
        pytest.skip(reason)
    low, high = midi_pitch("D"), midi_pitch("b")
    for seed, key in enumerate(["D", "Eb", "F#", "C#phr", "Abm", "C"]):
        text, _ = write(grammar, seed, 600, request=Request(key=key, low=low, high=high))
        played = judges.pitches_played(text)
        assert played
        assert low <= min(played) <= max(played) <= high


@pytest.mark.parametrize("lacking", [":", "/", "|", "X", "148", "ABCDEFGabcdefg"])
def test_a_vocabulary_without_what_every_tune_needs_is_refused(lacking: str) -> None:
    with pytest.raises(VocabularyError, match="cannot write a whole tune"):
        Grammar(_without(lacking))


def _without(lacking: str) -> Vocabulary:
    return Vocabulary("".join(c for c in VOCABULARY.characters if c not in lacking))


@pytest.mark.parametrize("lacking", ["(", "{", '"', "[", "-", "]", "^_=", "234567", "<>~.", "TR", "defg", "2"])
def test_a_vocabulary_may_lack_what_not_every_tune_needs(lacking: str) -> None:
    grammar = Grammar(_without(lacking))
    generator = np.random.default_rng(0)
    cursor = grammar.begin(length=500)
    for _ in range(500):
        if cursor.advance(int(generator.choice(np.flatnonzero(cursor.allowed)))):
            break
    assert cursor.finished == 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"key": "G#"}, "key"), ({"key": "Abphr"}, "key"), ({"meter": "4/5"}, "meter"), ({"low": 70, "high": 60}, "low")],
)
def test_what_cannot_be_had_is_refused(asked: dict[str, str], field: str) -> None:
    with pytest.raises(RequestError) as refused:
        Request(**asked)  # type: ignore[arg-type]
    assert refused.value.faults[0].field == field


def test_a_range_without_notes_is_refused(grammar: Grammar) -> None:
    with pytest.raises(RequestError):
        grammar.begin(request=Request(low=1, high=2))


def test_the_cache_is_filled_again_after_it_was_cleared() -> None:
    grammar = Grammar(VOCABULARY, max_states=100)
    texts = [write(grammar, 1, 300)[0] for _ in range(3)]
    assert texts[0] == texts[1] == texts[2]


def test_a_sequence_goes_on_while_the_cache_is_cleared(grammar: Grammar) -> None:
    expected, _ = write(grammar, 1, 300)
    forgetful = Grammar(VOCABULARY, max_states=100)
    cursor, at = forgetful.begin("", length=300), 0
    for at, character in enumerate(expected):
        if at % 10 == 0:
            write(forgetful, at, 50)
        assert cursor.allowed.tolist() == grammar.begin(expected[:at], length=300 - at).allowed.tolist()
        cursor.advance(VOCABULARY.characters.index(character))
    assert (cursor.finished, at) == (1, len(expected) - 1)


def test_a_cache_that_was_full_gives_its_memory_back() -> None:
    """Each round asks for what was not asked for before: it goes too."""

    def work(grammar: Grammar, number: int) -> int:
        for request in islice(requests(100), 2 * number, 2 * number + 2):
            write(grammar, number, 150, request=request)
        grammar.begin()
        gc.collect()
        return _held_bytes()

    gc.collect()
    tracemalloc.start()
    try:
        grammar = Grammar(VOCABULARY, max_states=500)
        after = [work(grammar, number) for number in range(6)]
        assert max(after[3:]) < 1.3 * max(after[:3]), after
        del grammar
        gc.collect()
        assert _held_bytes() < 0.1 * after[-1]
    finally:
        tracemalloc.stop()


def _held_bytes() -> int:
    """What the code of the grammar has allocated and nobody has freed."""
    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/app/grammar/*")])
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


def test_warming_the_cache_changes_no_tune_and_adds_nothing_twice() -> None:
    taught, untaught = Grammar(VOCABULARY), Grammar(VOCABULARY)
    tunes = [write(untaught, seed, 300, start="")[0] for seed in range(4)] + ["X:1\nno tune"]
    assert len(list(taught.learn(tunes))) > len(tunes)
    known = len(taught._automaton)
    list(taught.learn(tunes))
    assert len(taught._automaton) == known
    for seed in range(4):
        assert write(taught, seed, 300)[0] == write(untaught, seed, 300)[0]


def test_a_character_that_is_not_allowed_is_refused(grammar: Grammar) -> None:
    cursor = grammar.begin(HEADER)
    with pytest.raises(ValueError, match="'8' is not allowed"):
        cursor.advance(VOCABULARY.characters.index("8"))


HORNPIPE = "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:D\n"
HORNPIPE_BARS = [
    # the first bar, and the column of what abc2midi cannot swing in it
    ("A>Bc>d e<fg>>a|", None),
    ("A2z>B c2A>B|", None),
    ("A2AA>BA z2|", 5),
    ("A2zB>cd e2|", 8),
    (".A.B AB A4|", None),
    (".AB A6|", 4),
    ("A.B A6|", 4),
    ("~AB A6|", None),
    ("A~B A6|", 4),
    ("A{g}B A6|", None),
    ("[AB]2A~B B3A|", None),
    ("A(3BcdA A4|", None),
    ("A(3Bcd {g}A A4|", 12),
    ("(3Bcdz3A A2|", 9),
    ("[AB]-[AB]2A(3BcB {g}AA|", 22),
]


@pytest.mark.parametrize(("bar", "column"), HORNPIPE_BARS)
def test_a_hornpipe_is_what_abc2midi_can_swing(grammar: Grammar, bar: str, column: int | None) -> None:
    faults = grammar.begin(HORNPIPE + bar).faults
    assert [(fault.line, fault.column) for fault in faults[:1]] == ([(6, column)] if column else [])
    tune = f"{HORNPIPE}z8|{bar}A8|A8|]\n"
    assert bool(judges.abc2midi([tune])[0]) == (column is not None)
    assert grammar.begin(tune.replace("hornpipe", "reel")).faults == ()


@pytest.mark.parametrize("unit", ["1/4", "1/8", "1/16"])
@pytest.mark.parametrize("meter", HORNPIPE_METERS)
def test_random_hornpipes_are_clean(grammar: Grammar, meter: str, unit: str) -> None:
    header = f"X:1\nR:hornpipe\nM:{meter}\nL:{unit}\nK:D\n"
    tunes = [write(grammar, seed, 300, start=header)[0] for seed in range(4)]
    assert judges.abc2midi(tunes) == [[]] * 4


@pytest.mark.parametrize("start", ["R:hornpipe\n", "R: Hornpi", "R:hornpipe (old)\nM"])
def test_a_hornpipe_has_a_metre_that_abc2midi_swings(grammar: Grammar, start: str) -> None:
    for seed in range(8):
        text, _ = write(grammar, seed, 60, start="X:1\n" + start)
        if "R:hornpipe" in text or "R: Hornpipe" in text:
            assert re.search(r"\nM:(2/4|4/4|C)\n", text)


@pytest.mark.parametrize("start", ["X:1\nR:hornpipe\n", "X:1\nR:hornpipe\nM"])
def test_a_request_that_cannot_follow_the_start_string_is_refused(grammar: Grammar, start: str) -> None:
    with pytest.raises(RequestError, match="no tune that begins with this start string"):
        grammar.begin(start, Request(meter="6/8"))
    assert grammar.begin(start, Request(meter="2/4")).allowed.any()


@pytest.mark.parametrize("start", ["X:1\nM:4/4\nK:C\n", "X:1\nK:C\nC2|"])
def test_a_range_without_notes_of_the_start_strings_key_is_refused(grammar: Grammar, start: str) -> None:
    only_c_sharp = Request(key="D", low=61, high=61)
    assert grammar.begin("X:1\n", only_c_sharp).allowed.any()
    with pytest.raises(RequestError, match="no tune that begins with this start string"):
        grammar.begin(start, only_c_sharp)


@pytest.mark.parametrize(
    "start", ["X:1\nM:6/8\nT:Test", "X:1\nM:6/8\nR:jig\n", "X:1\nM:6/8\nR:", "X:1\nL:1/8\nM:", "X:1\nR:jig\nT:Test\n"]
)
def test_no_field_comes_again_after_a_header_in_another_order(grammar: Grammar, start: str) -> None:
    for seed in range(4):
        header = write(grammar, seed, 200, start=start)[0].split("\nK:")[0]
        fields = [line[0] for line in header.split("\n")]
        assert len(fields) == len(set(fields))


def test_a_hornpipe_in_another_metre_is_refused(grammar: Grammar) -> None:
    with pytest.raises(RequestError, match="a hornpipe is in 2/4, 4/4, C, not in 6/8"):
        Request(rhythm="hornpipe", meter="6/8")
    (fault,) = grammar.begin("X:1\nR:hornpipe\nM:6/8\nL:1/8\nK:D\n").faults
    assert (fault.line, fault.message) == (3, "M:6/8 is no metre for a hornpipe; it is in 2/4, 4/4, C")


def test_a_chord_may_begin_a_line_in_the_middle_of_a_bar(grammar: Grammar) -> None:
    cursor = grammar.begin(HEADER + "A8|A2\nM:4/")  # a field that is not continued: its line can only end
    cursor.advance(VOCABULARY.characters.index("\n"))
    assert cursor.allowed[VOCABULARY.characters.index("[")]


def test_the_chord_before_a_tie_is_not_the_ending_before_it(grammar: Grammar) -> None:
    cursor = grammar.begin("X:1\nM:2/4\nL:1/8\nK:D\nA4|\n[1[AB]2-")
    allowed = {VOCABULARY.characters[id_] for id_ in np.flatnonzero(cursor.allowed)}
    assert "[" in allowed
    cursor.advance(VOCABULARY.characters.index("["))
    assert {VOCABULARY.characters[id_] for id_ in np.flatnonzero(cursor.allowed)} == {"A"}


def test_a_start_string_at_odds_with_the_form_leads_to_no_dead_end(grammar: Grammar) -> None:
    """A second ending in a part that is shorter than the form asks for: no other text of the batch is to suffer."""
    request = Request(form=Form.parse("AABBCC4"))
    for seed in range(12):
        text, cursor = write(grammar, seed, 400, start="X:1\nM:6/8\nK:D\ndcd|1 abc:|2", request=request)
        assert cursor.faults
        assert cursor.finished == 1, text
