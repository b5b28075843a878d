"""The ABC automaton: for each state, which characters may come next so that the tune can still be completed.

The rules are in `header`, `body` and `bar_lines`, joined in `specification`. Here their states become the nodes of a
deterministic automaton that is built as it is walked: once a node has been visited, a step is one look-up. Only states
that can reach the end of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to
Automata Theory"), so there is no dead end.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.grammar import header, state_equivalence
from app.grammar.body import WILDCARD
from app.grammar.header import Fields, Header
from app.grammar.request import Request
from app.grammar.specification import FAR, Specification, State
from app.grammar.state import At, Body

_MASKED = np.array([-np.inf, 0], np.float32)  # by whether a character is allowed


def as_mask(allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Allowed characters, [V], as a mask to add to logits: 0 for them and -inf for the others, [V]."""
    return _MASKED.take(allowed)


class Node:
    """A visited state: the mask, and where the characters that were taken so far lead."""

    __slots__ = ("distances", "is_turn", "longest_way", "mask", "next", "state")

    def __init__(self, state: State, mask: NDArray[np.float32]) -> None:
        self.state = state
        self.mask = mask  # [V], shared where they are equal
        self.next: dict[int, Node] = {}  # by id
        self.distances: NDArray[np.int32] | None = None  # [V], see `Automaton.distances`
        self.longest_way: int | None = None  # see `Automaton.longest_way`
        self.is_turn = self.may_end_title or (
            isinstance(state, Body) and (state.at in (At.LINE, At.END) or state.tie == WILDCARD)
        )
        """Whether a cursor has something to do here: at the end of a line, tune or title, and after a tie."""

    @property
    def is_end(self) -> bool:
        """Whether the tune has ended."""
        return isinstance(self.state, Body) and self.state.at is At.END

    @property
    def may_break(self) -> bool:
        """Whether a line break may be what has to come next."""
        return isinstance(self.state, Body) and self.state.at in (At.BAR, At.BAR_LINE)

    @property
    def may_end_title(self) -> bool:
        """Whether a title may end here, unless it is a known one."""
        return isinstance(self.state, Header) and self.state.may_end_title


class Automaton:
    """A deterministic automaton over one vocabulary, built lazily as states are visited."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self.rules = Specification(alphabet)
        self.fields: dict[Request, Fields] = {}
        """See `Grammar`; of equal requests the same, so that their states are equal."""
        self._nodes: dict[State, Node] = {}
        self._masks: dict[bytes, NDArray[np.float32]] = {}  # those of all nodes, each once

    def __len__(self) -> int:
        """The number of states that are cached."""
        return len(self.rules) + len(self._nodes)

    def node(self, state: State) -> Node:
        """The node of a state."""
        node = self._nodes.get(state)
        if node is None:
            mask = as_mask(self._allowed(state))
            node = self._nodes.setdefault(state, Node(state, self._masks.setdefault(mask.tobytes(), mask)))
        return node

    def follow(self, node: Node, id_: int) -> Node:
        """Where one more character leads."""
        after = node.next.get(id_)
        if after is None:
            following = self.rules.step(node.state, self.alphabet[id_])
            if node.mask[id_] or following is None:
                raise ValueError(f"{self.alphabet[id_]!a} is not allowed here")
            after = node.next[id_] = self.node(following)
        return after

    def _allowed(self, state: State) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V].

        Most are known from a state where the same may follow, if one is equivalent but for a few characters.
        """
        alike, unknown = header.alike(state) if isinstance(state, Header) else state_equivalence.alike(state)
        allowed = np.equal(self.node(alike).mask, 0) if alike else np.zeros(len(self.alphabet), np.bool_)
        for character, ids in self._twins(state, unknown):
            allowed[ids] = self._leads_on(state, character)
        return allowed

    def _leads_on(self, state: State, character: str) -> bool:
        """Whether the tune can be completed after one more character of it; of a bar, whether the bar can."""
        following = self.rules.step(state, character)
        place = state_equivalence.place_in_bar(following) if isinstance(following, Body) else None
        return following is not None and self.rules.is_safe(place or following)

    def closing(self, state: Body, parts_left: int) -> NDArray[np.float32]:
        """0 for the characters after which the part can end with this bar, and so many others follow, [V]."""
        mask = np.full(len(self.alphabet), -np.inf, np.float32)
        for last in self.rules.in_last_bar(state, parts_left):
            np.maximum(mask, self.node(last).mask, out=mask)
        return mask

    def longest_way(self, node: Node) -> int:
        """Characters that the end is at most away, whichever comes next; a rough bound until distances are known."""
        if node.longest_way is None:
            node.longest_way = self.rules.longest_way(node.state)
        return node.longest_way

    def distances(self, node: Node) -> NDArray[np.int32]:
        """How far the end is from where each character leads, [V]; `FAR` where it is not allowed."""
        if node.distances is None:
            distances = np.full(len(self.alphabet), FAR, np.int32)
            allowed = np.flatnonzero(node.mask == 0)
            for character, ids in self._twins(node.state, (self.alphabet[id_] for id_ in allowed.tolist())):
                distances[ids] = self.rules.distance_after(node.state, character)
            node.longest_way = min(self.longest_way(node), int(distances[allowed].max(initial=0)))
            node.distances = distances
        return node.distances

    def _twins(self, state: State, characters: Iterable[str]) -> Iterable[tuple[str, list[int]]]:
        """Characters after which the tune goes on alike: one of each kind, with the ids of all."""
        groups: dict[str, tuple[str, list[int]]] = {}
        for character in characters:
            if character in self.id_of:
                kind = state_equivalence.twin(state, character) if isinstance(state, Body) else character
                groups.setdefault(kind, (character, []))[1].append(self.id_of[character])
        return groups.values()
