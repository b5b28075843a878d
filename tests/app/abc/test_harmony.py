"""Chords: a tune's own stay; those that are found are in its mode, fit its notes and bring it home."""

import re
from pathlib import Path

import pytest

from app.abc.chord_symbols import Harmony
from app.abc.harmony import harmonize, placed, with_chords
from app.abc.key_chords import candidates
from app.abc.reader import read
from app.settings import Settings
from model_store.store import Store

TUNES = Path(__file__).parents[1] / "rendering" / "tunes"
REEL = "X:1\nR:reel\nM:4/4\nL:1/8\nK:Ador\neAAB c2Bc|eAAB cBAG|eAAB c2Bc|dBGB A4||\n"


def names(abc: str) -> list[list[str]]:
    return [[harmony.name for _, harmony in changes] for changes in harmonize(read(abc))]


def known(step: int) -> list[str]:
    index = Store(Settings().model_store).load("irish").tune_index()
    assert index is not None
    return [index.abc(number) + "\n" for number in range(0, len(index), step)]


@pytest.mark.parametrize(
    ("symbol", "tones", "bass"),
    [
        ("G", (7, 11, 2), 7),
        ("F#m", (6, 9, 1), 6),
        ("Bb7", (10, 2, 5, 8), 10),
        ("A5", (9, 4), 9),
        ("D/F#", (2, 6, 9), 6),
    ],
)
def test_symbols_are_read(symbol: str, tones: tuple[int, ...], bass: int) -> None:
    harmony = Harmony.parse(symbol)
    assert harmony is not None
    assert (harmony.tones, harmony.bass) == (tones, bass)


@pytest.mark.parametrize("text", ["Coda", "D.C.", "Animated", "Fine", "Collected by F. O'Neill", "1", ""])
def test_what_is_said_above_the_staff_is_no_chord(text: str) -> None:
    assert Harmony.parse(text) is None


def test_a_tunes_own_chords_win() -> None:
    chorded = REEL.replace("eAAB c2Bc", '"F"eAAB "Bb"c2Bc', 1)
    assert names(chorded)[0] == ["F", "Bb"]
    assert with_chords(chorded, read(chorded)) == chorded


def test_an_arpeggio_has_its_own_chord_and_home_is_the_tonic() -> None:
    assert names("X:1\nM:4/4\nL:1/8\nK:G\nG2B2 d2B2|c2e2 g2e2|d2f2 a2f2|G8||\n") == [["G"], ["C"], ["D"], ["G"]]


def test_a_minor_tune_that_raises_its_seventh_has_its_dominant_and_a_modal_one_without_third_has_none() -> None:
    assert names("X:1\nM:4/4\nL:1/8\nK:Am\nA2c2 e2c2|E2^G2 B2^G2|A8||\n") == [["Am"], ["E"], ["Am"]]
    assert names("X:1\nM:4/4\nL:1/8\nK:Ador\nA2e2 a2e2|A2e2 a2e2|A8||\n") == [["A5"], ["A5"], ["A5"]]


def test_known_tunes_have_chords_of_their_mode_fit_for_their_beats_and_end_at_home() -> None:
    fitting = beats = home = 0
    tunes = known(60)
    for abc in tunes:
        score = read(abc)
        changes = harmonize(score)
        allowed = {h.name for raised in (False, True) for third in (False, True)
                   for h, _ in candidates(score.key, raised=raised, third=third)}  # fmt: skip
        if not any(bar.key for bar in score.voices[0].bars):
            assert {harmony.name for bar in changes for _, harmony in bar} <= allowed
        home += changes[-1][-1][1].root == candidates(score.key)[0][0].root
        for bar, bar_changes in zip(score.voices[0].bars, changes, strict=True):
            if bar_changes and bar.chords[0].pitches:
                beats += 1
                fitting += bar.chords[0].pitches[0].midi % 12 in bar_changes[0][1].tones
    assert fitting / beats > 0.75
    assert home / len(tunes) > 0.8


def test_bars_that_are_alike_mostly_have_chords_alike() -> None:
    alike = pairs = 0
    for abc in known(150):
        score = read(abc)
        seen: dict[str, list[str]] = {}
        for bar, chords in zip(score.voices[0].bars, names(abc), strict=True):
            notes = str([(chord.pitches, chord.length) for chord in bar.chords])
            if notes in seen:
                pairs += 1
                alike += seen[notes] == chords
            seen.setdefault(notes, chords)
    assert alike / pairs > 0.8


@pytest.mark.parametrize("name", sorted(path.stem for path in TUNES.glob("*.abc")))
def test_symbols_are_all_that_is_added_and_stand_where_they_are_said_to_be(name: str) -> None:
    abc = re.sub(r'"[A-G][^"]*"', "", (TUNES / f"{name}.abc").read_text("utf-8"))
    written = with_chords(abc, read(abc))
    assert written != abc
    assert re.sub(r'"[A-G][^"]*"', "", written) == abc
    found = {(chord.bar, chord.quarters, chord.symbol) for chord in placed(read(abc))}
    assert {(chord.bar, chord.quarters, chord.symbol) for chord in placed(read(written))} <= found


def test_a_symbol_stands_after_grace_notes_and_before_marks_and_in_the_first_voice_alone() -> None:
    abc = "X:1\nM:4/4\nL:1/4\nK:C\nV:1\n{g}~C2 (3EGc E|\nV:2\nC,4|\n"
    assert with_chords(abc, read(abc)) == abc.replace("{g}~C2", '{g}"C"~C2')
