"""Titles made of the words of known titles, joined as they are there, but never a whole known title.

A lexicon says which words may stand at which place, and which place comes after each. Where an early one does not, a
word begins a title or ends it only if it does so in some known one. Words are looked up in sorted lists: what may
follow a beginning is a range of the list, so nothing is built before it is asked for.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from model_store.lexicon import Lexicon, TitleShapes, WordChoice

MAX_WORDS = 7
"""Of the known titles one in a hundred has more."""

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['.-](?!\Z))*[.,']?")
_PLAIN_TITLE = re.compile(rf"{_WORD.pattern}(?: {_WORD.pattern})*")


def is_plain(title: str) -> bool:
    """Whether a title is words and spaces alone: no number of a setting, nothing in brackets, no word in capitals."""
    if not _PLAIN_TITLE.fullmatch(title) or not title[0].isupper() or title.endswith(","):
        return False
    return not any(len(word) > 1 and word.isupper() for word in title.split(" "))


def comparable(title: str, between: str = "") -> str:
    """The same text for titles that differ in capitals, articles, spaces and signs alone.

    Args:
        between: what stands for the spaces.
    """
    words = re.findall(r"\w+", title.casefold().replace("'", ""))
    return between.join(word for word in words if word not in ("the", "a", "an"))


@dataclass(frozen=True, eq=False)
class Place:
    """A place of a word in titles."""

    titles: "Titles"
    choices: Sequence[WordChoice]

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Those that may stand here, sorted."""
        numbers = (number for choice in self.choices for number in choice.classes)
        return tuple(sorted(word for number in numbers for word in self.titles.classes[number]))

    def choice(self, word: str) -> WordChoice | None:
        """What may come after a word, if it may stand here."""
        number = self.titles.class_of.get(word)
        return next((choice for choice in self.choices if number in choice.classes), None)


class Prefix(NamedTuple):
    """The beginning of a word: the range of the words that begin so, and how many characters are written."""

    place: Place
    low: int
    high: int
    length: int
    barred: tuple[str, ...]
    """those of these words that may not follow the one before"""

    @classmethod
    def at(cls, place: Place, before: str = "") -> "Prefix":
        """Before a word's first character."""
        never = place.titles.shapes.never.get(before, ())
        return cls(place, 0, len(place.words), 0, tuple(filter(place.choice, never)))

    @property
    def _whole(self) -> WordChoice | None:
        """What may come after the word, if it is whole."""
        word = self.place.words[self.low]
        return self.place.choice(word) if len(word) == self.length and word not in self.barred else None

    @property
    def may_end(self) -> bool:
        """Whether a title may end with this word, unless it is a known one."""
        whole = self._whole
        return whole is not None and whole.may_end

    def then(self, character: str) -> "Prefix | None":
        """After one more character; None if no title goes on so."""
        words = self.place.words
        if character == " ":
            after = (whole := self._whole) and whole.place
            return Prefix.at(self.place.titles.places[after], words[self.low]) if after else None
        longer = words[self.low][: self.length] + character
        low = bisect_left(words, longer, self.low, self.high)
        high = bisect_left(words, longer[:-1] + chr(ord(character) + 1), low, self.high)
        barred = self.barred and tuple(word for word in self.barred if word.startswith(longer))
        return Prefix(self.place, low, high, self.length + 1, barred) if high - low > len(barred) else None

    @property
    def characters(self) -> Iterator[str]:
        """The characters that may come next within the word."""
        words = self.place.words
        at = self.low + (len(words[self.low]) == self.length)
        while at < self.high:
            character = words[at][self.length]
            yield character
            at = bisect_left(words, words[at][: self.length] + chr(ord(character) + 1), at, self.high)


@dataclass(frozen=True, eq=False)
class Titles:
    """What titles are made of: classes of words, and which of them may stand where."""

    lexicon: Lexicon
    alphabet: str
    shapes: TitleShapes
    left_out: frozenset[str] = frozenset()
    """words that no title may have"""

    @classmethod
    def of(cls, lexicon: Lexicon, alphabet: str) -> "Titles | None":
        """The titles that an alphabet can write; None where no new title can be made of them."""
        titles = cls(lexicon, alphabet, lexicon.shapes or _any_order(lexicon.titles, alphabet))
        return titles if titles._is_whole and " " in alphabet else None

    @property
    def _is_whole(self) -> bool:
        """Whether there are words for every place."""
        choices = self.shapes.places
        return bool(choices) and all(any(self.classes[n] for each in place for n in each.classes) for place in choices)

    @property
    def root(self) -> Prefix:
        """Before the first word."""
        return Prefix.at(self.places[0])

    @cached_property
    def classes(self) -> tuple[tuple[str, ...], ...]:
        """The words of each class."""
        letters = set(self.alphabet)
        return tuple(
            tuple(word for word in words if letters.issuperset(word) and word not in self.left_out)
            for words in self.shapes.classes
        )

    @cached_property
    def class_of(self) -> Mapping[str, int]:
        """By word, the number of its class."""
        return {word: number for number, words in enumerate(self.classes) for word in words}

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The first word's is the first."""
        return tuple(Place(self, choices) for choices in self.shapes.places)

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(map(self._comparable, self.lexicon.titles))

    def is_known(self, title: str) -> bool:
        """Whether it is a known title."""
        return self._comparable(title) in self._known

    def _comparable(self, title: str) -> str:
        return comparable(title, "" if self.lexicon.shapes else " ")  # versions without shapes keep their tunes so

    def without(self, words: Collection[str]) -> "Titles":
        """Titles of the other words; the same where too few are left."""
        rest = replace(self, left_out=frozenset(words))
        return rest if rest._is_whole else self

    def walk(self, text: str) -> Prefix | None:
        """The last word of a beginning, which may join known words as no title does; None if no title begins so."""
        prefix: Prefix | None = self.root
        for character in text:
            prefix = prefix.then(character) if prefix else None
        return prefix or (self._in_any_order.walk(text) if self._in_any_order else None)

    @cached_property
    def _in_any_order(self) -> "Titles | None":
        """For beginnings that are asked for."""
        if self.shapes is not self.lexicon.shapes:
            return None
        titles = replace(self, shapes=_any_order(self.lexicon.titles, self.alphabet))
        return titles if titles._is_whole else None


def _any_order(titles: Collection[str], alphabet: str) -> TitleShapes:
    """Words where known titles have them: the first, those after it, and the last that there is room for."""
    letters = set(alphabet)
    plain = [title.split(" ") for title in titles if is_plain(title) and letters.issuperset(title)]
    first = {words[0] for words in plain}
    within = {word for words in plain for word in words[1:]}
    ends = {words[-1] for words in plain}
    # A title as long as there is room for is no known one: the last word of a long one is not among these.
    last = ends & within - {title.split(" ")[-1] for title in titles if title.count(" ") > MAX_WORDS - 4}
    kinds = {word: (word in first, word in within, word in last, word in ends) for word in first | within}
    classes = {kind: tuple(word for word in kinds if kinds[word] == kind) for kind in set(kinds.values())}
    places = [
        tuple(WordChoice((number,), after, kind[3]) for number, kind in enumerate(classes) if kind[stands])
        for stands, after in zip([0, *[1] * (MAX_WORDS - 2), 2], [*range(1, MAX_WORDS), 0], strict=True)
    ]
    return TitleShapes(tuple(classes.values()), tuple(places), {})
