"""Rules for the tune's body: which character may follow, so that the notes add up to whole bars.

`step` is the transition function of a finite automaton. Its state, a `Body`, holds where in a note or bar the text
stands, the ticks left in the bar, what is pending (a tuplet, a tie, the second note of a broken pair), and the state of
repeats and endings, which `bar_lines` advances. What is clean for abc2midi, music21 and abcjs was tried by hand; where
the ABC standard 2.1 (section 4) allows more than one of them takes, the rule is theirs.
"""

from collections.abc import Callable, Mapping

from app.abc.lengths import is_power_of_two
from app.abc.pitch import ACCIDENTALS
from app.abc.written_subset import MAX_GRACE_NOTES
from app.grammar import bar_lines, hornpipe
from app.grammar.follow_sets import FOLLOW, KIND_OF, Kind, pending
from app.grammar.state import At, Body, Partner
from app.grammar.tune_context import CHORD_SYMBOLS

CHARACTERS = frozenset(KIND_OF).union("0123456789/,'<>)]}-", *CHORD_SYMBOLS)
"""All that a state may let through."""

MAX_CHORD_NOTES = 4
SLUR_CLOSABLE = 3  # `Body.slur`: 0 no slur, 1 opened, 2 one note, 3 two notes or more

WILDCARD = "?"
"""Stands in `Body.tie` for a pitch that is not known; such a tie counts as one on a note without accidental."""

LONGEST_TIE = 30
"""Characters of the longest chord."""

Step = Callable[[Body, str], "Body | None"]


def step(state: Body, character: str) -> Body | None:
    """The state after one more character; None if it cannot stand there."""
    if state.edge:
        if character == ":":
            return None
        state = state._replace(edge=False)
    return _STEPS[state.at](state, character)


# ------------------------------------------------------------------------------------------------ between notes


def _between(state: Body, character: str) -> Body | None:
    kind = KIND_OF.get(character)
    if kind is None or kind not in FOLLOW[state.at] or kind not in pending(state):
        return None
    is_tied_note = state.tie and kind in (Kind.PITCH, Kind.CHORD)
    begun = _tied(state, character) if is_tied_note else _BEGIN[kind](state, character)
    if begun and state.at is At.LINE and kind in (Kind.PITCH, Kind.REST):
        return begun._replace(edge=True)
    return begun


def _begin_chord(state: Body, _: str) -> Body | None:
    at = At.LINE_BRACKET if state.at is At.LINE and bar_lines.first_ending(state) else At.CHORD
    return state._replace(at=at, members=0, final=False)


def _begin_symbol(state: Body, _: str) -> Body | None:
    if state.pickup % state.context.chord_stroke:
        return None
    at = At.GRACED_SYMBOL if state.at is At.GRACED else At.SYMBOL
    return state._replace(at=at, word=state.context.symbols, named=state.opening, final=False)


def _begin_decoration(state: Body, character: str) -> Body | None:
    grace = state.context.grace_lengths.meaning or 0 if character == "~" else state.grace
    return state._replace(at=At.DECORATED, mark=character, grace=grace, final=False)


def _begin_line(state: Body, _: str) -> Body | None:
    if state.at is At.LINE:
        return state._replace(at=At.END) if state.final else None
    return state._replace(at=At.LINE)


# ------------------------------------------------------------------------------------------------ notes


def _longer(state: Body, character: str) -> Body | None:
    """With one more character of the pitch, length or chord symbol; None if none goes on so."""
    longer = state.word.children.get(character) if state.word else None
    return state._replace(word=longer, altered=state.altered or character in ACCIDENTALS) if longer else None


def _pitch(state: Body, character: str) -> Body | None:
    if (longer := _longer(state, character)) or state.meaning is None:
        return longer
    return _length(state._replace(at=At.LENGTH, word=state.context.lengths), character)


def _length(state: Body, character: str) -> Body | None:
    if longer := _longer(state, character):
        return longer
    if character not in KIND_OF and character not in ")-<>":
        return None
    note = note_written(state)
    after = _after_note(note, state, character) if note else None
    has_length = state.word is not state.context.lengths
    return after._replace(at=At.PITCH_COLON) if after and character == ":" and not has_length else after


def ticks_spent(state: Body, ticks: int) -> int | None:
    """The ticks of the bar that a note of that written length takes; None where it cannot be that long."""
    if state.equal:
        fits = ticks == state.equal and (not state.grace or ticks > 2 * state.grace)
        spent = 0 if state.tuplet else ticks
    elif state.tuplet:
        spent = ticks * state.context.tuplets[str(state.tuplet)]
        fits = is_power_of_two(ticks) and spent > state.grace * state.tuplet
    else:
        spent = ticks
        fits = ticks > state.grace
    return spent if fits and spent <= state.left else None


def note_written(state: Body) -> Body | None:
    """The state once the note's length is known: a tuplet is paid for by its first note, the pair by each."""
    ticks = state.meaning
    spent = None if ticks is None else ticks_spent(state, ticks)
    if ticks is None or spent is None:
        return None
    tuplet = max(0, state.tuplet - 1)
    partner, shift = Partner.NONE, 0
    if state.context.swung:
        joined = hornpipe.partner_after(state, ticks)
        if joined is None:
            return None
        partner, shift = joined, hornpipe.shift_after(state, ticks)
    return state._replace(
        at=At.GAP,
        word=None,
        left=state.left - spent,
        fresh=False,
        tuplet=tuplet,
        equal=ticks if tuplet else 0,
        broken=False,
        grace=0,
        mark="",
        slur=min(state.slur + 1, SLUR_CLOSABLE) if state.slur else 0,
        members=0,
        partner=partner,
        shift=shift,
    )


def _after_note(note: Body, written: Body, character: str) -> Body | None:
    if character == ")":
        return note._replace(slur=0) if note.slur == SLUR_CLOSABLE else None
    if character == "-":
        return note._replace(tie=WILDCARD) if _may_be_tied(written) else None
    if character in "<>":
        return _broken(note, written, character)
    return _between(note, character)


def _may_be_tied(written: Body) -> bool:
    """Not a rest; nor a staccato note or a chord in a bar with accidentals, which abc2midi loses track of."""
    is_chord = written.members > 0
    return written.at is not At.REST and written.mark != "." and not (is_chord and written.altered)


def _broken(note: Body, written: Body, sign: str) -> Body | None:
    """After `>` or `<` (section 4.4): two notes of the same written length share the time of both."""
    ticks = int(written.meaning or 0)
    second_fits = note.tuplet > 0 if written.tuplet else note.left >= ticks
    is_too_short = ticks < _SHORTEST_BROKEN or (sign == "<" and 0 < ticks <= 4 * written.grace)
    if written.broken or written.mark == "." or is_too_short or not second_fits:
        return None
    if note.partner is Partner.UNEVEN or not is_power_of_two(ticks):
        return None
    return note._replace(at=At.BROKEN, equal=ticks, broken=True, members="<>".index(sign) + 1)


_DOUBLED = 3
_SHORTEST_BROKEN = 2  # ticks: the shorter note of the pair is then a 128th


def _after_broken(state: Body, character: str) -> Body | None:
    if character in "<>":
        is_doubled = state.members == "<>".index(character) + 1 and state.equal >= 2 * _SHORTEST_BROKEN
        return state._replace(members=_DOUBLED) if is_doubled else None
    if character == "{":
        return None if state.members == _DOUBLED or state.tuplet else _BEGIN[Kind.GRACE](state, character)
    return _between(state._replace(members=0), character)


def _tied(state: Body, character: str) -> Body | None:
    """The note after a tie, character by character as the first was written (section 4.11)."""
    if state.tie[0] not in (character, WILDCARD):
        return None
    rest = state.tie[1:]
    altered = state.altered or character in ACCIDENTALS
    members = 2 if character == "[" else state.members
    if rest:
        return state._replace(at=At.TIED, tie=rest, altered=altered, members=members, final=False)
    word = state.context.lengths
    return state._replace(at=At.LENGTH, tie="", word=word, altered=altered, members=members, final=False)


# ------------------------------------------------------------------------------------------------ groups


def _paren(state: Body, character: str) -> Body | None:
    if character.isdigit():
        if state.tuplet or character not in state.context.tuplets:
            return None
        return state._replace(at=At.TUPLET, tuplet=int(character))
    if state.slur or state.tie:
        return None
    return _between(state._replace(at=At.SLUR, slur=1), character)


def _chord(state: Body, character: str) -> Body | None:
    if character == "]" and state.members > 1:
        return state._replace(at=At.LENGTH, word=state.context.lengths)
    if state.members == MAX_CHORD_NOTES:
        return None
    return _member(state._replace(at=At.CHORD_PITCH, word=state.context.pitches, members=state.members + 1), character)


def _grace(state: Body, character: str) -> Body | None:
    if character == "}" and state.members:
        return state._replace(at=At.GRACED, members=0)
    if state.members == MAX_GRACE_NOTES:
        return None
    return _member(state._replace(at=At.GRACE_PITCH, word=state.context.pitches, members=state.members + 1), character)


def _member(state: Body, character: str) -> Body | None:
    """A character of a pitch inside a chord or grace group, or the first one after it."""
    if (longer := _longer(state, character)) or state.meaning is None:
        return longer
    if state.at is At.CHORD_PITCH:
        return _chord(state._replace(at=At.CHORD, word=None), character)
    return _grace_length(state._replace(at=At.GRACE_LENGTH, word=state.context.grace_lengths), character)


def _grace_length(state: Body, character: str) -> Body | None:
    if longer := _longer(state, character):
        return longer
    grace = state.grace + int(state.meaning or 0)
    return _grace(state._replace(at=At.GRACE, word=None, grace=grace), character)


def _symbol(state: Body, character: str) -> Body | None:
    longer = _longer(state, character)
    if longer is None or longer.meaning is None:
        return longer
    return state._replace(at=At.GRACED_NAMED if state.at is At.GRACED_SYMBOL else At.NAMED, word=None)


# ------------------------------------------------------------------------------------------------ bar lines


def _begin_bar(state: Body, _: str) -> Body | None:
    if state.fresh:
        return state._replace(at=At.FRESH_BAR) if bar_lines.open_repeat(state) else None
    possible = any(rule(state) for rule in (bar_lines.plain, *_AFTER_BAR.values()))
    return state._replace(at=At.BAR) if possible else None


def _bar(state: Body, character: str) -> Body | None:
    if character in _AFTER_BAR:
        return _AFTER_BAR[character](state)
    if character == "[" and bar_lines.first_ending(state):
        return state._replace(at=At.BAR_BRACKET)
    after = bar_lines.plain(state)
    return _between(after, character) if after else None


def _bar_bracket(state: Body, character: str) -> Body | None:
    if character == "1":
        return bar_lines.first_ending(state)
    after = bar_lines.plain(state)
    chord = _between(after, "[") if after else None
    return _chord(chord, character) if chord else None


def _colon(state: Body, character: str) -> Body | None:
    if character == "|":
        return bar_lines.close_repeat(state)
    return bar_lines.double_repeat(state) if character == ":" and state.at is At.COLON else None


def _second(state: Body, character: str) -> Body | None:
    following = _AFTER_FIRST_ENDING.get((state.at, character))
    return state._replace(at=following) if following else None


_AFTER_FIRST_ENDING = {
    (At.SECOND, "2"): At.OPENING,
    (At.SECOND, "["): At.SECOND_BRACKET,
    (At.SECOND, "\n"): At.SECOND_LINE,
    (At.SECOND_LINE, "["): At.SECOND_BRACKET,
    (At.SECOND_BRACKET, "2"): At.OPENING,
}


def _forced(state: Body, character: str) -> Body | None:
    if character != state.tie[0]:
        return None
    if len(state.tie) > 1:
        return state._replace(tie=state.tie[1:])
    return state._replace(at=At.LINE if character == "\n" else At.BAR_LINE, tie="")


_AFTER_BAR: Mapping[str, Callable[[Body], Body | None]] = {
    "|": bar_lines.double_bar,
    "]": bar_lines.final_bar,
    ":": bar_lines.open_repeat,
    "1": bar_lines.first_ending,
}

_BEGIN: Mapping[Kind, Step] = {
    Kind.PITCH: lambda state, character: _pitch(
        state._replace(at=At.PITCH, word=state.context.pitches, final=False), character
    ),
    Kind.REST: lambda state, _: state._replace(at=At.REST, word=state.context.lengths, final=False),
    Kind.CHORD: _begin_chord,
    Kind.GRACE: lambda state, _: state._replace(at=At.GRACE, members=0, final=False),
    Kind.SYMBOL: _begin_symbol,
    Kind.DECORATION: _begin_decoration,
    Kind.PAREN: lambda state, _: None if state.slur and state.tuplet else state._replace(at=At.PAREN, final=False),
    Kind.SPACE: lambda state, _: state._replace(at=At.SPACE, final=False),
    Kind.BAR: _begin_bar,
    Kind.COLON: lambda state, _: (
        state._replace(at=At.COLON) if bar_lines.close_repeat(state) or bar_lines.double_repeat(state) else None
    ),
    Kind.NEWLINE: _begin_line,
}

_STEPS: Mapping[At, Step] = {
    **dict.fromkeys(FOLLOW, _between),
    At.PITCH: _pitch,
    At.LENGTH: _length,
    At.REST: _length,
    At.CHORD: _chord,
    At.CHORD_PITCH: _member,
    At.GRACE: _grace,
    At.GRACE_PITCH: _member,
    At.GRACE_LENGTH: _grace_length,
    At.SYMBOL: _symbol,
    At.GRACED_SYMBOL: _symbol,
    At.PAREN: _paren,
    At.BROKEN: _after_broken,
    At.TIED: _tied,
    At.BAR: _bar,
    At.BAR_BRACKET: _bar_bracket,
    At.FRESH_BAR: lambda state, character: bar_lines.open_repeat(state) if character == ":" else None,
    At.COLON: _colon,
    At.PITCH_COLON: _colon,
    At.SECOND: _second,
    At.SECOND_LINE: _second,
    At.SECOND_BRACKET: _second,
    At.LINE_BRACKET: lambda state, character: (
        bar_lines.first_ending(state) if character == "1" else _chord(state._replace(at=At.CHORD), character)
    ),
    At.FORCED: _forced,
    At.END: lambda _state, _character: None,
}
