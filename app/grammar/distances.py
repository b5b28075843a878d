"""Distances to the end of a tune, in characters, which decide near the length limit what still leaves time to end it.

They are counted along the closing path.
"""

import numpy as np

from app.grammar import body, closing_path, state_equivalence
from app.grammar.automaton import Automaton
from app.grammar.header import Header
from app.grammar.state import At, Body
from app.grammar.state_cache import Node, Section, State, Ways

FAR = 1 << 20  # characters: no end within reach
_DETOUR = 100  # characters that the way to the end may be longer from the middle of something, besides twice the way


class Distances:
    """The distances of one automaton, computed on demand and cached."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._known: dict[State, int] = {}
        self._horizons: dict[object, int] = {}  # for each header's fields and body's context
        self._rows = 0

    def __len__(self) -> int:
        """The number of states and of rows in sections that are cached."""
        return len(self._known) + self._rows

    def of(self, state: State) -> int:
        """Characters to the end by the closing path, which is short if not always the shortest.

        Follows the path to the end or to a cached state, and caches every state on it.
        """
        path: dict[State, int] = {}  # characters from each state to the next
        here = _as_far(state)
        while (distance := self._known.get(here)) is None:
            stride = self._automaton.stride(here)
            if isinstance(here, Body) and here.at is At.END:
                distance = self._known[here] = 0
            elif stride is None or stride[1] in path or len(path) > closing_path.LONGEST_WALK:
                distance = self._known[here] = FAR
            else:
                path[here], here = stride[0], _as_far(stride[1])
                continue
            break
        for passed, characters in reversed(path.items()):
            distance = self._known[passed] = min(distance + characters, FAR)
        return distance

    def after(self, node: Node, section: Section) -> Ways:
        """How far the end is from where each character leads."""
        known = section.distances.get(node)
        if known is None:
            known = section.distances[node] = self._after(node, section)
            self._rows += 1
        return known

    def _after(self, node: Node, section: Section) -> Ways:
        allowed, state = self._automaton.allowed(node, section), section.state(node)
        unknown = [self._automaton.alphabet[id_] for id_ in np.flatnonzero(allowed).tolist()]
        plain = state_equivalence.passes_to(state) if isinstance(state, Body) else None
        if plain and isinstance(state, Body):
            distances = self.after(*self._automaton.place(plain)).each.copy()
            own = state_equivalence.own_characters(state)
            unknown = [character for character in unknown if character in own]
        else:
            distances = np.full(len(self._automaton.alphabet), FAR, np.int32)
        for character, ids in self._automaton.twins(state, unknown):
            following = self._automaton.step(state, character)
            if following:
                distances[ids] = self.of(following) + _length_of_tie(state, following)
        distances[~allowed] = FAR
        return Ways(distances, int(distances.min()), int(distances[allowed].max(initial=0)))

    def horizon(self, state: State) -> int:
        """Below this remaining length distances matter; above it, any state with such a context can end in time."""
        kind = state.context if isinstance(state, Body) else state.fields
        if kind not in self._horizons:
            start = Body.start(state.context) if isinstance(state, Body) else Header(state.fields)
            self._horizons[kind] = _DETOUR + 2 * self.of(start)
        return self._horizons[kind]

    def has_time(self, state: State, remaining: int) -> bool:
        """Whether that is more than any way from here may take."""
        return remaining > self.horizon(state) or remaining > _DETOUR + 2 * self.of(state)


def _as_far(state: State) -> State:
    """A state that is as far from the end: accidentals matter to ties alone, and a pitch is any pitch."""
    if not isinstance(state, Body):
        return state
    if state.at is At.PITCH and state.word is not None and state.word.meaning:
        state = state._replace(at=At.LENGTH, word=state.context.lengths)
    return state._replace(altered=False) if state.altered and not state.tie else state


def _length_of_tie(state: State, following: State) -> int:
    """A new tie is still without its text, which has to be written too."""
    is_new_tie = isinstance(following, Body) and following.tie == body.WILDCARD and following.at is At.GAP
    was_tied = isinstance(state, Body) and bool(state.tie)
    return body.LONGEST_TIE * (is_new_tie and not was_tied)
