"""The ABC automaton: at each character, which characters may come next so that the tune ends as a proper one.

The rules are in app.header, app.body and app.sections. Here their states become the nodes of a deterministic automaton
that is built as it is walked: once a node's rows are known, a step is two look-ups. Only states that can reach the end
of a tune are entered (the automaton is trim: Hopcroft, Motwani and Ullman, "Introduction to Automata Theory"), so there
is no dead end; and each node knows a number of characters in which the tune can be ended from there, so that a limited
length is kept.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from app import body, header, way_out
from app.errors import RequestError, VocabularyError
from app.ground import Grounds
from app.header import Fields, Header
from app.meter import METERS, default_unit
from app.request import Request
from app.situation import At, Body
from app.start_string import TIED_TEXT, Reader
from model_store.vocabulary import Vocabulary

State = Header | Body

MAX_NODES = 100_000
"""Nodes kept before all are forgotten; some 2 KiB each where they were visited."""

MAX_LINE = 400
"""Characters after which a line of notes is broken at the next bar line."""

_FAR = 1 << 20  # no end within reach
_LONGEST_WALK = 5000
_SPELLED = (At.SYMBOL, At.GRACED_SYMBOL)  # places where letters are no pitches


_NEEDED = "XMLK:1/\n|"
_RECENT = 40  # characters; a chord and its length are shorter


class Node:
    """A state of the automaton and, once it has been visited, what may follow."""

    __slots__ = ("allowed", "distance", "distances", "farthest", "is_end", "may_break", "next", "state")

    def __init__(self, state: State) -> None:
        self.state = state
        self.is_end = isinstance(state, Body) and state.at is At.END
        self.distance = 0  # characters to the nearest end, by the way out
        self.allowed: NDArray[np.bool_] | None = None  # [V]
        self.distances: NDArray[np.int32]  # [V], of the node that each character leads to
        self.farthest = 0  # the largest of them that is allowed
        self.next: list[Node | None]  # [V]
        self.may_break = False


class Automaton:
    """The states that have been met, and the rows of those that have been visited."""

    def __init__(self, alphabet: str) -> None:
        self.alphabet = alphabet
        self.nodes: dict[State, Node] = {}
        self._grounds = Grounds(alphabet)
        self._id_of = {character: id_ for id_, character in enumerate(alphabet)}
        self._musical = [character for character in alphabet if character in body.CHARACTERS]

    def step(self, state: State, character: str) -> State | None:
        if isinstance(state, Body):
            return body.step(state, character)
        after = header.step(state, character)
        return self.start_body(after) if after and after.done else after

    def start_body(self, after: Header) -> Body | None:
        """The first state of the bars after a header; fields that a faulty one lacks take their usual values."""
        meter = after.meter or METERS["4/4"]
        ground = self._grounds.of(meter, after.unit or default_unit(meter), after.sharps, after.fields.request)
        return Body.start(ground) if ground.pitches.endings else None

    def node(self, state: State) -> Node | None:
        """The node of a state; None if no end can be reached from there."""
        node = self.nodes.get(state) or self._walk_to_end(state)
        return node if node.distance < _FAR else None

    def is_safe(self, state: State) -> bool:
        return self.node(state) is not None

    def _walk_to_end(self, state: State) -> Node:
        """Follow the way out up to the end or a node whose distance is known, and so measure all on the way."""
        path = [(0, Node(state))]
        on_path = {state}
        distance = 0 if path[0][1].is_end else None
        while distance is None:
            stride = self._way_out(path[-1][1].state)
            if stride is None or stride[1] in on_path or len(path) > _LONGEST_WALK:
                distance = _FAR
                break
            count, following = stride
            known = self.nodes.get(following)
            node = known or Node(following)
            path.append((count, node))
            on_path.add(following)
            if known or node.is_end:
                distance = node.distance
        for count, node in reversed(path):
            node.distance = distance
            self.nodes[node.state] = node
            distance = min(distance + count, _FAR)
        return path[0][1]

    def _way_out(self, state: State) -> tuple[int, State] | None:
        if isinstance(state, Body):
            return way_out.next_state(state)
        character = header.next_character(state)
        following = self.step(state, character) if character and character in self.alphabet else None
        return (1, following) if following else None

    def expand(self, node: Node) -> NDArray[np.bool_]:
        """Fill in what may follow a node; answer the characters, [V]."""
        state = node.state
        inherited = body.passes_to(state) if isinstance(state, Body) else None
        base = inherited and self.node(inherited)
        if base:
            if base.allowed is None:
                self.expand(base)
            node.next, node.distances = base.next.copy(), base.distances.copy()
        else:
            node.next, node.distances = [None] * len(self.alphabet), np.full(len(self.alphabet), _FAR, np.int32)
        for id_, successor, distance in self._successors(state, own_only=base is not None):
            node.next[id_] = successor
            node.distances[id_] = distance
        node.allowed = node.distances < _FAR
        node.allowed.flags.writeable = False
        node.farthest = int(node.distances[node.allowed].max(initial=0))
        node.may_break = isinstance(state, Body) and state.at in (At.BAR, At.BAR_LINE)
        return node.allowed

    def _successors(self, state: State, own_only: bool) -> Iterator[tuple[int, Node | None, int]]:
        """For each character that matters: its id, the node it leads to and the way from there to the end."""
        if not isinstance(state, Body):
            characters: Iterable[str] = self.alphabet
        else:
            characters = body.own_characters(state) if own_only else self._musical
        alike = state.ground.alike if isinstance(state, Body) and not state.tie and state.at not in _SPELLED else {}
        found: dict[str, Node | None] = {}
        for character in characters:
            if character not in self._id_of:
                continue
            stand_in = alike.get(character, character)
            if stand_in not in found:
                following = self.step(state, stand_in)
                found[stand_in] = self.node(following) if following else None
            successor = found[stand_in]
            if successor:
                is_new_tie = character == "-" and getattr(successor.state, "tie", "") == body.WILDCARD
                yield self._id_of[character], successor, successor.distance + body.LONGEST_TIE * is_new_tie
            elif own_only:
                yield self._id_of[character], None, _FAR


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
            raise VocabularyError(f"no whole tune can be written without the characters {lacking!a}")

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
        if len(self._automaton.nodes) > MAX_NODES:
            self._automaton = Automaton(self._vocabulary.characters)
            self._fields = {Request(): self._anything}
        fields = self._fields_of(request or Request())
        reader = Reader(fields, self._anything, self._automaton.start_body, self._automaton.is_safe)
        reader.read(start_string)
        recent = self._vocabulary.encode(start_string[-_RECENT:]).tolist()
        return Cursor(self._automaton, fields, reader, recent, length, tunes)

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
        self, rules: Automaton, fields: Fields, reader: Reader, recent: list[int], length: int | None, tunes: int | None
    ) -> None:
        self.faults = tuple(reader.faults)
        self.finished = 0
        self._rules = rules
        self._fields = fields
        self._left = length if length is not None else 1 << 30
        self._tunes = tunes
        self._recent = recent
        node = rules.node(reader.state)
        assert node, reader.state
        self._node = node
        self._break = rules.alphabet.find("\n")
        self._column = 0

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """The characters that may come next, [V] bool; never empty."""
        node = self._node
        allowed = node.allowed
        if allowed is None:
            allowed = self._rules.expand(node)
        if node.farthest >= self._left and node.distance <= self._left:
            return node.distances < self._left
        if node.may_break and self._column > MAX_LINE and node.next[self._break]:
            only = np.zeros_like(allowed)
            only[self._break] = True
            return only
        return allowed

    def advance(self, id_: int) -> bool:
        """Take the next character; True if it ends the last tune that was asked for."""
        node = self._node.next[id_]
        assert node
        self._left -= 1
        self._recent.append(id_)
        self._column += 1
        state = node.state
        if type(state) is Body:
            if state.tie == body.WILDCARD:
                node = self._tie(state)
            elif state.at is At.LINE:
                self._column = 0
            elif node.is_end:
                self.finished += 1
                self._recent.clear()
                node = self._rules.node(Header(self._fields))
                assert node
                self._node = node
                return self.finished == self._tunes
        self._node = node
        return False

    def _tie(self, state: Body) -> Node:
        text = "".join(self._rules.alphabet[i] for i in self._recent[-_RECENT:])
        match = TIED_TEXT.search(text)
        assert match
        node = self._rules.node(state._replace(tie=match[1]))
        assert node, (state, match[1], text)
        return node
