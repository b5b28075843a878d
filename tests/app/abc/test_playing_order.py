"""In which order bars sound: as abc2midi plays them."""

import subprocess
from pathlib import Path

import mido
import pytest

from app.abc.playing_order import playing_order
from app.abc.reader import read
from app.abc.repeats import MAX_PLAYED_BARS


def order(body: str, header: str = "") -> list[int]:
    return [bar.index for bar in playing_order(read(f"X:1\nM:2/4\nL:1/4\n{header}K:C\n{body}\n"))]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CC|DD|EE|", [0, 1, 2]),
        ("|:CC|DD:|EE|", [0, 1, 0, 1, 2]),
        ("CC|DD:|:EE:|", [0, 1, 0, 1, 2, 2]),
        ("|:CC|DD|1 EE:|2 FF||GG|", [0, 1, 2, 0, 1, 3, 4]),
        ("CC||DD:|", [0, 1, 1]),  # ABC 2.1, section 4.8
        ("|:CC|1,3DD:|2EE:|4FF|]", [0, 1, 0, 2, 0, 1, 0, 3]),
        ("CC:|DD||EE:|", [0, 0, 1, 2, 2]),
        ("|:CC||DD:|", [0, 1, 0, 1]),
    ],
)
def test_repeats_and_endings_are_taken(body: str, expected: list[int]) -> None:
    assert order(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        *("CC|DD|EE|", "|:CC|DD:|EE|", "CC|DD:|:EE:|", "|:CC|DD|1 EE:|2 FF||GG|", "Z3|CC|"),
        *("CC:|DD||EE:|FF|", "|:CC:|DD|]EE:|FF|", "|:CC|]DD:|EE|"),
    ],
)
def test_the_same_notes_begin_at_the_same_time_as_in_abc2midi(body: str, tmp_path: Path) -> None:
    abc = f"X:1\nM:2/4\nL:1/4\nQ:1/4=60\nK:C\n{body}\n"
    (tmp_path / "tune.abc").write_text(abc)
    subprocess.run(["/usr/bin/abc2midi", "tune.abc", "-o", "tune.mid"], cwd=tmp_path, check=True, capture_output=True)
    file = mido.MidiFile(tmp_path / "tune.mid")
    tick, theirs = 0, []
    for message in mido.merge_tracks(file.tracks):
        tick += message.time
        if message.type == "note_on" and message.velocity:
            theirs.append((round(tick / file.ticks_per_beat), message.note))
    ours = []
    for bar in playing_order(read(abc)):
        position = bar.start
        for chord in bar.bar.chords:
            ours += [(round(4 * position), pitch.midi) for pitch in chord.pitches]
            position += chord.length
    assert ours == theirs


def test_parts_come_in_the_order_of_the_header_and_no_more_than_are_allowed() -> None:
    assert order("P:A\nCC|\nP:B\nDD|EE|", "P:A2BA\n") == [0, 0, 1, 2, 0]
    assert order("P:A\nCC|\nP:B\nDD|", "P:(AB)2\n") == [0, 1, 0, 1]
    assert len(order("P:A\n|:CC:|", "P:((A99)99)99\n")) == MAX_PLAYED_BARS


def test_a_pickup_lies_at_its_bars_end_and_bars_are_counted_in_their_section() -> None:
    bars = playing_order(read("X:1\nM:4/4\nL:1/4\nK:C\nC|DEFG|ABcd:|\n"))
    assert [(bar.number, bar.of, float(bar.offset), bar.turn, bar.ends_section) for bar in bars] == [
        (-1, 2, 0.75, 0, False), (0, 2, 0.0, 0, False), (1, 2, 0.0, 0, True),
        (-1, 2, 0.75, 1, False), (0, 2, 0.0, 1, False), (1, 2, 0.0, 1, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("CC|DD!fine!|EE|FF!D.C.!|]", [0, 1, 2, 3, 0, 1]),
        ("CC|Z2|D!fine!D|Z2|EE!D.C.!|", [0, 1, 1, 2, 3, 3, 4, 0, 1, 1, 2]),
        ("|:CC|1DD:|2EE|FF!D.C.!|]", [0, 1, 0, 2, 3, 0, 2, 3]),
        ("CC|SDD|EEO|FF!D.S.alcoda!|OGG|:AA:|]", [0, 1, 2, 3, 1, 2, 4, 5, 5]),
        ("CC|DD!dacoda!|EE!D.C.alcoda!|FF|!coda!GG|]", [0, 1, 2, 3, 4]),
        ("CC!D.C.!|DD!D.C.!|]", [0, 1]),
        ("CC|!fine!DD|EE!D.C.alfine!|]", [0, 1, 2]),
        ("CC|!segno!DD|!segno!EE!D.S.!|]", [0, 1, 2]),
        ("|:CC|1DD!fine!:|2EE|FF!D.C.alfine!|]", [0, 1, 0, 2, 3]),
        ("CC|DD!D.C.alfine!|]", [0, 1]),
    ],
)
def test_signs_are_followed_where_it_is_plain_where_they_lead(body: str, expected: list[int]) -> None:
    assert order(body) == expected


def test_signs_add_no_more_than_is_written_once() -> None:
    body = "|:" + "CC|" * 1000 + "CC:|" + "DD!D.C.!|"
    assert len(order(body)) == 1001 * 2 + 1 + 1002
    assert len(order("CC:" + ":" * 8 + "|" + "CC!D.C.!|]")) < MAX_PLAYED_BARS
