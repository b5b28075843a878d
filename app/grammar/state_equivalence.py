"""Equivalent states: separates the place in a bar from the section around it, so that few states have to be cached.

Most of a tune is written inside its bars, where it hardly matters which bar of which section that is. So a state there
is taken apart into its place in the bar (`in_any_section`) and its `surroundings`: the places are few, and what is
known of one holds for all bars.
"""

from collections.abc import Iterable

from app.grammar import bar_lines
from app.grammar.body import CHARACTERS, note_written
from app.grammar.follow_sets import FOLLOW, KIND_OF, Kind
from app.grammar.state import At, Body, Repeat

Surroundings = tuple[object, ...]

_AT_BAR_LINES = frozenset(
    {At.LINE, At.BAR_LINE, At.OPENING, At.END, At.FORCED, *(at for at in At if At.BAR <= at <= At.LINE_BRACKET)}
)
_SPELLED = frozenset({At.SYMBOL, At.GRACED_SYMBOL})  # letters are no pitches there

_BEGINNINGS = (*KIND_OF, "<", ">")
"""Characters of which all that may follow between notes are among."""

_BAR_BEGINS = frozenset({At.LINE, At.BAR_LINE, At.OPENING})
SECTION_CHARACTERS = {
    **{at: '"' for at, kinds in FOLLOW.items() if Kind.SYMBOL in kinds},
    At.PAREN: '"',
    At.GAP: ':|"',
    At.SPACE: ':|"',
    At.BAR_LINE: '"\n',
    At.LINE: '|"\n[',
}
"""What depends on the section at a place in a bar: where it may end, and whether chord symbols fit its pickup."""

_FIRST, _AFTER = Body._fields.index("opening"), Body._fields.index("slur")  # between them, what the section settles
_ORDINARY = (False, False, False, Repeat.CLOSED, 0, 0, 0, 0)  # the same of a section after another


def in_any_section(state: Body) -> Body | None:
    """The same place in a bar of an ordinary section, in any metre and form; None outside bars.

    But for `SECTION_CHARACTERS`, the same characters may follow there, and lead to the same places: the bar can always
    be filled and left by `|`. Where the form has the part end with this bar, that is not so, and the place is the same
    in such bars only.
    """
    if state.at in _AT_BAR_LINES:
        return None
    context = state.context
    if context.form:
        if (state.opening and not can_keep_form(state)) or (state.fresh and bar_lines.needs_repeat_sign(state)):
            return None
        if state.ending or not bar_lines.goes_on(state):
            return state._replace(context=context.last_bar, bars=0, part=0, named=False) if context.last_bar else state
    return _in_ordinary_section(state)


def _in_ordinary_section(state: Body) -> Body:
    context = state.context.common
    if context is None and state[_FIRST:_AFTER] == _ORDINARY:
        return state
    return with_surroundings(state, (context or state.context, *_ORDINARY))


def place_in_bar(state: Body) -> Body | None:
    """The same, or the same beginning of a bar; None where the section matters, which is at most bar lines."""
    if state.at not in _BAR_BEGINS:
        return in_any_section(state)
    form = state.context.form
    if state.over or (form and (state.ending or not bar_lines.goes_on(state) or not can_keep_form(state))):
        return None
    if bar_lines.needs_repeat_sign(state):
        return None
    return _in_ordinary_section(state)


def can_keep_form(state: Body) -> bool:
    """Whether the form can be kept yet, which a start string may have made impossible; not said of parts of one bar."""
    form = state.context.form
    if form is None:
        return True
    return form.bars > 1 and state.part < form.parts and (form.repeated or state.repeat is not Repeat.OPEN)


def surroundings(state: Body) -> Surroundings:
    """What `in_any_section` leaves out: the context and the section."""
    return (state.context, *state[_FIRST:_AFTER])


def with_surroundings(place: Body, by: Surroundings) -> Body:
    """The state at a place with its surroundings."""
    values = (by[0], *place[1:_FIRST], *by[1:], *place[_AFTER:])
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


def candidates(state: Body) -> Iterable[str]:
    """Characters of which all that may follow are among."""
    if state.at in (At.PITCH, At.LENGTH, At.REST):
        return own_characters(state)
    if state.at in FOLLOW:
        return _BEGINNINGS
    return CHARACTERS


def twin(state: Body, character: str) -> str:
    """A character that differs from this one in sound alone."""
    return character if state.tie or state.at in _SPELLED else state.context.canonical_letter.get(character, character)
