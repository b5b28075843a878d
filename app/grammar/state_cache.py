"""The automaton's cache: nodes (visited states), sections (what surrounds those in bars), and a row for each pair."""

import numpy as np
from numpy.typing import NDArray

from app.grammar import body, state_equivalence
from app.grammar.header import Header
from app.grammar.specification import FAR, State
from app.grammar.state import At, Body
from app.grammar.state_equivalence import Surroundings


class Node:
    """A visited state: the allowed characters, and the transitions taken so far.

    Inside a bar it is the place alone, which many sections share; outside, the whole state.
    """

    __slots__ = (
        "allowed",
        "is_end",
        "is_title",
        "is_turn",
        "may_break",
        "next",
        "plain",
        "section_ids",
        "state",
        "turns",
    )

    def __init__(self, state: State, allowed: NDArray[np.bool_], plain: "Node | None", section_ids: list[int]) -> None:
        self.state = state
        self.allowed = allowed  # [V]; inside a bar, that of an ordinary section
        self.next: dict[int, Node] = {}  # by id, those that have been taken and stay in the section
        self.turns: dict[tuple[Section, int], tuple[Node, Section]] = {}  # the others
        self.plain = plain  # the node that it amounts to where nothing is added, if it is another one
        self.section_ids = section_ids  # of characters that depend on the section
        self.is_end = isinstance(state, Body) and state.at is At.END
        self.may_break = isinstance(state, Body) and state.at in (At.BAR, At.BAR_LINE)
        self.is_title = isinstance(state, Header) and state.may_end_title
        self.is_turn = self.is_title or (
            isinstance(state, Body) and (state.at in (At.LINE, At.END) or state.tie == body.WILDCARD)
        )


class Row:
    """What is known of a node in a section."""

    __slots__ = ("distances", "farthest", "mask")

    def __init__(self, mask: NDArray[np.float32]) -> None:
        self.mask = mask  # [V], shared where they are equal
        self.distances: NDArray[np.int32] | None = None  # [V], see `Automaton.distances`
        self.farthest = FAR  # the greatest of them where a character is allowed


class Section:
    """What surrounds the places in a bar; of the whole states outside, nothing does."""

    __slots__ = ("pickup", "rows", "surroundings")

    def __init__(self, surroundings: Surroundings, pickup: int) -> None:
        self.surroundings = surroundings
        self.pickup = pickup
        self.rows: dict[Node, Row] = {}

    def state(self, node: Node) -> State:
        """The whole state."""
        if isinstance(node.state, Body) and self.surroundings:
            return state_equivalence.with_surroundings(node.state, self.surroundings)
        return node.state
