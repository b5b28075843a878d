"""Distances to the end of a tune, in characters, which decide near the length limit what still leaves time to end it.

They are counted along the closing path. Within a bar that is the same for all sections up to where the bar may end, so
it is walked once; the distance from there is kept for each section.
"""

from collections.abc import Iterable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from app.grammar import body, closing_path, state_equivalence
from app.grammar.automaton import Automaton
from app.grammar.follow_sets import FOLLOW
from app.grammar.header import Header
from app.grammar.state import At, Body
from app.grammar.state_cache import Node, Reach, Section, State, Ways

FAR = 1 << 20  # characters: no end within reach
_DETOUR = 100  # characters that the way to the end may be longer from the middle of something, besides twice the way


class Distances:
    """The distances of one automaton, computed on demand and cached."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._known: dict[State, int] = {}  # of whole states
        self._fillings: dict[Body, tuple[int, Body]] = {}  # see `_filling`, by the place with its pickup
        self._horizons: dict[object, int] = {}  # for each header's fields and body's context
        self._rows = 0

    def __len__(self) -> int:
        """The number of states and of rows in sections that are cached."""
        return len(self._known) + len(self._fillings) + self._rows

    def forget(self) -> tuple[dict[State, int], dict[Body, tuple[int, Body]]]:
        """Clear the caches, and return them for their memory to be freed."""
        learnt = self._known, self._fillings
        self._known, self._fillings, self._horizons, self._rows = {}, {}, {}, 0
        return learnt

    def of(self, state: State) -> int:
        """Characters to the end by the closing path, which is short if not always the shortest.

        Follows the path to the end or to a cached state, and caches every state on it.
        """
        distance = self._known.get(state)
        if distance is not None:
            return distance
        path = [(0, state)]
        on_path = {state}
        while distance is None:
            here = path[-1][1]
            stride = self._shortcut(here)
            if isinstance(here, Body) and here.at is At.END:
                distance = 0
            elif stride is None or stride[1] in on_path or len(path) > closing_path.LONGEST_WALK:
                distance = FAR
            else:
                path.append(stride)
                on_path.add(stride[1])
                distance = self._known.get(stride[1])
        for count, passed in reversed(path):
            self._known[passed] = distance
            distance = min(distance + count, FAR)
        return distance

    def after(self, node: Node, section: Section) -> Ways:
        """How far the end is from where each character leads."""
        known = section.distances.get(node)
        if known is None:
            allowed = self._automaton.allowed(node, section)
            state = section.state(node)
            unknown = np.flatnonzero(allowed).tolist()
            if section is not self._automaton.outside:
                distances = self._within_bar(node, section)
                unknown = self._among(unknown, _leaving(node))
            elif isinstance(state, Body) and (plain := state_equivalence.passes_to(state)):
                distances = self.after(*self._automaton.place(plain)).each.copy()
                unknown = self._among(unknown, state_equivalence.own_characters(state))
            else:
                distances = np.full(len(self._automaton.alphabet), FAR, np.int32)
            for character, ids in self._twins(state, unknown):
                following = self._automaton.step(state, character)
                if following:
                    distances[ids] = self.of(following) + _length_of_tie(state, following)
            distances[~allowed] = FAR
            nearest, farthest = int(distances.min()), int(distances[allowed].max(initial=0))
            known = section.distances[node] = Ways(distances, nearest, farthest)
            self._rows += 1
        return known

    def horizon(self, node: Node, section: Section) -> int:
        """Below this remaining length distances matter; above it, the end can be reached in time from any state."""
        of = section if section.surroundings else node
        if of.horizon is None:
            of.horizon = self._horizon(section.state(node))
        return of.horizon

    def _horizon(self, state: State) -> int:
        kind = state.context if isinstance(state, Body) else state.fields
        if kind not in self._horizons:
            start = Body.start(state.context) if isinstance(state, Body) else Header(state.fields)
            self._horizons[kind] = _DETOUR + 2 * self.of(start)
        return self._horizons[kind]

    def narrowed_horizon(self, node: Node, section: Section, remaining: int) -> int:
        """The same from such a section, or such a state outside bars; it is shorter the more has been written.

        It is only found out once the remaining length is below the other.
        """
        of = section if section.surroundings else node
        horizon = self.horizon(node, section)
        if remaining <= horizon and not of.is_narrow:
            of.is_narrow = True
            horizon = of.horizon = min(horizon, _DETOUR + 2 * self.of(section.state(node)))
        return horizon

    def _shortcut(self, state: State) -> tuple[int, State] | None:
        """The closing path up to where the bar may end, which is the same in all sections; elsewhere one stride."""
        if isinstance(state, Body) and (place := state_equivalence.in_any_section(state)):
            length, filled = self._filling(state_equivalence.with_pickup(place, state.pickup))
            if length:
                return length, state_equivalence.with_surroundings(filled, state_equivalence.surroundings(state))
        return self._automaton.stride(state)

    def _filling(self, place: Body) -> tuple[int, Body]:
        """Characters by the closing path from a place in a bar to where the bar may end, and that place."""
        path: list[tuple[int, Body]] = []
        here = state_equivalence.canonical_fill(place)
        while (known := self._fillings.get(here)) is None:
            stride = None if here.at in FOLLOW and closing_path.is_filled(here) else closing_path.next_state(here)
            if stride is None:
                known = self._fillings[here] = 0, here
                break
            path.append((stride[0], here))
            here = state_equivalence.canonical_fill(stride[1])
        length, filled = known
        for characters, passed in reversed(path):
            length += characters
            self._fillings[passed] = length, filled
        return length, filled

    def _within_bar(self, node: Node, section: Section) -> NDArray[np.int32]:
        """The distances after each character that stays in the bar; arbitrary for the others, [V]."""
        reach = self._reach(node, section.pickup)
        rest = [self._rest(filled, section) for filled in reach.filled]
        return reach.length + np.array(rest or [FAR], np.int32)[reach.which]

    def _rest(self, filled: Body, section: Section) -> int:
        rest = section.rest.get(filled)
        if rest is None:
            rest = section.rest[filled] = self.of(state_equivalence.with_surroundings(filled, section.surroundings))
        return rest

    def _reach(self, node: Node, pickup: int) -> Reach:
        """What of the distances from a place within a bar all sections with such a pickup have in common."""
        reach = node.reach.get(pickup)
        if reach is None:
            assert isinstance(node.state, Body)  # noqa: S101
            place, leaving = state_equivalence.with_pickup(node.state, pickup), _leaving(node)
            length, which = np.full((2, len(self._automaton.alphabet)), -1, np.int16)
            places: dict[Body, int] = {}
            unknown = np.flatnonzero(node.allowed).tolist()
            if basis := self._as_good(node):
                known = self._reach(basis[0], pickup)
                length, which = known.length.copy(), known.which.copy()
                places = {filled: index for index, filled in enumerate(known.filled)}
                unknown = self._among(unknown, basis[1])
            for character, ids in self._twins(place, unknown):
                following = self._automaton.step(place, character) if character not in leaving else None
                if isinstance(following, Body):
                    characters, filled = self._filling(following)
                    length[ids] = characters + _length_of_tie(place, following)
                    which[ids] = places.setdefault(filled, len(places))
            reach = node.reach[pickup] = Reach(length, which, tuple(places))
        return reach

    def _as_good(self, node: Node) -> tuple[Node, Iterable[str]] | None:
        """Another place in a bar, from which the way is as long but by the characters that come with it."""
        assert isinstance(node.state, Body)  # noqa: S101
        sibling = state_equivalence.sibling(node.state)
        if sibling and sibling[0].slur == node.state.slur:
            return self._automaton.node(sibling[0]), sibling[1]
        return (node.plain, state_equivalence.own_characters(node.state)) if node.plain is not node else None

    def _among(self, ids: Iterable[int], characters: Iterable[str]) -> list[int]:
        return [id_ for id_ in ids if self._automaton.alphabet[id_] in characters]

    def _twins(self, state: State, ids: Iterable[int]) -> Iterable[tuple[str, list[int]]]:
        """Characters that differ in pitch alone: one of them, and the ids of all."""
        characters = [self._automaton.alphabet[id_] for id_ in ids]
        return self._automaton.grouped(
            characters, partial(state_equivalence.twin, state) if isinstance(state, Body) else str
        )


def _leaving(node: Node) -> str:
    """The characters that lead from a place in a bar to where the section matters: to a bar line, most often."""
    return node.plain.section_characters.replace('"', "")


def _length_of_tie(state: State, following: State) -> int:
    """A new tie is still without its text, which has to be written too."""
    is_new_tie = isinstance(following, Body) and following.tie == body.WILDCARD and following.at is At.GAP
    was_tied = isinstance(state, Body) and bool(state.tie)
    return body.LONGEST_TIE * (is_new_tie and not was_tied)
