"""Constraints for infill: new notes in place of part of a bar, of the same length, without ties or slurs across it."""

from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import RequestError
from app.grammar.automaton import Automaton, Node, as_mask
from app.grammar.constraint import Grammar
from app.grammar.follow_sets import FOLLOW
from app.grammar.request import Request
from app.grammar.state import At, Body, Repeat
from app.grammar.state_equivalence import passed
from app.grammar.ticks import TICKS_PER_WHOLE

_MAX_ROOM = 16
"""whole notes; 300 characters fill no more, and each tick that is left is a state of its own"""
_NEVER = '|:\n-"'  # what would leave the bar or reach over its end


class Span(NamedTuple):
    """Part of a bar, from where to where in a text, and how long what stands there may last, in whole notes."""

    begin: int
    end: int
    room: Fraction
    is_of_long_bar: bool = False
    """whether the bar is longer than its metre"""


def refills(grammar: Grammar, text: str, spans: Sequence[Span], request: Request) -> "list[Refill]":
    """Constraints on what may stand in a tune's text in place of each of these parts of bars.

    Args:
        spans: ascending; `room` counts in a bar that is too long or that the grammar does not understand.
        request: its range holds.

    Raises:
        RequestError: there are no bars, no room for a note or too much of it, or no note within the range.
    """
    automaton, reader, fields = grammar.open(request)
    made = []
    for begin, end, room, is_long in spans:
        reader.read(text[:begin])
        before, faults = reader.state, len(reader.faults)
        ranged = automaton.rules.start_body(reader.header._replace(fields=fields))
        if not isinstance(before, Body) or ranged is None:
            raise RequestError("no bar of this tune can be written by this model, or none within the range")
        left = passed(before).left
        reader.read(text[:end])
        after = passed(reader.state).left if isinstance(reader.state, Body) else 0
        is_sound = len(reader.faults) == faults and after < left
        ticks = left - after if is_sound and not is_long else _ticks(room)
        if ticks > _MAX_ROOM * TICKS_PER_WHOLE:
            lasts = ticks // TICKS_PER_WHOLE
            raise RequestError(f"a bar lasts {lasts:,} whole notes; {_MAX_ROOM} are allowed where one is made anew")
        state = standing_alone(before, ticks)
        made.append(Refill(automaton, state._replace(context=ranged.context), text[end:]))
    return made


def _ticks(room: Fraction) -> int:
    """Raises RequestError where no notes last so long."""
    ticks = room * TICKS_PER_WHOLE
    if ticks <= 0 or ticks.denominator != 1:
        raise RequestError("what stays of a bar leaves no room for notes that this model can write")
    return int(ticks)


def standing_alone(before: Body, ticks: int) -> Body:
    """A place in a bar of which so many ticks are to be filled, whatever stands around: no section, no tie, no slur.

    Args:
        before: the state there, as it was read.
    """
    state = passed(before)
    if state.at not in FOLLOW:
        state = Body.start(before.context)._replace(at=At.BAR_LINE)
    return Body.start(before.context)._replace(
        at=state.at,
        left=ticks,
        fresh=state.fresh,
        opening=False,
        repeat=Repeat.CLOSED,
        altered=state.altered,
        partner=state.partner,
        shift=(state.shift + ticks - state.left) % (2 * state.context.swung or 1),
    )


class Refill:
    """A constraint on one part of a bar, from `standing_alone` until a bar line could stand.

    The bar line itself is drawn, and ends it; it is not part of what is written.

    Args:
        follows: the text after it.
    """

    def __init__(self, automaton: Automaton, state: Body, follows: str) -> None:
        self._automaton = automaton
        self._node = automaton.node(state)
        self._bar_line = automaton.id_of["|"]
        self._never, self._space, self._paren, self._digits = (
            [automaton.id_of[character] for character in characters if character in automaton.id_of]
            for characters in (_NEVER, " ", "(", "23456789")
        )
        self._is_before_double_repeat = follows.startswith("::")

    def copy(self) -> "Refill":
        """Another from the same place on."""
        return copy(self)

    @property
    def mask(self) -> NDArray[np.float32]:
        """0 for what may come next, -inf for the rest, [V]; something may."""
        allowed, state = np.equal(self._node.mask, 0), self._node.state
        assert isinstance(state, Body)  # noqa: S101
        may_end = bool(allowed[self._bar_line]) and self._is_sound_end(state)
        allowed[self._never] = False
        if may_end or state.fresh:
            allowed[self._space] = False
        if state.at is At.PAREN:
            allowed = self._begins_tuplet(self._node)
        if allowed[self._paren].any():
            allowed[self._paren] = self._begins_tuplet(self._automaton.follow(self._node, self._paren[0])).any()
        # A dead end can only be left: whoever asked finds the bar too short, and takes another.
        allowed[self._bar_line] = may_end or not allowed.any()
        return as_mask(allowed)

    def advance(self, id_: int) -> bool:
        """Take the next character; True at the bar line."""
        if id_ == self._bar_line:
            return True
        self._node = self._automaton.follow(self._node, id_)
        return False

    def _begins_tuplet(self, after_paren: Node) -> NDArray[np.bool_]:
        """Of what is allowed after `(`, what begins a tuplet, not a slur, [V]."""
        digits = np.zeros(len(after_paren.mask), np.bool_)
        digits[self._digits] = after_paren.mask[self._digits] == 0
        return digits

    def _is_sound_end(self, state: Body) -> bool:
        is_field = state.edge  # a letter alone on its line, before a colon
        is_for_music21 = self._is_before_double_repeat and state.at is At.PITCH  # it takes `G::` for a field
        return not (state.fresh or is_field or is_for_music21)
