"""Finite sets of words as minimal acyclic automata: what may follow a beginning, and what the whole word means.

Words with the same continuations share their nodes (a DAWG: Daciuk et al., "Incremental construction of minimal acyclic
finite-state automata", 2000), so that a state of the grammar need not remember more of a word than matters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class Node(Generic[T]):
    """How far a word has been written; `meaning` is None where it is not yet a word."""

    meaning: T | None
    children: Mapping[str, "Node[T]"]

    @cached_property
    def endings(self) -> tuple[tuple[str, T], ...]:
        """Every way to complete the word, with the meaning that it then has, shortest first."""
        here = [] if self.meaning is None else [("", self.meaning)]
        below = [(c + rest, meaning) for c, child in self.children.items() for rest, meaning in child.endings]
        return tuple(sorted(here + below, key=lambda ending: len(ending[0])))

    @cached_property
    def shortest_endings(self) -> tuple[tuple[str, T], ...]:
        """The shortest way to each meaning, the greatest meaning first; kept here, and so no longer than the node."""
        shortest = {meaning: ending for ending, meaning in sorted(self.endings, key=lambda way: (-len(way[0]), way[0]))}
        return tuple((ending, meaning) for meaning, ending in sorted(shortest.items(), reverse=True))

    def walk(self, text: str) -> "Node[T] | None":
        """The node after `text`; None if no word goes on so."""
        node: Node[T] | None = self
        for character in text:
            node = node.children.get(character) if node else None
        return node


def lexicon(words: Mapping[str, T], alphabet: Iterable[str]) -> Node[T]:
    """The root of an automaton that accepts those words that the alphabet can write."""
    letters = set(alphabet)
    return _build({word: meaning for word, meaning in words.items() if letters.issuperset(word)}, {})


def _build(words: Mapping[str, T], known: dict[object, Node[T]]) -> Node[T]:
    tails: dict[str, dict[str, T]] = {}
    for word, meaning in words.items():
        if word:
            tails.setdefault(word[0], {})[word[1:]] = meaning
    children = {first: _build(rest, known) for first, rest in tails.items()}
    identity = (words.get(""), frozenset((first, id(child)) for first, child in children.items()))
    return known.setdefault(identity, Node(words.get(""), children))
