"""Texts, words and marks of a tune, as they are read and as MusicXML has them."""

from xml.etree import ElementTree

import pytest

from app.abc.bar_spans import regions
from app.abc.fields import parse_tempo
from app.abc.meters import Meter
from app.abc.reader import read
from app.abc.texts import readable, without_comment
from app.abc.transpose import transposed
from app.abc.tunebook import split_tunes
from app.interchange import musicxml_writer

HEADER = "X:1\nM:4/4\nL:1/4\n"


def document(abc: str) -> ElementTree.Element:
    return ElementTree.fromstring(musicxml_writer.write(read(abc)))  # noqa: S314


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"D\'oite \AA", "Dóite Å"),
        ("D&oacute;ite", "Dóite"),
        (r"D\u00f3ite \U0001d11e", "Dóite \U0001d11e"),
        (r"\vS \cc \/o \Ho \uA \"o \ss", "Š ç ø ő Ă ö ß"),
        (r"100\% & &nosuch; \& x", "100% & &nosuch; & x"),
        (r"\u0007a\ud800b", "ab"),
        (r"&#233; &#xe9; \'{e} \oA \oe &#1114112;", "é é é Å œ \ufffd"),
    ],
)
def test_accents_are_read_in_each_way_that_they_are_written(written: str, said: str) -> None:
    assert readable(written) == said


def test_a_comment_ends_a_line_but_not_after_a_backslash() -> None:
    assert without_comment(r"50\% off % a comment") == r"50\% off"


def test_titles_names_and_annotations_are_read_so() -> None:
    abc = HEADER.replace("M:", "T:D\\'oite\nC:S&eacute;an\nM:") + 'V:1 name="Fl\\^ute"\nK:C\n"^tr\\`es"CDEF|\n'
    assert split_tunes(abc)[0].title == "Dóite"
    root = document(abc)
    texts = [root.findtext(path) for path in ("work/work-title", "identification/creator", "part-list//part-name")]
    assert texts == ["Dóite", "Séan", "Flûte"]
    assert "très" in [words.text for words in root.iter("words")]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("CDEF|GABc|\nw:do re mi fa|so la ti do|", ["do", "re", "mi", "fa", "so", "la", "ti", "do"]),
        ("CDEF|GABc|\nw:time__ ~ Ó-ró*a", ["time", None, None, " ", "Ó", "ró", None, "a"]),
        ("CDEF|GABc|\nw:a b|c|d", ["a", "b", None, None, "c", None, None, None]),
        ("CzDE|[FA]4|\nw:one two three four", ["one", None, "two", "three", "four"]),
        ("CDEF|\nw:a\nw:b", ["a", None, None, None]),
        ("CD\\\nEF|\nw:a b c d", ["a", "b", "c", "d"]),
        ("CD|\nEF|\nw:a b c d", ["a", "b", "c", "d"]),
        ("CD|\nEF|\nw:a b", [None, None, "a", "b"]),
        ("CD|\nEF|\nw:a b\n+:c d", ["a", "b", "c", "d"]),
        ("CD|\nw:a b\nEF|\nw:\nGA|\nw:c d", ["a", "b", None, None, "c", "d"]),
        ("CD|\n  % a comment\nw:a b", ["a", "b"]),
        ("CDEF|\nw:syll-a -ble", ["syll", "a", None, "ble"]),
    ],
)
def test_words_are_set_to_notes(body: str, words: list[str | None]) -> None:
    (voice,) = read(HEADER + "K:C\n" + body + "\n").voices
    sung = [next((s.text for s in chord.syllables if s.verse == 1), None) for bar in voice.bars for chord in bar.chords]
    assert sung == words


def test_by_abc_2_1_words_are_set_to_all_notes_since_the_words_before() -> None:
    (voice,) = read("%abc-2.1\n" + HEADER + "K:C\nCD|\nEF|\nw:a b\nw:c\n").voices
    sung = [[syllable.text for syllable in chord.syllables] for bar in voice.bars for chord in bar.chords]
    assert sung == [["a", "c"], ["b"], [], []]


def test_syllables_of_a_word_and_held_notes_are_told() -> None:
    root = document(HEADER + "K:C\nCDEF|\nw:A-ri-a_\n")
    assert [element.text for element in root.iter("syllabic")] == ["begin", "middle", "end"]
    assert len(list(root.iter("extend"))) == 1


def test_signs_words_and_dynamics_are_shown() -> None:
    root = document(HEADER + 'Q:"Lively" 3/8=80\nK:C\n!segno!!p!C!trill!D!1!E.F|"_low"G4!fine!:|c4!D.S.!|]\n')
    assert {"segno", "p", "trill-mark", "fingering", "staccato"} <= {element.tag for element in root.iter()}
    assert {"Lively", "low", "Fine", "D.S."} <= {element.text for element in root.iter("words")}
    (metronome,) = root.iter("metronome")
    assert [element.tag for element in metronome] == ["beat-unit", "beat-unit-dot", "per-minute"]
    assert next(sound.attrib for sound in root.iter("sound")) == {"tempo": "120"}


def test_clefs_and_transpositions_are_shown() -> None:
    root = document(HEADER + "K:C bass-8\n[V:1]C4|\n[V:2 clef=alto transpose=-2]C4|\n")
    clefs = [[(element.tag, element.text) for element in clef] for clef in root.iter("clef")]
    assert clefs == [[("sign", "F"), ("line", "4"), ("clef-octave-change", "-1")], [("sign", "C"), ("line", "3")]]
    assert [element.text for element in root.iter("chromatic")] == ["-2"]


def test_an_ending_stops_where_the_next_repeat_begins() -> None:
    root = document(HEADER + "K:C\n|:CDEF|1 GABc:|2 cBAG|\n|:EFGA|BAGF:|\n")
    bars = list(root.iter("measure"))
    assert [bar.get("number") for bar in bars if bar.find("barline/ending[@type='stop']") is not None] == ["2", "3"]


def test_a_bar_with_an_overlay_is_made_anew_as_a_whole() -> None:
    abc = HEADER + "K:C\nC4&E2G2|D4|\n"
    ((region,),) = regions(abc, [1])
    assert abc[region.begin : region.end] == "C4&E2G2"


def test_an_explicit_key_is_transposed_note_by_note() -> None:
    score = transposed(read(HEADER + "K:D exp _b _e ^f\nDEFG|ABcd|\n"), -3)
    sounds = [pitch.midi for bar in score.voices[0].bars for chord in bar.chords for pitch in chord.pitches]
    assert sounds == [59, 60, 63, 64, 66, 67, 69, 71]


def test_a_beat_of_several_lengths_is_their_sum() -> None:
    tempo = parse_tempo("1/4 3/8 1/4 3/8=40", Meter().beat)
    assert tempo.quarters == 200
