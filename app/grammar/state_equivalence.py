"""Equivalent states: where the same may follow as in a state that is known, so that the rules are asked little.

Most of a tune is written inside its bars, where it hardly matters which bar of which section that is: what may follow
at a place in a bar of an ordinary section (`place_in_bar`) may in all. And after a note that could be longer may follow
what may after the note as it is (`passes_to`).
"""

from collections.abc import Iterable

from app.grammar import bar_lines
from app.grammar.body import CHARACTERS, note_written
from app.grammar.follow_sets import FOLLOW, KIND_OF, Kind
from app.grammar.state import At, Body, Repeat

_AT_BAR_LINES = frozenset({At.END, At.FORCED, *(at for at in At if At.BAR <= at <= At.LINE_BRACKET)})
_SPELLED = frozenset({At.SYMBOL, At.GRACED_SYMBOL})  # letters are no pitches there

_BEGINNINGS = (*KIND_OF, "<", ">")
"""Characters of which all that may follow between notes are among."""

SECTION_CHARACTERS = {
    **{at: '"' for at, kinds in FOLLOW.items() if Kind.SYMBOL in kinds},
    At.PAREN: '"',
    **dict.fromkeys((At.GAP, At.SPACE, At.PITCH, At.LENGTH, At.REST), ':|"'),
    At.BAR_LINE: '"\n',
    At.LINE: '|"\n[',
}
"""What depends on the section at a place in a bar: where it may end, and whether chord symbols fit its pickup."""

_FIRST, _AFTER = Body._fields.index("opening"), Body._fields.index("slur")  # between them, what the section settles
_ORDINARY = (False, False, False, Repeat.CLOSED, 0, 0, 0, 0)  # the same of a section after another


def alike(state: Body) -> tuple[Body | None, Iterable[str]]:
    """Another state where the same may follow but for some characters, and these; if there is none, all that may."""
    if (place := place_in_bar(state)) and place != state:
        return place, SECTION_CHARACTERS.get(state.at, "")
    if passed := passes_to(state):
        return passed, own_characters(state)
    return None, _BEGINNINGS if state.at in FOLLOW else CHARACTERS


def place_in_bar(state: Body) -> Body | None:
    """The same place in a bar of an ordinary section, in any metre and form; None where the section matters.

    But for `SECTION_CHARACTERS`, the same characters may follow there: the bar can always be filled and left by `|`.
    Where the form has the part end with this bar, that is not so.
    """
    if state.at in _AT_BAR_LINES or state.over:
        return None
    form = state.context.form
    if form and (state.ending or not bar_lines.goes_on(state)):
        return None
    if state.fresh and bar_lines.needs_repeat_sign(state):
        return None
    values = (state.context.common or state.context, *state[1:_FIRST], *_ORDINARY, *state[_AFTER:])
    return tuple.__new__(Body, values)


def passes_to(state: Body) -> Body | None:
    """The state that this one amounts to where nothing is added to it: a note has its length, a bar line is plain."""
    if state.may_have_length:
        return note_written(state._replace(word=state.context.lengths))
    if state.at in (At.LENGTH, At.REST):
        return note_written(state)
    return bar_lines.plain(state) if state.at is At.BAR else None


def passed(state: Body) -> Body:
    """The same, once a note that is being written has ended."""
    return passes_to(state) or state


def own_characters(state: Body) -> str:
    """The characters that mean something else here than in the state that it passes to."""
    if state.at is At.BAR:
        return "|]:1["
    words = [state.word, state.context.lengths] if state.at is At.PITCH else [state.word]
    return "-<>):" + "".join("".join(word.children) for word in words if word)


def twin(state: Body, character: str) -> str:
    """A character that differs from this one in sound alone."""
    return character if state.tie or state.at in _SPELLED else state.context.canonical_letter.get(character, character)
