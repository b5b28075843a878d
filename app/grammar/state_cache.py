"""The automaton's cache: nodes (visited states) and sections (what surrounds the states within bars)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.grammar import body, state_equivalence
from app.grammar.header import Header
from app.grammar.state import At, Body
from app.grammar.state_equivalence import Surroundings

State = Header | Body


class Node:
    """A visited state: the allowed characters, and the transitions taken so far.

    Inside a bar it is the place alone, which many sections share; outside, the whole state.
    """

    __slots__ = (
        "_plain",
        "allowed",
        "is_end",
        "is_title",
        "is_turn",
        "may_break",
        "next",
        "section_characters",
        "state",
        "turns",
    )

    def __init__(self, state: State, allowed: NDArray[np.bool_], plain: "Node | None") -> None:
        self.state = state
        self.allowed = allowed  # [V]; inside a bar, that of an ordinary section
        self.next: dict[int, Node] = {}  # by id, those that have been taken and stay in the section
        self.turns: dict[tuple[Section, int], tuple[Node, Section]] = {}  # the others
        self._plain = plain  # None: itself
        self.section_characters = state_equivalence.section_characters(state) if isinstance(state, Body) else ""
        self.is_end = isinstance(state, Body) and state.at is At.END
        self.may_break = isinstance(state, Body) and state.at in (At.BAR, At.BAR_LINE)
        self.is_title = isinstance(state, Header) and state.may_end_title
        self.is_turn = self.is_title or (
            isinstance(state, Body) and (state.at in (At.LINE, At.END) or state.tie == body.WILDCARD)
        )

    @property
    def plain(self) -> "Node":
        """The delegate that decides where in a section the bar may end."""
        return self._plain or self


class Ways(NamedTuple):
    """How far the end of the tune is after each character."""

    each: NDArray[np.int32]  # characters, [V]; far beyond any limit where a character is not allowed
    nearest: int
    farthest: int  # of those that are allowed


class Section:
    """What surrounds the places in a bar; of the whole states outside, nothing does."""

    __slots__ = (
        "distances",
        "ends",
        "masks",
        "opening",
        "pickup",
        "surroundings",
        "takes_symbols",
    )

    def __init__(self, surroundings: Surroundings, state: Body | None) -> None:
        self.surroundings = surroundings
        self.opening = state is not None and state.opening
        self.pickup = state.pickup if state else 0
        self.takes_symbols = state is not None and state_equivalence.takes_symbols(state.context, state.pickup)
        self.masks: dict[Node, NDArray[np.float32]] = {}  # [V] each, shared where they are equal
        self.ends: dict[Node, tuple[bool, ...]] = {}  # which `section_characters` are allowed
        self.distances: dict[Node, Ways] = {}  # see `Distances.after`

    def state(self, node: Node) -> State:
        """The whole state."""
        if isinstance(node.state, Body) and self.surroundings:
            return state_equivalence.with_surroundings(node.state, self.surroundings)
        return node.state
