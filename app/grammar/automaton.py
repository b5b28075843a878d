"""The ABC automaton: for each state, which characters may come next so that the tune can still be completed.

The rules are in `header`, `body` and `bar_lines`, joined in `specification`. Here their states become the nodes of a
deterministic automaton that is built as it is walked: once a node has been visited, a step is two look-ups. Only states
that can reach the end of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to
Automata Theory"), so there is no dead end.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.abc.pitch import STEPS
from app.grammar import header, state_equivalence
from app.grammar.header import Fields
from app.grammar.request import Request
from app.grammar.specification import FAR, Specification, State
from app.grammar.state import At, Body
from app.grammar.state_cache import Node, Row, Section
from app.grammar.state_equivalence import SECTION_CHARACTERS, Surroundings

_MASKED = np.array([-np.inf, 0], np.float32)  # by whether a character is allowed


def as_mask(allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Allowed characters, [V], as a mask to add to logits: 0 for them and -inf for the others, [V]."""
    return _MASKED.take(allowed)


class Automaton:
    """A deterministic automaton over one vocabulary, built lazily as states are visited."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self.letters = [character.upper() if character.upper() in STEPS else "" for character in alphabet]
        """Of a note, in upper case; by id."""
        self.rules = Specification(alphabet)
        self.fields: dict[Request, Fields] = {}
        """See `Grammar`; of equal requests the same, so that their states are equal."""
        self.endings: dict[object, NDArray[np.float32]] = {}
        """See `Cursor.ending`."""
        self.outside = Section((), 0)
        self._sections: dict[Surroundings, Section] = {(): self.outside}
        self._nodes: dict[State, Node] = {}
        self._rows = 0  # in all sections
        self._masks: dict[bytes, NDArray[np.float32]] = {}  # those of all rows, each once

    def __len__(self) -> int:
        """The number of states and rows that are cached."""
        return len(self.rules) + len(self._nodes) + self._rows + len(self.endings)

    def place(self, state: State) -> tuple[Node, Section]:
        """The node of a state and the section around it."""
        inside = state_equivalence.place_in_bar(state) if isinstance(state, Body) else None
        if inside is None or not isinstance(state, Body):
            return self.node(state), self.outside
        around = state_equivalence.surroundings(state)
        section = self._sections.get(around)
        if section is None:
            section = self._sections.setdefault(around, Section(around, state.pickup))
        return self.node(inside), section

    def follow(self, node: Node, section: Section, id_: int) -> tuple[Node, Section]:
        """Where one more character leads; for those that are not in `Node.next`."""
        after = node.turns.get((section, id_))
        if after is not None:
            return after
        character = self.alphabet[id_]
        if self.row(node, section).mask[id_]:
            raise ValueError(f"{character!a} is not allowed here")
        stays = section is not self.outside and id_ not in node.section_ids
        following = self.rules.step(node.state if stays else section.state(node), character)
        assert following is not None  # noqa: S101
        after = (self.node(following), section) if stays else self.place(following)
        if stays or (section is self.outside and after[1] is section):
            node.next[id_] = after[0]
        else:
            node.turns[section, id_] = after
        return after

    def row(self, node: Node, section: Section) -> Row:
        """What is known of a node in a section."""
        row = section.rows.get(node)
        if row is None:
            row = Row(self.shared(as_mask(self.allowed(node, section))))
            if np.isfinite(row.mask).any():  # a dead end, which some start strings lead to, is looked at each time
                section.rows[node] = row
                self._rows += 1
        return row

    def shared(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """An equal mask that is kept already, or this one from now on, [V]."""
        return self._masks.setdefault(mask.tobytes(), mask)

    def allowed(self, node: Node, section: Section) -> NDArray[np.bool_]:
        """The characters after which the tune can still be completed, [V]."""
        ids = node.section_ids
        if section is self.outside or not ids:
            return node.allowed
        row = node.allowed.copy()
        if node.plain:
            row[ids] = self.row(node.plain, section).mask[ids] == 0
        else:
            row[ids] = [self._leads_on(section.state(node), self.alphabet[id_]) for id_ in ids]
        return row

    def closing(self, state: Body, parts_left: int) -> NDArray[np.float32]:
        """0 for the characters after which the part can end with this bar, and so many others follow, [V]."""
        mask = np.full(len(self.alphabet), -np.inf, np.float32)
        for last in self.rules.in_last_bar(state, parts_left):
            np.maximum(mask, self.row(*self.place(last)).mask, out=mask)
        return mask

    def distances(self, node: Node, section: Section) -> NDArray[np.int32]:
        """How far the end is from where each character leads, [V]; `FAR` where it is not allowed."""
        row = self.row(node, section)
        if row.distances is None:
            row.distances = self._distances(node, section)
            row.farthest = int(row.distances[row.mask == 0].max(initial=0))
        return row.distances

    def _distances(self, node: Node, section: Section) -> NDArray[np.int32]:
        allowed, state = self.allowed(node, section), section.state(node)
        unknown: Iterable[str] = [self.alphabet[id_] for id_ in np.flatnonzero(allowed).tolist()]
        distances = np.full(len(self.alphabet), FAR, np.int32)
        if isinstance(state, Body) and (plain := state_equivalence.passes_to(state)):
            distances = self.distances(*self.place(plain)).copy()
            unknown = set(unknown).intersection(state_equivalence.own_characters(state))
        for character, ids in self._twins(state, unknown):
            distances[ids] = self.rules.distance_after(state, character)
        distances[~allowed] = FAR
        return distances

    def node(self, state: State) -> Node:
        """The node of a whole state, or of a place in a bar."""
        node = self._nodes.get(state)
        if node is None:
            passed = state_equivalence.passes_to(state) if isinstance(state, Body) and state.at is not At.BAR else None
            plain = self.node(passed) if passed else None
            ids = plain.section_ids if plain else self._section_ids(state)
            node = self._nodes.setdefault(state, Node(state, self._allowed(state), plain, ids))
        return node

    def _section_ids(self, state: State) -> list[int]:
        characters = SECTION_CHARACTERS.get(state.at, "") if isinstance(state, Body) else ""
        return [self.id_of[character] for character in characters if character in self.id_of]

    def _allowed(self, state: State) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V]; inside a bar, in an ordinary section.

        Some are found in a row that is known already: that of the state which this one passes to, say.
        """
        row = np.zeros(len(self.alphabet), np.bool_)
        if not isinstance(state, Body):
            if (same_text := header.in_any_text(state)) != state:
                return self.node(same_text).allowed
            characters: Iterable[str] = header.candidates(state)
        elif passed := state_equivalence.passes_to(state):
            row[:] = self.allowed(*self.place(passed))
            characters = state_equivalence.own_characters(state)
        else:
            characters = state_equivalence.candidates(state)
        for character, ids in self._twins(state, characters):
            row[ids] = self._leads_on(state, character)
        row.flags.writeable = False
        return row

    def _leads_on(self, state: State, character: str) -> bool:
        following = self.rules.step(state, character)
        return following is not None and self.rules.is_safe(following)

    def _twins(self, state: State, characters: Iterable[str]) -> Iterable[tuple[str, list[int]]]:
        """Characters after which the tune goes on alike: one of each kind, with the ids of all."""
        groups: dict[str, tuple[str, list[int]]] = {}
        for character in characters:
            if character in self.id_of:
                kind = state_equivalence.twin(state, character) if isinstance(state, Body) else character
                groups.setdefault(kind, (character, []))[1].append(self.id_of[character])
        return groups.values()
