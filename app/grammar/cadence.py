"""How the last bar of a planned part ends: on the tonic or away from it, and as much too early as its pickup wants.

The last note is the one that fills the bar with the unit length, or with the length that is being written. Those before
it lean towards such an ending as far as it is likelier after them, as twisted proposals do in sequential Monte Carlo.
"""

from collections.abc import Iterable
from math import inf, log

from app.abc.pitch import STEPS
from app.grammar.state import At, Body
from app.grammar.state_equivalence import passes_to

_HOME = {
    1: (0.63, 0.52, 0.48, 0.09, 0.18, 0.20, 0.46),
    2: (0.83, 0.60, 0.59, 0.23, 0.27, 0.30, 0.66),
    3: (0.70, 0.64, 0.66, 0.47, 0.37, 0.37, 0.38),
    4: (0.64, 0.58, 0.63, 0.60, 0.58, 0.45, 0.38),
}
"""How often a part comes home from each degree, with so many unit lengths of it left after that note.

Counted in 6,000 tunes that version 5 of `irish` drew.
"""

_HOME_FROM_ANY = {1: 0.44, 2: 0.61, 3: 0.56, 4: 0.57}
_LEANING = {
    (units, at_home): tuple(
        log(home / any_ if at_home else (1 - home) / (1 - any_)) for home in homes for any_ in (_HOME_FROM_ANY[units],)
    )
    for units, homes in _HOME.items()
    for at_home in (False, True)
}
"""For each degree, with so many unit lengths left: the log of how much likelier the ending is after it."""

_LETTERS = frozenset("ABCDEFGabcdefg")
_ACCIDENTALS = frozenset("^_=")
_NO_LETTER_YET = _ACCIDENTALS | {"z"}
_BEGINS_NOTE = _LETTERS | _ACCIDENTALS | frozenset('z[({~."')
_LENGTHS = frozenset("0123456789/")
_BAR_LINE = frozenset("|:")
_WRITTEN = (At.PITCH, At.LENGTH, At.REST)


def weights(state: Body, allowed: Iterable[str], tonic: str, letter: str, *, at_home: bool) -> dict[str, float]:
    """What is added to the logits of allowed characters, -inf for those that lead to another ending, 0 if not named.

    None is -inf where all would be.

    Args:
        tonic: its letter, in upper case.
        letter: the last one that was written.
        at_home: whether the last note is to be the tonic.
    """
    characters = frozenset(allowed)
    if state.tie:
        return {}
    after = passes_to(state) if state.at in _WRITTEN else state
    wrong = _wrong_lengths(state, characters, is_right=_is_right(letter, tonic, at_home))
    begun = state if _lacks_letter(state) else after
    if begun:
        wrong |= _wrong_beginnings(begun, characters, tonic, at_home)
    if characters - wrong <= frozenset(" ("):
        return {}
    leaning = _leaning(after, (characters - wrong) & _LETTERS, tonic, at_home) if after and tonic else {}
    return leaning | dict.fromkeys(wrong, -inf)


def _leaning(state: Body, letters: Iterable[str], tonic: str, at_home: bool) -> dict[str, float]:
    """The log of how much likelier the ending is after each of these letters than after any."""
    unit = int(state.context.lengths.meaning or 0)
    units, rest = divmod(state.left - state.pickup - unit, unit) if unit else (0, 0)
    if state.tuplet or state.equal or rest or units not in _HOME:
        return {}
    by_degree, first = _LEANING[units, at_home], STEPS.index(tonic)
    return {letter: by_degree[(STEPS.index(letter.upper()) - first) % 7] for letter in letters}


def _lacks_letter(state: Body) -> bool:
    """Whether an accidental is written, and its letter follows."""
    return state.at is At.PITCH and state.meaning is None


def _wrong_beginnings(begun: Body, allowed: frozenset[str], tonic: str, at_home: bool) -> frozenset[str]:
    """Those of the allowed characters that begin a last note which is wrong, or one where the bar is to end."""
    beginnings = allowed & _BEGINS_NOTE
    remaining = begun.left - begun.pickup
    if not remaining and begun.pickup and not begun.tuplet and allowed & _BAR_LINE:
        return beginnings
    if begun.tuplet > 1 or remaining > _ticks(begun):
        return frozenset()
    wrong = frozenset(letter for letter in beginnings & _LETTERS if not _is_right(letter, tonic, at_home))
    return wrong | (beginnings & _NO_LETTER_YET) if at_home else wrong


def _is_right(letter: str, tonic: str, at_home: bool) -> bool:
    return (letter.upper() == tonic) == at_home


def _ticks(state: Body) -> int:
    """What a note of the unit length takes of the bar, or the length that it has to have."""
    if state.equal:
        return 0 if state.tuplet else state.equal
    unit = int(state.context.lengths.meaning or 0)
    return unit * state.context.tuplets[str(state.tuplet)] if state.tuplet else unit


def _wrong_lengths(state: Body, allowed: frozenset[str], *, is_right: bool) -> frozenset[str]:
    """Those of the allowed lengths that would end the bar with the wrong note, or beyond where it is to end."""
    if state.at not in _WRITTEN or state.tuplet or state.equal:
        return frozenset()
    word = state.context.lengths if state.at is At.PITCH else state.word
    longer = word.children if word else {}
    return frozenset(
        character
        for character in allowed & _LENGTHS
        if character in longer and _is_length_wrong(state, longer[character].meaning, is_right=is_right)
    )


def _is_length_wrong(state: Body, ticks: int | bool | None, *, is_right: bool) -> bool:
    if ticks is None:
        return False
    remaining = state.left - state.pickup - ticks
    return remaining < 0 < state.pickup or (remaining <= 0 and not is_right)
