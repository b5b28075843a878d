"""The ABC automaton: at each character, which characters may come next so that the tune ends as a proper one.

The rules are in `header`, `body` and `sections`. Here their states become the nodes of a deterministic automaton
that is built as it is walked: once a node has been visited, a step is two look-ups. Only states that can reach the end
of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to Automata Theory"), so there
is no dead end. Near the end of a limited length, only those remain from which the tune can still be ended in time.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.grammar import alike, body, header, way_out
from app.grammar.alike import Surroundings
from app.grammar.follow import FOLLOW
from app.grammar.ground import Grounds
from app.grammar.header import Header
from app.grammar.meter import METERS, default_unit
from app.grammar.situation import At, Body

State = Header | Body

FAR = 1 << 20  # characters: no end within reach
_DETOUR = 100  # characters that the way to the end may be longer from the middle of something, besides twice the way
_LONGEST_WALK = 5000  # strides


def as_mask(allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """What may come, [V] → 0 for it and -inf for the others, [V]."""
    return np.where(allowed, np.float32(0), np.float32(-np.inf))


class Node:
    """A state that has been visited: what may follow, and where it led when it did.

    Inside a bar it is the place alone, which many sections share; outside, the whole state.
    """

    __slots__ = (
        "allowed",
        "horizon",
        "is_end",
        "is_narrow",
        "is_turn",
        "may_break",
        "next",
        "plain",
        "reach",
        "section_characters",
        "state",
        "turns",
        "variants",
    )

    def __init__(self, state: State, allowed: NDArray[np.bool_], horizon: int) -> None:
        self.state = state
        self.allowed = allowed  # [V]; inside a bar, that of an ordinary section
        self.next: dict[int, Node] = {}  # by id, those that have been taken and stay in the section
        self.turns: dict[tuple[Section, int], tuple[Node, Section]] = {}  # the others
        self.plain = self  # the node that says, in its stead, where in a section the bar may end
        self.section_characters = alike.section_characters(state) if isinstance(state, Body) else ""
        self.variants: dict[tuple[bool, ...], NDArray[np.bool_]] = {}  # `allowed` in sections, by `Section.ends`
        self.horizon = horizon  # characters to go from which on the distances matter; 0 inside a bar
        self.is_narrow = False
        self.reach: dict[int, Reach] = {}  # of a place within a bar, by `Section.pickup`
        self.is_end = isinstance(state, Body) and state.at is At.END
        self.may_break = isinstance(state, Body) and state.at in (At.BAR, At.BAR_LINE)
        self.is_turn = isinstance(state, Body) and (state.at in (At.LINE, At.END) or state.tie == body.WILDCARD)


class Reach(NamedTuple):
    """How far it is to where the bar may end, after each character that stays in it."""

    length: NDArray[np.int16]  # characters, [V]
    which: NDArray[np.int16]  # of `filled`, [V]
    filled: tuple[int, ...]  # numbers of the places where it may end


class Section:
    """What surrounds the places in a bar; of the whole states outside, nothing does."""

    __slots__ = (
        "allowed",
        "distances",
        "ends",
        "horizon",
        "is_narrow",
        "masks",
        "opening",
        "pickup",
        "rest",
        "surroundings",
        "takes_symbols",
    )

    def __init__(self, surroundings: Surroundings, state: Body | None, horizon: int) -> None:
        self.surroundings = surroundings
        self.opening = state is not None and state.opening
        self.pickup = state.pickup if state else 0
        self.takes_symbols = state is not None and alike.takes_symbols(state.ground, state.pickup)
        self.horizon = horizon
        self.is_narrow = False
        self.allowed: dict[Node, NDArray[np.bool_]] = {}  # [V] each
        self.masks: dict[Node, NDArray[np.float32]] = {}  # the same as `as_mask` has it
        self.ends: dict[Node, tuple[bool, ...]] = {}  # which `section_characters` are allowed
        self.distances: dict[Node, tuple[NDArray[np.int32], int]] = {}  # see `Automaton.distances`
        self.rest = np.zeros(0, np.int32)  # the distance where the bar may end, by its number; -1: not known yet

    def state(self, node: Node) -> State:
        """The whole state."""
        if isinstance(node.state, Body) and self.surroundings:
            return alike.surrounded(node.state, self.surroundings)
        return node.state


class Automaton:
    """The states that have been visited, built as they are."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self._nodes: dict[State, Node] = {}
        self._sections: dict[Surroundings, Section] = {(): Section((), None, 0)}
        self._safe: dict[State, bool] = {}  # by essence
        self._distances: dict[State, int] = {}  # of whole states
        self._fillings: dict[Body, tuple[int, int]] = {}  # see `_filling`, by the place with its pickup
        self._filled: list[Body] = []  # the places where those end, by number
        self._grounds = Grounds(alphabet)
        self.id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self._beginnings: dict[object, list[tuple[str, list[int]]]] = {}  # classes of what begins, by the pitches
        self._horizons: dict[object, int] = {}  # for each header's fields and body's ground
        self._outside = self._sections[()]
        self._masks: dict[bytes, NDArray[np.float32]] = {}  # those of all sections, each once
        self._rows = 0  # of what is allowed or how far it leads, in all sections

    def __len__(self) -> int:
        """States that are remembered, and places in sections."""
        return len(self._nodes) + len(self._safe) + len(self._distances) + len(self._fillings) + self._rows

    def step(self, state: State, character: str) -> State | None:
        if isinstance(state, Body):
            return body.step(state, character)
        after = header.step(state, character)
        return self.start_body(after) if after and after.done else after

    def start_body(self, after: Header) -> Body | None:
        """The first state of the bars after a header; fields that a faulty one lacks take their usual values."""
        meter = after.meter or METERS["4/4"]
        ground = self._grounds.of(
            meter, after.unit or default_unit(meter), after.sharps, after.fields.request, after.is_swung
        )
        return Body.start(ground) if ground.pitches.endings else None

    # ------------------------------------------------------------------------------------------ what may follow

    def place(self, state: State) -> tuple[Node, Section]:
        """The node of a state and the section around it."""
        inside = alike.place_in_bar(state) if isinstance(state, Body) else None
        if inside is None or not isinstance(state, Body):
            return self._node(state, self._horizon(state)), self._outside
        around = alike.surroundings(state)
        section = self._sections.get(around)
        if section is None:
            section = self._sections.setdefault(around, Section(around, state, self._horizon(state)))
        return self._node(inside), section

    def follow(self, node: Node, section: Section, id_: int) -> tuple[Node, Section]:
        """Where one more character leads, unless `Node.next` says so."""
        after = node.turns.get((section, id_))
        if after is not None:
            return after
        character = self.alphabet[id_]
        if not self.allowed(node, section)[id_]:
            raise ValueError(f"{character!a} is not allowed here")
        stays = section is not self._outside and character not in node.plain.section_characters
        following = self.step(node.state if stays else section.state(node), character)
        assert following is not None  # noqa: S101
        after = (self._node(following), section) if stays else self.place(following)
        if stays or (section is self._outside and after[1] is section):
            node.next[id_] = after[0]
        else:
            node.turns[section, id_] = after
        return after

    def allowed(self, node: Node, section: Section) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V]."""
        row = section.allowed.get(node)
        if row is None:
            row = section.allowed[node] = self._in_section(node, section)
            self._rows += 1
        return row

    def mask(self, node: Node, section: Section) -> NDArray[np.float32]:
        """The same, to be added to logits."""
        mask = section.masks.get(node)
        if mask is None:
            allowed = self.allowed(node, section)
            mask = section.masks[node] = self._masks.setdefault(allowed.tobytes(), as_mask(allowed))
        return mask

    def _in_section(self, node: Node, section: Section) -> NDArray[np.bool_]:
        if section is self._outside or not node.plain.section_characters:
            return node.allowed
        ends = section.ends.get(node.plain)
        if ends is None:
            ends = section.ends[node.plain] = self._ends(node.plain, section)
        row = node.variants.get(ends)
        if row is None:
            row = node.allowed.copy()
            for character, is_allowed in zip(node.plain.section_characters, ends, strict=True):
                if character in self.id_of:
                    row[self.id_of[character]] = is_allowed
            row.flags.writeable = False
            node.variants[ends] = row
        return row

    def _ends(self, node: Node, section: Section) -> tuple[bool, ...]:
        """For each of its characters that depend on the section, whether it is allowed."""
        assert isinstance(node.state, Body)  # noqa: S101
        may_turn = alike.may_turn(node.state, section.opening, section.pickup)
        state = section.state(node) if may_turn else node.state
        return tuple(
            section.takes_symbols and self._is_allowed(node, character)
            if character == '"'
            else may_turn and self._leads_on(state, character)
            for character in node.section_characters
        )

    def _is_allowed(self, node: Node, character: str) -> bool:
        return character in self.id_of and bool(node.allowed[self.id_of[character]])

    def _leads_on(self, state: State, character: str) -> bool:
        following = self.step(state, character)
        return following is not None and self.is_safe(following)

    def _node(self, state: State, horizon: int = 0) -> Node:
        node = self._nodes.get(state)
        if node is None:
            node = self._nodes[state] = Node(state, self._allowed(state), horizon)
            if isinstance(state, Body) and state.at is not At.BAR and (plain := alike.passes_to(state)):
                node.plain = self._node(plain)
        return node

    def _allowed(self, state: State) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V]; inside a bar, in an ordinary section.

        Some are found in a row that is known already: that of the state which this one passes to, say.
        """
        basis: NDArray[np.bool_] | None = None
        if not isinstance(state, Body):
            if (same_text := header.in_any_text(state)) != state:
                return self._node(same_text).allowed
            characters: Iterable[str] = header.candidates(state, self.alphabet)
        elif sibling := alike.sibling(state):
            basis, characters = self._node(sibling[0]).allowed, sibling[1]
        elif (same := alike.in_any_section(state)) and same != state:
            basis, characters = self._node(same).allowed, ':|"'
        elif note := alike.passes_to(state):
            basis, characters = self.allowed(*self.place(note)), alike.own_characters(state)
        else:
            characters = alike.candidates(state)
        row = np.zeros(len(self.alphabet), np.bool_) if basis is None else basis.copy()
        for character, ids in self._classes(state, characters):
            row[ids] = self._leads_on(state, character)
        row.flags.writeable = False
        return row

    def _classes(self, state: State, characters: Iterable[str]) -> Iterable[tuple[str, list[int]]]:
        """One of those characters that are as good here as each other, with the ids of all."""
        if not isinstance(state, Body):
            return self._grouped(characters, partial(header.kind, state))
        if state.at not in FOLLOW or state.tie:
            return self._grouped(characters, partial(alike.stand_in, state))
        classes = self._beginnings.get(state.ground.pitches)
        if classes is None:
            classes = list(self._grouped(characters, partial(alike.stand_in, state)))
            self._beginnings[state.ground.pitches] = classes
        return classes

    def _grouped(self, characters: Iterable[str], kind: Callable[[str], str]) -> Iterable[tuple[str, list[int]]]:
        """The first character of each kind, with the ids of all."""
        groups: dict[str, tuple[str, list[int]]] = {}
        for character in characters:
            if character in self.id_of:
                groups.setdefault(kind(character), (character, []))[1].append(self.id_of[character])
        return groups.values()

    # ------------------------------------------------------------------------------------------ how far the end is

    def is_safe(self, state: State) -> bool:
        """Whether the tune can be ended from here, however long it takes: whether the way out reaches the end."""
        here = alike.essence(state) if isinstance(state, Body) else state
        path: dict[State, None] = {}
        while (is_safe := self._safe.get(here)) is None:
            path[here] = None
            stride = self._stride(here)
            if isinstance(here, Body) and here.at is At.END:
                is_safe = True
                break
            if stride is None:
                is_safe = False
                break
            is_sound = not isinstance(here, Body) or alike.is_sound(here)
            here = alike.essence(stride[1]) if isinstance(stride[1], Body) and is_sound else stride[1]
            if here in path or len(path) > _LONGEST_WALK:
                is_safe = False
                break
        for passed in path:
            self._safe[passed] = is_safe
        return is_safe

    def distance(self, state: State) -> int:
        """Characters to the end by the way out, which is short if not always the shortest.

        Follows it up to the end or a state from which it is known, and so measures every state on the way.
        """
        distance = self._distances.get(state)
        if distance is not None:
            return distance
        path = [(0, state)]
        on_path = {state}
        while distance is None:
            here = path[-1][1]
            stride = self._stretch(here)
            if isinstance(here, Body) and here.at is At.END:
                distance = 0
            elif stride is None or stride[1] in on_path or len(path) > _LONGEST_WALK:
                distance = FAR
            else:
                path.append(stride)
                on_path.add(stride[1])
                distance = self._distances.get(stride[1])
        for count, passed in reversed(path):
            self._distances[passed] = distance
            distance = min(distance + count, FAR)
        return self._distances[state]

    def _stretch(self, state: State) -> tuple[int, State] | None:
        """As much of the way out as is known of all sections: to where the bar may end, or one stride."""
        if isinstance(state, Body) and (place := alike.in_any_section(state)):
            length, number = self._filling(alike.with_pickup(place, state.pickup))
            if length:
                return length, alike.surrounded(self._filled[number], alike.surroundings(state))
        return self._stride(state)

    def _filling(self, place: Body) -> tuple[int, int]:
        """Characters by the way out from a place in a bar to where the bar may end, and the number of that place."""
        path: list[tuple[int, Body]] = []
        here = alike.as_far(place)
        while (known := self._fillings.get(here)) is None:
            stride = None if here.at in FOLLOW and way_out.is_filled(here) else way_out.next_state(here)
            if stride is None:
                known = self._fillings[here] = 0, len(self._filled)
                self._filled.append(here)
                break
            path.append((stride[0], here))
            here = alike.as_far(stride[1])
        length, number = known
        for characters, passed in reversed(path):
            length += characters
            self._fillings[passed] = length, number
        return length, number

    def _stride(self, state: State) -> tuple[int, State] | None:
        if isinstance(state, Body):
            return way_out.next_state(state)
        character = header.next_character(state)
        following = self.step(state, character) if character and character in self.id_of else None
        return (1, following) if following else None

    def _horizon(self, state: State) -> int:
        """Characters within which such a tune can be ended from anywhere."""
        kind = state.ground if isinstance(state, Body) else state.fields
        if kind not in self._horizons:
            start = Body.start(state.ground) if isinstance(state, Body) else Header(state.fields)
            self._horizons[kind] = _DETOUR + 2 * self.distance(start)
        return self._horizons[kind]

    def narrowed_horizon(self, node: Node, section: Section) -> int:
        """The same from such a section, or such a state outside bars; it is shorter the more has been written."""
        of = section if section.horizon else node
        if not of.is_narrow:
            of.is_narrow = True
            of.horizon = min(of.horizon, _DETOUR + 2 * self.distance(section.state(node)))
        return of.horizon

    def distances(self, node: Node, section: Section) -> tuple[NDArray[np.int32], int]:
        """For each character, how far the end is from where it leads, [V], `FAR` where it is not allowed.

        And the farthest of those that are.
        """
        known = section.distances.get(node)
        if known is None:
            allowed = self.allowed(node, section)
            state = section.state(node)
            unknown = np.flatnonzero(allowed).tolist()
            if section is not self._outside:
                distances = self._distances_within_bar(node, section)
                unknown = self._among(unknown, _leaving(node))
            elif isinstance(state, Body) and (plain := alike.passes_to(state)):
                distances = self.distances(*self.place(plain))[0].copy()
                unknown = self._among(unknown, alike.own_characters(state))
            else:
                distances = np.full(len(self.alphabet), FAR, np.int32)
            for character, ids in self._twins(state, unknown):
                following = self.step(state, character)
                if following:
                    distances[ids] = self.distance(following) + _length_of_tie(state, following)
            distances[~allowed] = FAR
            known = section.distances[node] = distances, int(distances[allowed].max(initial=0))
            self._rows += 1
        return known

    def _distances_within_bar(self, node: Node, section: Section) -> NDArray[np.int32]:
        """Those by characters that stay in the bar; any number for the others, [V]."""
        reach = self._reach(node, section.pickup)
        if len(section.rest) < len(self._filled):
            unknown = np.full(len(self._filled) - len(section.rest), -1, np.int32)
            section.rest = np.concatenate((section.rest, unknown))
        for number in reach.filled:
            if section.rest[number] < 0:
                section.rest[number] = self.distance(alike.surrounded(self._filled[number], section.surroundings))
        return reach.length + section.rest[reach.which]

    def _reach(self, node: Node, pickup: int) -> Reach:
        """What of the distances from a place within a bar all sections with such a pickup have in common."""
        reach = node.reach.get(pickup)
        if reach is None:
            assert isinstance(node.state, Body)  # noqa: S101
            place, leaving = alike.with_pickup(node.state, pickup), _leaving(node)
            length, which = np.zeros(len(self.alphabet), np.int16), np.zeros(len(self.alphabet), np.int16)
            unknown = np.flatnonzero(node.allowed).tolist()
            if basis := self._as_good(node):
                length, which, _ = (np.copy(part) for part in self._reach(basis[0], pickup))
                unknown = self._among(unknown, basis[1])
            for character, ids in self._twins(place, unknown):
                following = self.step(place, character) if character not in leaving else None
                if isinstance(following, Body):
                    characters, number = self._filling(following)
                    length[ids] = characters + _length_of_tie(place, following)
                    which[ids] = number
            reach = node.reach[pickup] = Reach(length, which, tuple(set(which.tolist())))
        return reach

    def _as_good(self, node: Node) -> tuple[Node, Iterable[str]] | None:
        """Another place in a bar, from which the way is as long but by the characters that come with it."""
        assert isinstance(node.state, Body)  # noqa: S101
        sibling = alike.sibling(node.state)
        if sibling and sibling[0].slur == node.state.slur:
            return self._node(sibling[0]), sibling[1]
        return (node.plain, alike.own_characters(node.state)) if node.plain is not node else None

    def _among(self, ids: Iterable[int], characters: Iterable[str]) -> list[int]:
        return [id_ for id_ in ids if self.alphabet[id_] in characters]

    def _twins(self, state: State, ids: Iterable[int]) -> Iterable[tuple[str, list[int]]]:
        """One of those characters that differ in sound alone, with the ids of all."""
        characters = [self.alphabet[id_] for id_ in ids]
        return self._grouped(characters, partial(alike.twin, state) if isinstance(state, Body) else str)


def _leaving(node: Node) -> str:
    """The characters after which a place in a bar depends on the section: they lead to a bar line, say."""
    return node.plain.section_characters.replace('"', "")


def _length_of_tie(state: State, following: State) -> int:
    """A new tie is still without its text, which has to be written too."""
    is_new_tie = isinstance(following, Body) and following.tie == body.WILDCARD and following.at is At.GAP
    was_tied = isinstance(state, Body) and bool(state.tie)
    return body.LONGEST_TIE * (is_new_tie and not was_tied)
