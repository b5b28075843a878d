"""The ABC automaton: at each character, which characters may come next so that the tune ends as a proper one.

The rules are in `header`, `body` and `sections`. Here their states become the nodes of a deterministic automaton
that is built as it is walked: once a node has been visited, a step is two look-ups. Only states that can reach the end
of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to Automata Theory"), so there
is no dead end. Near the end of a limited length, only those remain from which the tune can still be ended in time.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from app.errors import Fault, RequestError, VocabularyError
from app.grammar import body, header, way_out
from app.grammar.ground import Grounds
from app.grammar.header import Fields, Header
from app.grammar.meter import METERS, default_unit
from app.grammar.request import Request
from app.grammar.situation import At, Body
from app.grammar.start_string import TIED_TEXT, Reader
from model_store.vocabulary import Vocabulary

State = Header | Body

MAX_STATES = 200_000
"""States remembered before all are forgotten and learnt anew; some 0.6 KiB each."""

MAX_LINE = 400
"""Characters after which a line of notes is broken at the next bar line."""

_FAR = 1 << 20  # characters: no end within reach
_DETOUR = 100  # characters that the way to the end may be longer from the middle of something, besides twice the way
_LONGEST_WALK = 5000  # strides
_SPELLED = (At.SYMBOL, At.GRACED_SYMBOL)  # places where letters are no pitches
_NEEDED = "XMLK:1/\n|"
_RECENT = 40  # characters; a chord and its length are shorter


class Node:
    """A state that has been visited: what may follow, and where it led when it did."""

    __slots__ = ("allowed", "distances", "farthest", "horizon", "is_end", "is_turn", "may_break", "next", "state")

    def __init__(self, state: State, allowed: NDArray[np.bool_], horizon: int) -> None:
        self.state = state
        self.allowed = allowed  # [V]
        self.next: dict[int, Node] = {}  # by id, those that have been taken
        self.distances: NDArray[np.int32] | None = None  # [V]: from where each character leads, to the end
        self.farthest = 0  # the largest of them
        self.horizon = horizon  # characters to go from which on the distances matter
        self.is_end = isinstance(state, Body) and state.at is At.END
        self.may_break = isinstance(state, Body) and state.at in (At.BAR, At.BAR_LINE)
        self.is_turn = isinstance(state, Body) and (state.at in (At.LINE, At.END) or state.tie == body.WILDCARD)


class Automaton:
    """The states that have been visited, built as they are."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self._nodes: dict[State, Node] = {}
        self._distances: dict[State, int] = {}
        self._grounds = Grounds(alphabet)
        self._id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self._section_ids = [self._id_of[c] for c in body.SECTION_CHARACTERS if c in self._id_of]
        self._alike: dict[object, dict[str, list[int]]] = {}  # for each set of pitches
        self._horizons: dict[object, int] = {}  # for each header's fields and body's ground
        self._musical = [character for character in alphabet if character in body.CHARACTERS]

    def __len__(self) -> int:
        """States that are remembered."""
        return len(self._nodes) + len(self._distances)

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

    def node(self, state: State) -> Node:
        node = self._nodes.get(state)
        if node is None:
            node = self._nodes[state] = Node(state, self._allowed(state), self._horizon(state))
        return node

    def follow(self, node: Node, id_: int) -> Node:
        """The node after one more character, for the first time."""
        following = self.step(node.state, self.alphabet[id_])
        if following is None or not node.allowed[id_]:
            raise ValueError(f"{self.alphabet[id_]!a} is not allowed here")
        node.next[id_] = self.node(following)
        return node.next[id_]

    def _allowed(self, state: State) -> NDArray[np.bool_]:
        """The characters that lead to where the end can be reached, [V].

        Most are found in a row that is known already: that of the same place in a bar of any section, or that of the
        state which this one passes to.
        """
        characters: Iterable[str] = self._musical
        basis: State | None = None
        if not isinstance(state, Body):
            if (same_text := header.in_any_text(state)) != state:
                return self.node(same_text).allowed
            characters = header.candidates(state, self.alphabet)
        elif (same := body.in_any_section(state)) and same != state:
            basis, characters = same, body.SECTION_CHARACTERS
            if note := body.passes_to(state):
                return self._with_section(self.node(same).allowed, self.node(note).allowed)
        elif basis := body.passes_to(state):
            characters = body.own_characters(state)
        row = self.node(basis).allowed.copy() if basis else np.zeros(len(self.alphabet), np.bool_)
        for character, ids in self._classes(state, characters):
            following = self.step(state, character)
            row[ids] = following is not None and self.is_safe(following)
        row.flags.writeable = False
        return row

    def _with_section(self, row: NDArray[np.bool_], of_section: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """A row with what depends on the section from another; itself if it has that already."""
        ids = self._section_ids
        if (row[ids] == of_section[ids]).all():
            return row
        row = row.copy()
        row[ids] = of_section[ids]
        row.flags.writeable = False
        return row

    def _classes(self, state: State, characters: Iterable[str]) -> Iterable[tuple[str, list[int]]]:
        """One of those characters that are as good here as each other, with the ids of all: most letters differ in
        sound alone."""
        if not isinstance(state, Body) or state.tie or state.at in _SPELLED:
            return ((character, [self._id_of[character]]) for character in characters if character in self._id_of)
        of_all = self._alike.get(state.ground.pitches)
        if of_all is None:
            of_all = self._alike[state.ground.pitches] = {}
            for character in self._musical:
                stand_in = state.ground.alike.get(character, character)
                of_all.setdefault(stand_in, []).append(self._id_of[character])
        if characters is self._musical:
            return of_all.items()
        stand_ins = {state.ground.alike.get(character, character) for character in characters}
        return ((stand_in, of_all[stand_in]) for stand_in in stand_ins if stand_in in of_all)

    # ------------------------------------------------------------------------------------------ how far the end is

    def is_safe(self, state: State) -> bool:
        """Whether the tune can be ended from here, however long it takes."""
        return self.distance(body.essence(state) if isinstance(state, Body) else state) < _FAR

    def distance(self, state: State) -> int:
        """Characters to the end by the way out, which is short if not always the shortest.

        Follows it up to the end or a state from which it is known, and so measures every state on the way.
        """
        path = [(0, state)]
        on_path = {state}
        distance = self._distances.get(state)
        while distance is None:
            here = path[-1][1]
            stride = self._stride(here)
            if isinstance(here, Body) and here.at is At.END:
                distance = 0
            elif stride is None or stride[1] in on_path or len(path) > _LONGEST_WALK:
                distance = _FAR
            else:
                path.append(stride)
                on_path.add(stride[1])
                distance = self._distances.get(stride[1])
        for count, passed in reversed(path):
            self._distances[passed] = distance
            distance = min(distance + count, _FAR)
        return self._distances[state]

    def _stride(self, state: State) -> tuple[int, State] | None:
        if isinstance(state, Body):
            return way_out.next_state(state)
        character = header.next_character(state)
        following = self.step(state, character) if character and character in self._id_of else None
        return (1, following) if following else None

    def _horizon(self, state: State) -> int:
        """Characters within which such a tune can be ended from anywhere."""
        kind = state.ground if isinstance(state, Body) else state.fields
        if kind not in self._horizons:
            start = Body.start(state.ground) if isinstance(state, Body) else Header(state.fields)
            self._horizons[kind] = _DETOUR + 2 * self.distance(start)
        return self._horizons[kind]

    def distances(self, node: Node) -> NDArray[np.int32]:
        """For each character, how far the end is from where it leads, [V]; `_FAR` where it is not allowed."""
        if node.distances is None:
            node.distances = np.full(len(self.alphabet), _FAR, np.int32)
            state = node.state
            characters = self._musical if isinstance(state, Body) else header.candidates(state, self.alphabet)
            for character, ids in self._classes(node.state, characters):
                following = self.step(node.state, character) if node.allowed[ids[0]] else None
                if following:
                    node.distances[ids] = self._distance_after(node.state, following)
            node.farthest = int(node.distances[node.allowed].max())
        return node.distances

    def _distance_after(self, state: State, following: State) -> int:
        """A new tie is still without its text, which has to be written too."""
        is_new_tie = isinstance(following, Body) and following.tie == body.WILDCARD and following.at is At.GAP
        was_tied = isinstance(state, Body) and bool(state.tie)
        return self.distance(following) + body.LONGEST_TIE * (is_new_tie and not was_tied)


class Grammar:
    """The automaton of one model. What it learns from one sequence serves all others.

    Raises:
        VocabularyError: the vocabulary lacks a character that no tune can do without. Where it lacks others, what is
            written with them (tuplets, say) never is.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._automaton = Automaton(vocabulary.characters)
        self._anything = Fields.of(vocabulary.characters, Request())
        self._fields = {Request(): self._anything}
        if not self._automaton.is_safe(Header(self._anything)):
            lacking = "".join(c for c in _NEEDED if c not in vocabulary.characters)
            raise VocabularyError(
                f"the model's characters cannot write a whole tune; {lacking!a} are lacking"
                if lacking
                else "the model's characters cannot write a whole tune: no unit length, key or note"
            )

    def begin(
        self, start_string: str = "", request: Request | None = None, length: int | None = None, tunes: int | None = 1
    ) -> "Cursor":
        """A cursor at the end of a start string; its characters are in the vocabulary.

        Args:
            request: holds for what the start string leaves open.
            length: characters that may be added; None: any number.
            tunes: after so many `Cursor.advance` says that it is done; None: never.

        Raises:
            RequestError: what is asked for cannot be written with these characters, or has no notes.
        """
        if len(self._automaton) > MAX_STATES:
            self._automaton = Automaton(self._vocabulary.characters)
            self._fields = {Request(): self._anything}
        fields = self._fields_of(request or Request())
        reader = Reader(fields, self._anything, self._automaton.start_body, self._automaton.is_safe)
        reader.read(start_string)
        recent = self._vocabulary.encode(start_string[-_RECENT:]).tolist()
        return Cursor(self._automaton, reader, recent, length, tunes)

    def open(self, request: Request) -> tuple[Automaton, Reader, Fields]:
        """For those who read a text piece by piece: the automaton, a reader of any tune, and a request's own fields.

        Raises:
            RequestError: what is asked for cannot be written with these characters, or has no notes.
        """
        reader = Reader(self._anything, self._anything, self._automaton.start_body, self._automaton.is_safe)
        return self._automaton, reader, self._fields_of(request)

    def faults(self, text: str) -> tuple[Fault, ...]:
        """What the grammar finds wrong with a text."""
        return self.begin(text).faults

    def _fields_of(self, request: Request) -> Fields:
        if request not in self._fields:
            fields = Fields.of(self._vocabulary.characters, request)
            if not self._automaton.is_safe(Header(fields)):
                raise RequestError("no tune with this key, metre, rhythm, range and form can be written by this model")
            self._fields[request] = fields
        return self._fields[request]


class Cursor:
    """Where one sequence stands in the automaton.

    `faults` are those of its start string; `finished` counts the tunes that ended since.
    """

    def __init__(
        self, automaton: Automaton, reader: Reader, recent: list[int], length: int | None, tunes: int | None
    ) -> None:
        self.faults = tuple(reader.faults)
        self.finished = 0
        self._automaton = automaton
        self._next_tune = Header(reader.fields)
        self._written = 0
        self._limit = length if length is not None else _FAR
        self._tunes = tunes
        self._recent = recent
        self._node = automaton.node(reader.state)
        self._line_break = automaton.alphabet.index("\n")
        self._line_began = 0
        self._watched_from = self._watch_from()
        self.allowed = self._allowed()
        """The characters that may come next, [V] bool; at least one."""

    def _watch_from(self) -> int:
        """How much of this line may be written before the ends of line and text are looked at."""
        return min(self._line_began + MAX_LINE + 1, self._limit - self._node.horizon)

    def _allowed(self) -> NDArray[np.bool_]:
        node, remaining = self._node, self._limit - self._written
        allowed = node.allowed if remaining > node.horizon else self._in_time(node, remaining)
        if self._written - self._line_began > MAX_LINE and node.may_break and allowed[self._line_break]:
            return self._only(self._line_break)
        return allowed

    def _in_time(self, node: Node, remaining: int) -> NDArray[np.bool_]:
        """Those from which the tune can be ended within what remains; all, where it cannot be any more."""
        distances = self._automaton.distances(node)
        if node.farthest < remaining:
            return node.allowed
        in_time = distances < remaining
        return in_time if in_time.any() else node.allowed

    def _only(self, id_: int) -> NDArray[np.bool_]:
        only = np.zeros_like(self._node.allowed)
        only[id_] = True
        return only

    def advance(self, id_: int) -> bool:
        """Take the next character; True if it ends the last tune that was asked for.

        Raises:
            ValueError: it is not allowed.
        """
        node = self._node.next.get(id_) or self._automaton.follow(self._node, id_)
        self._written += 1
        self._recent.append(id_)
        self._node = node
        is_done = node.is_turn and self._turn(node)
        self.allowed = self._node.allowed if self._written < self._watched_from else self._allowed()
        return is_done

    def _turn(self, node: Node) -> bool:
        """Take note of a line's or a tune's end, or of a tie's beginning; True at the end of the last tune."""
        if node.is_end:
            self._recent.clear()
            self.finished += 1
            self._node = self._automaton.node(self._next_tune)
        elif isinstance(node.state, Body) and node.state.tie == body.WILDCARD:
            self._node = self._with_tie(node.state)
        else:
            self._line_began = self._written
        self._watched_from = self._watch_from()
        return node.is_end and self.finished == self._tunes

    def _with_tie(self, state: Body) -> Node:
        """The same, now that the tied note is known from the text."""
        text = "".join(self._automaton.alphabet[id_] for id_ in self._recent[-_RECENT:])
        tied = TIED_TEXT.search(text)
        assert tied  # noqa: S101  # the automaton ties nothing but notes and chords
        return self._automaton.node(state._replace(tie=tied[1]))
