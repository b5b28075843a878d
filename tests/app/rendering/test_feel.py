"""Feel: in proportion from the grid on, steady, the same each time, ornaments only where a text leaves room."""

import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from app.abc.reader import read
from app.rendering.arrangement import Arrangement, arrange
from app.rendering.midi_events import Note, Performance, split_notes

REEL = "X:1\nR:reel\nM:C|\nL:1/8\nQ:1/2=80\nK:D\n|:" + "dABc dAFA|GBAG FAdf|" * 3 + "dABc dAFA|GBAG FAdf:|\n"
HORNPIPE = "X:1\nR:hornpipe\nM:4/4\nL:1/8\nQ:1/2=80\nK:D\n" + "dAFA GBAG|FAdf edcB|" * 4 + "\n"
JIG = "X:1\nR:jig\nM:6/8\nL:1/8\nQ:3/8=110\nK:D\n|:" + "dfd edB|A3 BAG|FEF AAB|" * 3 + "dfd edB|A3 BAG|FEF AAB:|\n"
BROKEN = HORNPIPE.replace("dAFA GBAG", "d>AF>A G>BA>G")
FLUTE, FIDDLE, PIPES, PIANO = 73, 40, 109, 0

Heard = tuple[float, int, int]
"""when a note begins, its pitch and its velocity"""


T_co = TypeVar("T_co", covariant=True)


class Perform(Protocol[T_co]):
    """Plays a tune as is wanted."""

    def __call__(self, abc: str, **wanted: float) -> T_co: ...


Hear = Perform[list[Heard]]
Play = Perform[list[Note]]


@pytest.fixture(name="performed")
def _performed(tmp_path: Path) -> Perform[Performance]:
    def perform(abc: str, **wanted: float) -> Performance:
        (tmp_path / "tune.abc").write_text(abc.replace("\nR:", "\n%"))
        argv = ["/usr/bin/abc2midi", "tune.abc", "-o", "tune.mid"]
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
        return arrange((tmp_path / "tune.mid").read_bytes(), read(abc), Arrangement(**wanted))  # type: ignore[arg-type]

    return perform


@pytest.fixture(name="heard")
def _heard(performed: Perform[Performance]) -> Hear:
    def hear(abc: str, **wanted: float) -> list[Heard]:
        return [
            (timed.at_s, timed.message.note, timed.message.velocity)
            for timed in performed(abc, **wanted).timeline
            if timed.message.type == "note_on"
        ]

    return hear


def shares(heard: list[Heard], eighths: int, beats: int) -> list[float]:
    """How long the eighths of a beat are beside one another, on the average of the first beats."""
    lengths = [after[0] - before[0] for before, after in pairwise(heard)][: eighths * beats]
    sums = [sum(lengths[place::eighths]) for place in range(eighths)]
    return [eighths * part / sum(sums) for part in sums]


def test_without_feel_each_note_is_where_abc2midi_has_it(heard: Hear) -> None:
    found = heard(HORNPIPE)
    assert [at for at, _, _ in found] == pytest.approx([n * 60 / 320 for n in range(len(found))], abs=0.002)
    assert {velocity for _, _, velocity in found} == {105, 95, 80}


@pytest.mark.parametrize(
    ("abc", "feel", "expected"),
    [
        (REEL, 1.0, [1.1, 0.9]),
        (REEL, 0.5, [1.05, 0.95]),
        (HORNPIPE, 0.5, [1.2, 0.8]),  # 3 : 2
        (HORNPIPE, 1.0, [1.4, 0.6]),
    ],
)
def test_eighths_are_as_uneven_as_the_dance_has_them(heard: Hear, abc: str, feel: float, expected: list[float]) -> None:
    assert shares(heard(abc, feel=feel, program=PIANO), 2, 16) == pytest.approx(expected, abs=0.01)


def test_a_jig_is_long_short_medium(heard: Hear) -> None:
    abc = JIG.replace("A3", "ABc")
    assert shares(heard(abc, feel=1, program=PIANO), 3, 16) == pytest.approx([1.2, 0.7, 1.1], abs=0.01)


def test_short_notes_stay_near_a_tenth_of_a_second_and_a_chosen_swing_wins(heard: Hear) -> None:
    fast = heard(HORNPIPE, feel=1, program=PIANO, tempo=280)
    assert min(after[0] - before[0] for before, after in pairwise(fast)) == pytest.approx(0.1, abs=0.003)
    assert shares(heard(HORNPIPE, feel=1, program=PIANO, swing=0), 2, 16) == pytest.approx([1, 1], abs=0.01)


def test_what_is_dotted_or_a_triplet_is_not_swung_again(heard: Hear) -> None:
    dotted = heard(BROKEN, feel=1, program=PIANO)
    assert shares(dotted, 2, 4) == pytest.approx([1.4, 0.6], abs=0.01)
    triplets = heard(HORNPIPE.replace("dAFA GBAG", "(3dAF (3AGB A2 G2"), feel=1, program=PIANO)
    assert shares(triplets, 3, 2) == pytest.approx([1, 1, 1], abs=0.01)


def test_each_note_deviates_in_proportion_to_feel_and_alike_each_time(heard: Hear) -> None:
    grid, half, full = (heard(REEL, feel=feel, program=PIANO) for feel in (0, 0.5, 1))
    assert half == heard(REEL, feel=0.5, program=PIANO)
    for even, some, all_ in zip(grid, half, full, strict=True):
        assert some[0] == pytest.approx((even[0] + all_[0]) / 2, abs=0.002)
        assert some[2] == pytest.approx((even[2] + all_[2]) / 2, abs=1)


def test_beats_are_stronger_than_what_lies_between(heard: Hear) -> None:
    velocities = [velocity for _, _, velocity in heard(REEL, feel=1, program=PIANO)][:64]
    on_beats, between = velocities[::4], [v for n, v in enumerate(velocities) if n % 2]
    assert min(on_beats) > max(between) - 1
    assert sum(on_beats) / len(on_beats) > sum(between) / len(between) + 15


def test_a_player_cuts_and_rolls_where_the_text_has_no_ornament_and_leaves_others_alone(heard: Hear) -> None:
    plain = heard(JIG, feel=0, program=FLUTE)
    played = heard(JIG, feel=1, program=FLUTE)
    assert len(played) > len(plain)
    assert len(heard(JIG, feel=1, program=PIANO)) == len(plain)
    marked = JIG.replace("dfd", "{e}dfd", 1)
    assert len(heard(marked, feel=1, program=FLUTE)) == len(heard(marked, feel=0, program=FLUTE))


def test_ornaments_are_in_the_key(heard: Hear) -> None:
    played = heard(JIG, feel=1, program=FIDDLE)
    assert {pitch % 12 for _, pitch, _ in played} <= {2, 4, 6, 7, 9, 11, 1}


def test_second_times_differ_if_asked(heard: Hear) -> None:
    abc = JIG.replace("FEF AAB", "F2A d2f")
    turn_s = 24 * 60 / 110

    def halves(**wanted: float) -> tuple[list[int], list[int]]:
        found = heard(abc, program=FLUTE, **wanted)
        turns = [[pitch for at, pitch, _ in found if (at > turn_s - 0.05) == is_second] for is_second in (False, True)]
        return turns[0], turns[1]

    first, second = halves(feel=0.5)
    assert first == second
    first, second = halves(feel=0.5, variation=True)
    assert first != second


def test_pipes_have_a_drone_from_the_first_note_to_the_last(heard: Hear) -> None:
    assert [pitch for _, pitch, _ in heard(REEL, feel=0.5, program=PIPES)][:2] == [50, 62]


@pytest.fixture(name="played")
def _played(performed: Perform[Performance]) -> Play:
    def play(abc: str, **wanted: float) -> list[Note]:
        return [note for note in split_notes(performed(abc, **wanted).events)[0] if note.channel == 0]

    return play


LED_BACK = "X:1\nR:hornpipe\nM:4/4\nL:1/8\nK:D\nFA|:dfaf dfaf|gfge afdf|eAce afec|d2d2 d2FA:|\n"


def test_a_tune_comes_to_rest_without_its_own_pickup_at_the_end_of_the_last_time_alone(played: Play) -> None:
    grid, notes = played(LED_BACK, feel=0, program=PIANO), played(LED_BACK, feel=0.5, program=PIANO)
    assert [note.pitch for note in notes] == [note.pitch for note in grid][:-2]
    assert notes[-1].end > grid[-1].end
    other = LED_BACK.replace("d2FA:|", "d2GA:|")
    assert len(played(other, feel=0.5, program=PIANO)) == len(played(other, feel=0, program=PIANO))


def test_a_breath_comes_before_a_pickup_and_none_after_it(played: Play) -> None:
    notes = played(LED_BACK, feel=1, program=FLUTE, tempo=160)
    gaps = [after.start - note.end for note, after in pairwise(notes)]
    end = next(n for n, (note, _) in enumerate(pairwise(notes)) if note.start >= 4 * 1920 - 10)
    assert gaps[end - 1] == max(gaps)
    assert max(gaps[end : end + 2] + gaps[:2]) < gaps[end - 1] / 2


def test_the_lowest_note_of_a_flute_has_a_cran_where_others_have_a_roll(played: Play) -> None:
    jig = "X:1\nR:jig\nM:6/8\nL:1/8\nQ:3/8=110\nK:D\n" + "D3 A3|F3 G3|AFA dfd|" * 3 + "d6|\n"
    notes = [note.pitch for note in played(jig, feel=1, program=FLUTE)]
    assert min(notes) == 62
    assert notes[:6] == [62, 66, 62, 67, 62, 69]
    assert min(note.pitch for note in played(jig, feel=1, program=FIDDLE)) == 61


def test_no_roll_is_tied_into_the_next_bar(played: Play) -> None:
    jig = "X:1\nR:jig\nM:6/8\nL:1/8\nQ:3/8=110\nK:D\n" + "dfd edA-|A2F EFG|" * 4 + "d6|\n"
    assert len(played(jig, feel=1, program=FLUTE)) == len(played(jig, feel=0, program=FLUTE))


def test_slurs_that_are_written_are_played_and_no_others(played: Play) -> None:
    reel = "X:1\nR:reel\nM:4/4\nL:1/8\nQ:1/2=90\nK:D\n(dAF)A (GB)AG|d8|\n"
    for program in (FLUTE, FIDDLE):
        notes = played(reel, feel=1, program=program)
        joined = [after.start - note.end <= 2 for note, after in pairwise(notes[:8])]
        assert joined == [True, True, False, False, True, False, False]


def test_notes_of_one_pitch_are_parted_by_any_bow(played: Play) -> None:
    notes = played("X:1\nR:reel\nM:4/4\nL:1/8\nQ:1/2=90\nK:D\n{e}d2 dd dddd|d8|\n", feel=1, program=FIDDLE)
    assert all(after.start - note.end > 2 for note, after in pairwise(notes[1:]))


def test_what_is_written_soft_is_soft_and_what_grows_grows_however_much_feel(played: Play) -> None:
    bar = "dAFA GBAG|"
    abc = f"X:1\nR:reel\nM:4/4\nL:1/8\nK:D\n!p!{bar}{bar}!f!{bar}!crescendo(!dAFA GBAG!crescendo)!|{bar}\n"
    for feel in (0, 0.5, 1):
        velocities = [note.velocity for note in played(abc, feel=feel, program=PIANO)]
        assert max(velocities[:16]) < min(velocities[16:24])
        assert sum(velocities[16:24]) < sum(velocities[24:32])
