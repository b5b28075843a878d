"""The position of one sequence in the automaton: its mask, and where each next character leads."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from app.abc.pitch import STEPS
from app.grammar import body, cadence
from app.grammar.automaton import Automaton, Node, as_mask
from app.grammar.header import DRAWN_FIELDS, Header
from app.grammar.prefix_parser import TIED_TEXT, PrefixParser
from app.grammar.specification import FAR
from app.grammar.state import At, Body

MAX_LINE = 400
"""Characters after which a line of notes is broken at the next bar line."""

_NOTE = 8  # characters; the letter of the note that is being written is among the last ones

RECENT = 100
"""Characters that are remembered; a chord and its length are shorter, and so is a title with its field."""

DrawnHeader = Callable[[int, str], str]
"""Gives how a header goes on from where its title has ended, or the start string after that; empty: it is left open.

It is told how many tunes have ended, and the text before, of which the header so far is the end."""


class Cursor:
    """The position of one sequence in the automaton.

    `faults` are those of its start string; `finished` counts the tunes that have ended since.
    """

    def __init__(
        self,
        automaton: Automaton,
        reader: PrefixParser,
        recent: list[int],
        length: int | None,
        tunes: int | None,
        headers: DrawnHeader | None = None,
    ) -> None:
        self.faults = tuple(reader.faults)
        self.finished = 0
        self._automaton = automaton
        self._next_tune = Header(reader.fields)
        self._written = 0
        self._limit = length if length is not None else FAR
        self._tunes = tunes
        self._recent = recent
        self._node = automaton.node(reader.state)
        self._line_break = automaton.id_of["\n"]
        self._line_began = 0
        self._watched_from = self._watch_from()
        self._headers = headers
        self._header_left: str | None = None  # of one that is drawn, from the last character that was forced on
        self._draws_header = headers is not None  # whether one may be, as the tune has no notes so far
        self.mask = self._mask()
        """0 for the characters that may come next, -inf for the others, [V]; one may."""

    @property
    def allowed(self) -> NDArray[np.bool_]:
        """The characters that may come next, [V]."""
        return np.equal(self.mask, 0)

    def _watch_from(self) -> int:
        """The number of characters up to which neither the line's nor the text's limit has to be checked."""
        horizon = self._automaton.rules.horizon(self._node.state)
        return min(self._line_began + MAX_LINE + 1, self._limit - horizon)

    def _mask(self) -> NDArray[np.float32]:
        mask = self._node.mask
        if self._written >= self._watched_from:
            mask = self._within_limits(mask)
        if self._node.may_end_title and not mask[self._line_break] and self._is_known_title():
            mask = self._without(mask, self._line_break)
        return self._of_drawn_header(mask) if self._draws_header else mask

    def _of_drawn_header(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """What a drawn header says next, where that may stand; a title may always come before it."""
        state = self._node.state
        if not isinstance(state, Header) or self._headers is None:
            self._draws_header = False
            return mask
        if not state.last or state.field not in DRAWN_FIELDS:  # in the line of the number or the title
            self._header_left = None
            return mask
        if self._header_left is None:
            self._header_left = self._headers(self.finished, self._recent_text())
        else:
            self._header_left = self._header_left[1:]
        id_ = self._automaton.id_of.get(self._header_left[:1])
        if id_ is None or mask[id_]:
            self._header_left = ""
            return mask
        drawn = self._only(id_)
        title = self._automaton.id_of.get("T")
        if title is not None and not state.field:
            drawn[title] = mask[title]
        return drawn

    def _within_limits(self, mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mask of what the limits of the text's and the line's length leave of it."""
        mask = self._in_time(mask, self._limit - self._written)
        if self._written - self._line_began > MAX_LINE and self._node.may_break and not mask[self._line_break]:
            return self._only(self._line_break)
        return mask

    def _in_time(self, mask: NDArray[np.float32], remaining: int) -> NDArray[np.float32]:
        """The mask without characters after which the tune cannot end within what remains; unchanged where none can."""
        automaton, node = self._automaton, self._node
        if remaining > automaton.longest_way(node):
            return mask
        is_in_time = automaton.distances(node) < remaining
        if remaining > automaton.longest_way(node):  # which is better known by now
            return mask
        return as_mask(is_in_time) if is_in_time.any() else mask

    def _is_known_title(self) -> bool:
        """Whether the title that has been written is one of a known tune."""
        text = self._recent_text()
        state = self._node.state
        return isinstance(state, Header) and state.is_known_title(text[text.rfind("T:") + 2 :])

    def _recent_text(self) -> str:
        return "".join(self._automaton.alphabet[id_] for id_ in self._recent[-RECENT:])

    def _without(self, mask: NDArray[np.float32], id_: int) -> NDArray[np.float32]:
        """The same but for one character; the same where there is no other."""
        rest = mask.copy()
        rest[id_] = -np.inf
        return rest if np.isfinite(rest).any() else mask

    def _only(self, id_: int) -> NDArray[np.float32]:
        only = np.full(len(self._automaton.alphabet), -np.inf, np.float32)
        only[id_] = 0
        return only

    def advance(self, id_: int) -> bool:
        """Take the next character; True if it ends the last tune that was asked for.

        Raises:
            ValueError: it is not allowed.
        """
        node = self._node = self._node.next.get(id_) or self._automaton.follow(self._node, id_)
        written = self._written = self._written + 1
        self._recent.append(id_)
        if node.is_turn or self._draws_header:
            is_done = node.is_turn and self._turn(node)
            self.mask = self._mask()
            return is_done
        self.mask = node.mask if written < self._watched_from else self._within_limits(node.mask)
        return False

    def ending(self, tonic: str, *, at_home: bool, parts_left: int | None = None) -> NDArray[np.float32]:
        """The mask in the last bar of a part that is to end on the tonic or away from it (see `cadence`), [V].

        Args:
            parts_left: how many parts follow the one that is to end with this bar (see `closing`); None: it need not.
        """
        state, alphabet = self._node.state, self._automaton.alphabet
        if not isinstance(state, Body):
            return self.mask
        is_begun = state.at is not At.BAR  # otherwise what is at hand is the end of the bar before
        mask = self.mask if parts_left is None or not is_begun else self.closing(parts_left)
        allowed = {alphabet[id_] for id_ in np.flatnonzero(mask == 0).tolist()}
        letters = (character.upper() for character in reversed(self._recent_text()[-_NOTE:]))
        letter = next((letter for letter in letters if letter in STEPS), "")
        weights = cadence.weights(state, allowed, tonic, letter, at_home=at_home)
        if not weights:
            return mask
        mask = mask.copy()
        for character, weight in weights.items():
            mask[self._automaton.id_of[character]] = weight
        return mask

    def closing(self, parts_left: int) -> NDArray[np.float32]:
        """The mask without characters after which the part cannot end with this bar; unchanged where none can, [V].

        Args:
            parts_left: how many parts follow; after the last the tune ends.
        """
        state = self._node.state
        if not isinstance(state, Body):
            return self.mask
        mask = np.minimum(self.mask, self._automaton.closing(state, parts_left))
        return mask if np.isfinite(mask).any() else self.mask

    def ended(self) -> NDArray[np.float32]:
        """The mask that ends the tune, where it may end, [V]."""
        state = self._node.state
        return self._only(self._line_break) if isinstance(state, Body) and state.final else self.mask

    def copy(self) -> "Cursor":
        """One that goes its own way from here."""
        other = Cursor.__new__(Cursor)
        other.stand_as(self)
        return other

    def stand_as(self, other: "Cursor") -> None:
        """Go on from where another one of the same grammar stands."""
        vars(self).update(vars(other))
        self._recent = other._recent.copy()

    def _turn(self, node: Node) -> bool:
        """Handle the end of a line or tune, or the start of a tie; True at the end of the last tune."""
        if node.is_end:
            self._recent.clear()
            self.finished += 1
            self._draws_header = self._headers is not None
            self._node = self._automaton.node(self._next_tune)
        elif isinstance(node.state, Body) and node.state.tie == body.WILDCARD:
            self._name_tie()
        elif not node.may_end_title:
            self._line_began = self._written
        self._watched_from = self._watch_from()
        return node.is_end and self.finished == self._tunes

    def _name_tie(self) -> None:
        """The tied note is known from the text."""
        tied = TIED_TEXT.search(self._recent_text())
        state = self._node.state
        assert tied and isinstance(state, Body)  # noqa: S101, PT018  # the automaton ties nothing but notes and chords
        self._node = self._automaton.node(state._replace(tie=tied[1]))
