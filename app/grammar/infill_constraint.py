"""Constraints for infill: new notes in place of part of a bar, of the same length, without ties or slurs across it."""

from collections.abc import Sequence
from copy import copy
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import RequestError
from app.grammar.automaton import Automaton, as_mask
from app.grammar.constraint import Grammar
from app.grammar.follow_sets import FOLLOW
from app.grammar.request import Request
from app.grammar.specification import State
from app.grammar.state import At, Body, Repeat
from app.grammar.state_cache import Node, Section
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
        self._node, self._section = automaton.place(state)
        self._bar_line = automaton.id_of["|"]
        self._never = [automaton.id_of[character] for character in _NEVER if character in automaton.id_of]
        self._is_before_double_repeat = follows.startswith("::")

    def copy(self) -> "Refill":
        """Another from the same place on."""
        return copy(self)

    @property
    def mask(self) -> NDArray[np.float32]:
        """0 for what may come next, -inf for the rest, [V]; something may."""
        return as_mask(self._allowed())

    def _allowed(self) -> NDArray[np.bool_]:
        node = self._node
        allowed = self._automaton.allowed(node, self._section).copy()
        may_end = self._may_end(node.state, bool(allowed[self._bar_line]))
        allowed[self._never] = False
        allowed[self._bar_line] = may_end
        space, paren = self._automaton.id_of.get(" "), self._automaton.id_of.get("(")
        if space is not None and (may_end or (isinstance(node.state, Body) and node.state.fresh)):
            allowed[space] = False
        if paren is not None and allowed[paren]:
            allowed[paren] = self._digits(*self._follow(paren)).any()
        if isinstance(node.state, Body) and node.state.at is At.PAREN:
            allowed = self._digits(node, self._section)
        if not allowed.any():
            allowed[self._bar_line] = True  # a dead end: whoever asked finds the bar too short, and takes another
        return allowed

    def advance(self, id_: int) -> bool:
        """Take the next character; True at the bar line."""
        if id_ == self._bar_line:
            return True
        self._node, self._section = self._follow(id_)
        return False

    def _follow(self, id_: int) -> tuple[Node, Section]:
        following = self._node.next.get(id_)
        return (following, self._section) if following else self._automaton.follow(self._node, self._section, id_)

    def _may_end(self, state: State, is_allowed: bool) -> bool:
        assert isinstance(state, Body)  # noqa: S101
        is_field = state.edge  # a letter alone on its line, before a colon
        is_for_music21 = self._is_before_double_repeat and state.at is At.PITCH  # it takes `G::` for a field
        return is_allowed and not (state.fresh or is_field or is_for_music21)

    def _digits(self, node: Node, section: Section) -> NDArray[np.bool_]:
        """What is allowed after `(` to begin a tuplet, not a slur."""
        allowed = self._automaton.allowed(node, section)
        digits = np.zeros_like(allowed)
        for character in "23456789":
            if (id_ := self._automaton.id_of.get(character)) is not None:
                digits[id_] = allowed[id_]
        return digits
