"""Old dialects become plain ABC 2.1, and the music stays what it was."""

import re
import subprocess
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

import mido
import pytest

from tests.training.books import lab_as_found, lab_translated
from training.dialect import dialect, header
from training.errors import DialectError

ABC2MIDI = "/usr/bin/abc2midi"


def tune(music: str, *, meter: str = "C", key: str = "D Major", unit: str = "1/8") -> str:
    return f"X:7\nT:Test\nM:{meter}\nL:{unit}\nK:{key}\n{music}"


def music_of(text: str) -> str:
    return text.split("\n", 5)[-1]


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        # line breaks: four bars a line, whatever the source had
        ("d8|d8|!\nd8|d8|d8|]", "d8|d8|d8|d8|\nd8|]"),
        ("d8|d8|\\\nd8|d8|]", "d8|d8|d8|d8|]"),
        ("d4 d4\ne4 e4|\nd8|]", "d4 d4|e4 e4|d8|]"),
        # repeats
        ("A8|B8:|!", "|:A8|B8:|"),
        ("A8|B8:|!\nc8|d8:|!", "|:A8|B8:|\n|:c8|d8:|"),
        ("A8|B8::c8|d8:|", "|:A8|B8:|\n|:c8|d8:|"),
        ("A8|B8|]!\nc8|d8:|!", "A8|B8||\n|:c8|d8:|"),
        ("|:A8|B8||\n|:c8|d8:|", "A8|B8||\n|:c8|d8:|"),
        ("|:A8|B8||c8|d8:|", "|:A8|B8|c8|d8:|"),
        ("|:A8|B8", "A8|B8|]"),
        # endings
        ("A8|[1 B8:|[2 c8|]", "|:A8|1 B8:|2 c8|]"),
        ("A8|1 B8:|2 c8||\nd8|e8|]", "|:A8|1 B8:|2 c8||\nd8|e8|]"),
        ("A8|d6|![1 ef|B8:|![2 ga|c8|]!", "|:A8|1 d6 ef|B8:|2 d6 ga|\nc8|]"),
        # pickups
        ("AB|c8|d6:|", "|:AB|c8|d6:|"),
        ("AB|c8|d8:|", "AB|:c8|d8:|"),
        ("|:AB|c8|d6:|\n|:ef|g8|a6:|", "|:AB|c8|d6:|\n|:ef|g8|a6:|"),
        ("ef||g8|a6|]", "ef|g8|a6|]"),
        # bar lines forgotten, or one too many
        ("AB|c8 d8|e6|]", "AB|c8|d8|e6|]"),
        ("A8|Bcde|fgab|c8|]", "A8|Bcde fgab|c8|]"),
        # bowing, fingering, ornaments, words, chord symbols
        ('uA2 v"4"B2 .c2 Td2|"G"(ef)(ga) ~b2!trill!a2|]', "A2 B2 c2 d2|efga b2a2|]"),
        ("+DF+4 [DF]4|A8|]", "[DF]4 [DF]4|A8|]"),
        ("{g}f4 {/a}f4|(3A{c}BA G2 z4|]", "{g}f4 {a}f4|(3ABA G2 z4|]"),
        # lengths that no note head has, in two tied notes, cut on a beat
        ("A5 B3|A8|]", "A4-A B3|A8|]"),
        ("z5 B3|A3/2B/2 c2 d4|]", "z4z B3|A3/2B/ c2 d4|]"),
        ("A>B c3>d3|A8|]", "A>B c4-c/d3/2|A8|]"),
        # ties and accidentals
        ("A4-B4|A8-|A8|]", "A4B4|A8-|A8|]"),
        ("^d8-|d4 d4|]", "^d8-|^d4 =d4|]"),
        ("^d4 D4|D8|]", "^d4 ^D4|D8|]"),
    ],
)
def test_music(found: str, plain: str) -> None:
    assert music_of(dialect.translate(tune(found))) == plain


def test_a_jig_is_cut_on_its_own_beats() -> None:
    assert music_of(dialect.translate(tune("A5 B|c6|]", meter="6/8"))) == "A3-A2 B|c6|]"


def test_another_key_is_written_out_in_the_first() -> None:
    assert music_of(dialect.translate(tune("c8|\nK:A Dorian\nc4 f4|^c8|]"))) == "c8|=c4 f4|^c8|]"


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        (
            "X:12\nT:Alexander's\nZ: id:dc-reel-1\nM:C|\nL:1/8\nK:A Dorian\nA8|B8|]",
            "X:1\nT:Alexander's\nR:reel\nM:2/2\nL:1/8\nK:Ador",
        ),
        ("X:1\nT:A\nZ: id:dc-hornpipe-1\nM:C|\nK:D\nA8|B8|]", "X:1\nT:A\nR:hornpipe\nM:4/4\nL:1/8\nK:D"),
        ("X:1\nT:A\nZ: id:dc-ocarolan-1\nM:C\nL:1/8\nK:D\nA8|B8|]", "X:1\nT:A\nM:4/4\nL:1/8\nK:D"),
        (
            "X: 3\nT: THE MAID -- SLIP JIG.\nT:Other\nB:Book\nR: SlipJig\nM: 9/8\nK: EMin\nA9|B9|]",
            "X:1\nT:The Maid\nR:slip jig\nM:9/8\nL:1/8\nK:Em",
        ),
        ("X:1\nT:Devil's Dream., The\nM:2/4\nK:D\nA8|B8|]", "X:1\nT:The Devil's Dream\nM:2/4\nL:1/16\nK:D"),
        ("X:1\nM:C\nL:1/8\nK:Cb % seven flats\nA8|B8|]", "X:1\nM:4/4\nL:1/8\nK:Cb"),
    ],
)
def test_header(found: str, plain: str) -> None:
    assert dialect.translate(found) == f"{plain}\n" + dialect.translate(found).split("\n")[-1]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("A Dorian", "Ador"),
        ("D Mixolydian", "Dmix"),
        ("F# Minor", "F#m"),
        ("Gion", "G"),
        ("Eaeo", "Em"),
        ("Amix", "Amix"),
    ],
)
def test_each_key_has_one_spelling(key: str, name: str) -> None:
    assert header.read_key(key).name == name


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (tune("A8|B7|c8|]"), "bar shorter or longer than the metre"),
        (tune("AB|c8|d7:|"), "repeat whose last bar does not fit its first"),
        (tune("c8|d8||ef|g8|]"), "parts that do not fit"),
        (tune("c8|d8|1e8:|"), "first ending without a second"),
        (tune("c8|d8|\nM:3/4\ne6|]"), "metre changes"),
        (tune("V:2 transpose=-12\nc8|d8|]"), "a voice that sounds otherwise"),
        (tune("c8|d8|]", key="D treble-8"), "key not understood: D treble-8"),
        (tune("c6|d4|]", meter="none"), "no metre, and bars that do not agree"),
        (tune("c4 d4|e6|]", meter="none"), "no metre, and bars that do not agree"),
        (tune("c6|d6|]", meter="none"), "no metre, and bars that may be of 3/4 or of 6/8"),
        (tune("c8|d8|]", meter="13/4"), "metre not known: 13/4"),
        (tune("c8|d8|]", unit="1/3"), "unit length not known: 1/3"),
        (tune("(3A2Bc A4|d8|]"), "tuplet of unequal notes"),
        (tune("[A2c]6|d8|]"), "chord of unequal notes"),
        (tune("c8|d8|]", key="G# Major"), "key with more than 7 accidentals"),
        (tune("c8|d8|]", key="Bn"), "key not understood: Bn"),
        (tune("c8|d8|]", meter="11/8"), "metre not known: 11/8"),
        (tune("c8|@8|]"), "not understood: '@'"),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(found: str, reason: str) -> None:
    with pytest.raises(DialectError, match=re.escape(reason)):
        dialect.translate(found)


@pytest.mark.parametrize(
    ("found", "plain"),
    [
        # metres that are not written: the same in shorter or longer notes
        (tune("c4 d4|e8|]", meter="4/2", unit="1/4"), "M:4/4\nL:1/8\nK:D\nc4 d4|e8|]"),
        (tune("c3 d3|e6|]", meter="6/4", unit="1/4"), "M:6/8\nL:1/8\nK:D\nc3 d3|e6|]"),
        (tune("c8 d4|e12|]", meter="6/4"), "M:6/8\nL:1/16\nK:D\nc8 d4|e12|]"),
        (tune("c4 d4|\nL:1/8\nc2 d2|e4|]", meter="4/8", unit="1/16"), "M:4/4\nL:1/8\nK:D\nc4 d4|c4 d4|e8|]"),
        (tune("c2 d2|e4|]", meter="4/1", unit="1/1"), "M:4/4\nL:1/4\nK:D\nc2 d2|e4|]"),
        # unit lengths that are not written
        (tune("c2|d2|]", meter="4/4", unit="1/2"), "M:4/4\nL:1/4\nK:D\nc4|d4|]"),
        (tune("c16d8c8|d32|]", meter="4/4", unit="1/32"), "M:4/4\nL:1/16\nK:D\nc8d4c4|d16|]"),
        # keys
        (tune("Ace2|f2g2|]", meter="2/4", key="Hp"), "M:2/4\nL:1/8\nK:Amix\nAce2|f2g2|]"),
        (tune("Ace2|f2g2|]", meter="2/4", key="HP"), "M:2/4\nL:1/8\nK:Amix\nAce2|f2g2|]"),
        (tune("Ace2|f2g2|]", meter="2/4", key="D clef=bass"), "M:2/4\nL:1/8\nK:D\nAce2|f2g2|]"),
        (tune("DE^F2|G2A2|]", meter="2/4", key="D exp _b _e ^f"), "M:2/4\nL:1/8\nK:Dphr\nDE^F2|G2A2|]"),
        (tune("Ac2A|F2E2|]", meter="2/4", key="F _E"), "M:2/4\nL:1/8\nK:Fmix\nAc2A|F2E2|]"),
        (tune("Bc2B|F2=B2|]", meter="2/4", key="Gm ^f"), "M:2/4\nL:1/8\nK:Gm\nBc2B|^F2=B2|]"),
        # changes of metre between bars of one length, and before the first note
        (tune("c4 d4|\nM:2/2\ne8|]"), "M:4/4\nL:1/8\nK:D\nc4 d4|e8|]"),
        (tune("M:3/4\nL:1/4\nK:G\nc2 d|e3|]"), "M:3/4\nL:1/4\nK:G\nc2 d|e3|]"),
        # the first melody of several voices
        (tune("V:1\nc8|d8|]\nV:2 clef=bass\nC8|D8|]"), "M:4/4\nL:1/8\nK:D\nc8|d8|]"),
        (tune("V:B clef=bass\nC8|D8|]\nV:1\nc8|d8|]"), "M:4/4\nL:1/8\nK:D\nc8|d8|]"),
        (tune("[V:1]c8|\n[V:2]C8|\n[V:1]d8|]\n[V:2]D8|]"), "M:4/4\nL:1/8\nK:D\nc8|d8|]"),
        (tune("c8&A8|d8 & F8|]"), "M:4/4\nL:1/8\nK:D\nc8|d8|]"),
        # no metre
        (tune("c4 d4|e8|]", meter="none"), "M:4/4\nL:1/8\nK:D\nc4 d4|e8|]"),
        (tune("cde fga|b3 a3|]", meter="none"), "M:6/8\nL:1/8\nK:D\ncde fga|b3 a3|]"),
        (tune("cd ef ga|b2 a4|]", meter="none"), "M:3/4\nL:1/8\nK:D\ncd ef ga|b2 a4|]"),
        (
            tune("c6|d6|]", meter="none").replace("T:Test", "T:Test\nR:waltz"),
            "R:waltz\nM:3/4\nL:1/8\nK:D\nc6|d6|]",
        ),
        # text for pages
        (tune("%%begintext\nA bad egg\n%%endtext\nc8|d8|]"), "M:4/4\nL:1/8\nK:D\nc8|d8|]"),
    ],
)
def test_what_plain_notation_has_no_word_for_is_said_exactly(found: str, plain: str) -> None:
    assert dialect.translate(found) == f"X:1\nT:Test\n{plain}"


def test_notes_and_their_relative_lengths_stay(tmp_path: Path) -> None:
    """Where the metre or unit length is another, as abc2midi hears it."""
    found = (
        tune("c4 d4|e2f2 g4|]", meter="4/2", unit="1/4"),
        tune("c3 def|g6|]", meter="6/4", unit="1/4"),
        tune("c16d8c8|d32|]", meter="4/4", unit="1/32"),
        tune("DE^F2|G2A2|B2e2|]", meter="2/4", key="D exp _b _e ^f"),
        tune("Ac2e|f2g2|]", meter="2/4", key="Hp"),
    )
    (tmp_path / "found").mkdir()
    (tmp_path / "plain").mkdir()
    raw = Heard(found, tmp_path / "found")
    plain = Heard(tuple(dialect.translate(text) for text in found), tmp_path / "plain")
    assert not plain.complained_of
    for number, scale in enumerate((2, 2, 1, 1, 1), 1):
        heard = [(round(begin, -1), round(end, -1), note) for begin, end, note in raw.events(number)]
        assert heard == [
            (round(begin * scale, -1), round(end * scale, -1), note) for begin, end, note in plain.events(number)
        ]


def test_what_is_plain_already_stays_as_it_is() -> None:
    for text in lab_translated().tunes[::4]:
        assert dialect.translate(text) == text


def test_of_the_labs_802_tunes_793_are_kept() -> None:
    assert len(lab_translated().tunes) == 793
    assert len(lab_translated().drops) == 9
    assert len(lab_translated().vocabulary) < len(lab_as_found().vocabulary) == 83


def test_every_translated_tune_of_the_lab_is_clean(tmp_path: Path) -> None:
    assert Heard(lab_translated().tunes, tmp_path).complained_of == set()


def test_where_the_source_is_clean_the_same_notes_sound_as_long(tmp_path: Path) -> None:
    """Every fourth tune, as it is written; how often a part is played is what the translation makes explicit."""
    found = lab_as_found()
    drops = {drop.tune for drop in lab_translated().drops}
    sources = tuple(_as_written(text) for text in found.tunes if text not in drops)[::4]
    (tmp_path / "found").mkdir()
    (tmp_path / "plain").mkdir()
    raw = Heard(sources, tmp_path / "found")
    plain = Heard(tuple(map(_as_written, lab_translated().tunes[::4])), tmp_path / "plain")
    differ = {number for number in range(1, len(sources) + 1) if raw.events(number) != plain.events(number)}
    assert not differ - raw.complained_of
    # Others that differ: what both endings begin with is written in both of them.
    assert len(differ) <= 5
    assert all("|1 " in lab_translated().tunes[::4][number - 1] for number in differ)


def _as_written(text: str) -> str:
    """A tune without repeats and endings, and without the rhythm, which abc2midi swings hornpipes by."""
    head, key, music = re.split(r"(?m)^(K:.*\n)", re.sub(r"(?m)^R:.*\n", "", text), maxsplit=1)
    return head + key + re.sub(r":\||\|:|\|\]|::", "|", re.sub(r"\[[12]|(?<=\|)[12]", "|", music))


class Heard:
    """What abc2midi makes of tunes, by their number from 1: the notes, and which ones it complains of."""

    def __init__(self, tunes: tuple[str, ...], folder: Path) -> None:
        numbered = [re.sub(r"^X:.*", f"X:{number}", text) for number, text in enumerate(tunes, 1)]
        starts = list(accumulate((text.count("\n") + 2 for text in numbered), initial=1))
        (folder / "book.abc").write_text("\n\n".join(numbered) + "\n", "utf-8")
        said = subprocess.run([ABC2MIDI, "book.abc"], capture_output=True, text=True, check=True, cwd=folder).stdout
        lines = re.findall(r"(?:Error|Warning) in line-char (\d+)-", said)
        self.complained_of = {bisect_right(starts, int(line)) for line in lines}
        self._folder = folder

    def events(self, number: int) -> list[tuple[int, int, int]]:
        """Each note's beginning and end, in ticks, and its pitch."""
        time, began, events = 0, dict[int, int](), []
        for message in mido.merge_tracks(mido.MidiFile(self._folder / f"book{number}.mid").tracks):
            time += message.time
            if message.type == "note_on" and message.velocity:
                began[message.note] = time
            elif message.type in ("note_on", "note_off") and message.note in began:
                events.append((began.pop(message.note), time, message.note))
        return sorted(events)
