"""A moved tune is the same tune in another key."""

import numpy as np

from training.dialect.transpose import tonics_by_mode, transpose, transpose_some

TUNE = "X:1\nT:Abc\nM:4/4\nK:D Major\n\"D\"D,^FAd [M:3/4]d'=c'b a|(3abc z4!\nA2:|"


def test_letters_move_and_all_else_stays() -> None:
    moved = transpose(TUNE, "G")
    assert moved == "X:1\nT:Abc\nM:4/4\nK:G Major\n\"D\"G,^Bdg [M:3/4]g'=f'e' d'|(3d'e'f z4!\nd2:|"


def test_moving_there_and_back_is_nothing() -> None:
    for tonic in "CDEFGAB":
        assert transpose(transpose(TUNE, tonic), "D") == TUNE


def test_a_key_that_is_not_plain_is_left_alone() -> None:
    tune = TUNE.replace("K:D Major", "K:F# Minor")
    assert transpose(tune, "G") == tune


def test_only_tonics_that_the_corpus_uses_with_the_mode_are_drawn() -> None:
    tunes = (TUNE, TUNE.replace("K:D", "K:G"), TUNE.replace("K:D Major", "K:A Dorian"))
    tonics = tonics_by_mode(tunes)
    assert tonics == {" Major": ("D", "G"), " Dorian": ("A",)}
    moved = transpose_some(tunes, 0.99, tonics, np.random.default_rng(1))
    assert ["K:G Major" in moved[0], "K:D Major" in moved[1], moved[2] == tunes[2]] == [True, True, True]
