"""The ABC automaton: for each state, which characters may come next so that the tune can still be completed.

The rules are in `header`, `body` and `bar_lines`. Here their states become the nodes of a deterministic automaton
that is built as it is walked: once a node has been visited, a step is two look-ups. Only states that can reach the end
of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to Automata Theory"), so there
is no dead end. Near the end of a limited length, only those remain from which the tune can still be ended in time.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.abc.pitch import STEPS
from app.grammar import body, closing_path, header, state_equivalence
from app.grammar.header import Header
from app.grammar.state import At, Body
from app.grammar.state_cache import Node, Section, State
from app.grammar.state_equivalence import Surroundings
from app.grammar.ticks import METERS
from app.grammar.tune_context import TuneContexts

_MASKED = np.array([-np.inf, 0], np.float32)  # by whether a character is allowed


def as_mask(allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Allowed characters, [V], as a mask to add to logits: 0 for them and -inf for the others, [V]."""
    return _MASKED.take(allowed)


class Automaton:
    """A deterministic automaton over one vocabulary, built lazily as states are visited."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self._nodes: dict[State, Node] = {}
        self._sections: dict[Surroundings, Section] = {(): Section((), None)}
        self._safe: dict[State, bool] = {}  # by `_reduced`
        self._contexts = TuneContexts(alphabet)
        self.id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self.letters = [character.upper() if character.upper() in STEPS else "" for character in alphabet]
        """Of a note, in upper case; by id."""
        self.outside = self._sections[()]
        self._masks: dict[bytes, NDArray[np.float32]] = {}  # those of all sections, each once
        self._rows = 0  # in all sections
        self.endings: dict[object, NDArray[np.float32]] = {}
        """See `Cursor.ending`."""

    def __len__(self) -> int:
        """The number of states and of rows in sections that are cached."""
        return len(self._nodes) + len(self._safe) + len(self.endings) + self._rows

    def step(self, state: State, character: str) -> State | None:
        if isinstance(state, Body):
            return body.step(state, character)
        after = header.step(state, character)
        return self.start_body(after) if after and after.done else after

    def start_body(self, after: Header) -> Body | None:
        """The first state of the bars after a header; fields that a faulty one lacks take their usual values."""
        meter = after.meter or METERS["4/4"]
        context = self._contexts.of(
            meter, after.unit or meter.default_unit, after.sharps, after.fields.request, after.is_swung
        )
        return Body.start(context) if context.pitches.endings else None

    # ------------------------------------------------------------------------------------------ what may follow

    def place(self, state: State) -> tuple[Node, Section]:
        """The node of a state and the section around it."""
        inside = state_equivalence.place_in_bar(state) if isinstance(state, Body) else None
        if inside is None or not isinstance(state, Body):
            return self.node(state), self.outside
        around = state_equivalence.surroundings(state)
        section = self._sections.get(around)
        if section is None:
            section = self._sections.setdefault(around, Section(around, state))
        return self.node(inside), section

    def follow(self, node: Node, section: Section, id_: int) -> tuple[Node, Section]:
        """Where one more character leads; for those that are not in `Node.next`."""
        after = node.turns.get((section, id_))
        if after is not None:
            return after
        character = self.alphabet[id_]
        if self.mask(node, section)[id_]:
            raise ValueError(f"{character!a} is not allowed here")
        stays = section is not self.outside and character not in node.plain.section_characters
        following = self.step(node.state if stays else section.state(node), character)
        assert following is not None  # noqa: S101
        after = (self.node(following), section) if stays else self.place(following)
        if stays or (section is self.outside and after[1] is section):
            node.next[id_] = after[0]
        else:
            node.turns[section, id_] = after
        return after

    def mask(self, node: Node, section: Section) -> NDArray[np.float32]:
        """0 for the characters after which the tune can still be completed, -inf for the others, [V]."""
        mask = section.masks.get(node)
        if mask is None:
            mask = section.masks[node] = self.shared(as_mask(self.allowed(node, section)))
            self._rows += 1
        return mask

    def shared(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """An equal mask that is kept already, or this one from now on, [V]."""
        return self._masks.setdefault(mask.tobytes(), mask)

    def allowed(self, node: Node, section: Section) -> NDArray[np.bool_]:
        """The characters after which the tune can still be completed, [V]."""
        if section is self.outside or not node.plain.section_characters:
            return node.allowed
        ends = section.ends.get(node.plain)
        if ends is None:
            ends = section.ends[node.plain] = self._ends(node.plain, section)
        row = node.allowed.copy()
        for character, is_allowed in zip(node.plain.section_characters, ends, strict=True):
            if character in self.id_of:
                row[self.id_of[character]] = is_allowed
        return row

    def _ends(self, node: Node, section: Section) -> tuple[bool, ...]:
        """For each of its characters that depend on the section, whether it is allowed."""
        assert isinstance(node.state, Body)  # noqa: S101
        may_end_bar = state_equivalence.may_end_bar(node.state, section.opening, section.pickup)
        state = section.state(node) if may_end_bar else node.state
        return tuple(
            section.takes_symbols and self._is_allowed(node, character)
            if character == '"'
            else may_end_bar and self._leads_on(state, character)
            for character in node.section_characters
        )

    def _is_allowed(self, node: Node, character: str) -> bool:
        return character in self.id_of and bool(node.allowed[self.id_of[character]])

    def _leads_on(self, state: State, character: str) -> bool:
        following = self.step(state, character)
        return following is not None and self.is_safe(following)

    def node(self, state: State) -> Node:
        node = self._nodes.get(state)
        if node is None:
            passed = state_equivalence.passes_to(state) if isinstance(state, Body) and state.at is not At.BAR else None
            plain = self.node(passed) if passed else None
            node = self._nodes.setdefault(state, Node(state, self._allowed(state), plain))
        return node

    def _allowed(self, state: State) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V]; inside a bar, in an ordinary section.

        Some are found in a row that is known already: that of the state which this one passes to, say.
        """
        basis: NDArray[np.bool_] | None = None
        if not isinstance(state, Body):
            if (same_text := header.in_any_text(state)) != state:
                return self.node(same_text).allowed
            characters: Iterable[str] = header.candidates(state)
        elif (same := state_equivalence.in_any_section(state)) and same != state:
            basis, characters = self.node(same).allowed, ':|"'
        elif note := state_equivalence.passes_to(state):
            basis, characters = self.allowed(*self.place(note)), state_equivalence.own_characters(state)
        else:
            characters = state_equivalence.candidates(state)
        row = np.zeros(len(self.alphabet), np.bool_) if basis is None else basis.copy()
        for character, ids in self.twins(state, characters):
            row[ids] = self._leads_on(state, character)
        row.flags.writeable = False
        return row

    def twins(self, state: State, characters: Iterable[str]) -> Iterable[tuple[str, list[int]]]:
        """Characters after which the tune goes on alike: one of each kind, with the ids of all."""
        groups: dict[str, tuple[str, list[int]]] = {}
        for character in characters:
            if character in self.id_of:
                kind = state_equivalence.twin(state, character) if isinstance(state, Body) else character
                groups.setdefault(kind, (character, []))[1].append(self.id_of[character])
        return groups.values()

    # ------------------------------------------------------------------------------------------ the closing path

    def is_safe(self, state: State) -> bool:
        """Whether the tune can be ended from here, however long it takes: whether the closing path reaches the end."""
        here = _reduced(state)
        path: dict[State, None] = {}
        while (is_safe := self._safe.get(here)) is None:
            path[here] = None
            stride = self.stride(here)
            if isinstance(here, Body) and here.at is At.END:
                is_safe = True
                break
            if stride is None:
                is_safe = False
                break
            can_keep_form = not isinstance(here, Body) or state_equivalence.can_keep_form(here)
            here = _reduced(stride[1]) if can_keep_form else stride[1]
            if here in path or len(path) > closing_path.LONGEST_WALK:
                is_safe = False
                break
        for passed in path:
            self._safe[passed] = is_safe
        return is_safe

    def stride(self, state: State) -> tuple[int, State] | None:
        """One stride of the closing path: its length in characters and where it leads; None where there is none."""
        if isinstance(state, Body):
            return closing_path.next_state(state)
        character = header.next_character(state)
        following = self.step(state, character) if character and character in self.id_of else None
        return (1, following) if following else None


def _reduced(state: State) -> State:
    """A state from which the tune can be ended if, and only if, it can from this one."""
    if isinstance(state, Body):
        return state_equivalence.place_in_bar(state) or state
    return header.after_title(state) or state
