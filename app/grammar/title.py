"""Titles made of the words of known titles, joined as they are there, but never a whole known title.

A word begins a title or ends it only where some known title has it so. Words are looked up in sorted
lists: what may follow a beginning is a range of the list, so nothing is built before it is asked for.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_WORDS = 7
"""Of the known titles one in a hundred has more."""

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['.-](?!\Z))*[.,']?")
_PLAIN_TITLE = re.compile(rf"{_WORD.pattern}(?: {_WORD.pattern})*")


def is_plain(title: str) -> bool:
    """Whether a title is words and spaces alone: no number of a setting, nothing in brackets, no word in capitals."""
    if not _PLAIN_TITLE.fullmatch(title) or not title[0].isupper() or title.endswith(","):
        return False
    return not any(len(word) > 1 and word.isupper() for word in title.split(" "))


def comparable(title: str) -> str:
    """The same text for titles that differ in capitals, articles and signs alone."""
    words = re.findall(r"\w+", title.casefold().replace("'", ""))
    return " ".join(word for word in words if word not in ("the", "a", "an"))


@dataclass(frozen=True, eq=False)
class Words:
    """Words of one place in titles, sorted."""

    words: tuple[str, ...]
    ends: frozenset[str]
    """the words that a title may end with"""

    @property
    def root(self) -> "Prefix":
        return Prefix(self, 0, len(self.words), 0)


class Prefix(NamedTuple):
    """The beginning of a word: the range of the words that begin so, and how many characters are written."""

    list: Words
    low: int
    high: int
    length: int

    @property
    def word(self) -> str | None:
        """The whole word that is written; None if it is none."""
        word = self.list.words[self.low]
        return word if len(word) == self.length else None

    @property
    def may_end(self) -> bool:
        """Whether a title may end with this word, unless it is a known one."""
        return self.word in self.list.ends

    def then(self, character: str) -> "Prefix | None":
        """After one more character; None if no word goes on so."""
        words = self.list.words
        longer = words[self.low][: self.length] + character
        low = bisect_left(words, longer, self.low, self.high)
        high = bisect_left(words, longer[:-1] + chr(ord(character) + 1), low, self.high)
        return Prefix(self.list, low, high, self.length + 1) if low < high else None

    @property
    def characters(self) -> Iterator[str]:
        """The characters that may come next within the word."""
        at = self.low + (self.word is not None)
        while at < self.high:
            character = self.list.words[at][self.length]
            yield character
            at = bisect_left(
                self.list.words, self.list.words[at][: self.length] + chr(ord(character) + 1), at, self.high
            )


@dataclass(frozen=True, eq=False)
class Titles:
    """What titles are made of, by the place of a word: the first, one within, or the last that there is room for."""

    first: Words
    within: Words
    last: Words
    known: frozenset[str]
    """known titles, `comparable`"""

    @classmethod
    def of(cls, titles: Collection[str], alphabet: str) -> "Titles | None":
        """The titles that an alphabet can write; None where no new title can be made of them."""
        letters = set(alphabet)
        plain = [title.split(" ") for title in titles if is_plain(title) and letters.issuperset(title)]
        first = {words[0] for words in plain}
        within = {word for words in plain for word in words[1:]}
        ends = frozenset(words[-1] for words in plain)
        # A title as long as there is room for is no known one: the last word of a long one is not among these.
        last = ends & within - {title.split(" ")[-1] for title in titles if title.count(" ") > MAX_WORDS - 4}
        if not last or " " not in letters:
            return None
        lists = [Words(tuple(sorted(words)), ends) for words in (first, within, last)]
        return cls(lists[0], lists[1], lists[2], frozenset(map(comparable, titles)))

    @property
    def words(self) -> frozenset[str]:
        """All of them."""
        return frozenset(self.first.words).union(self.within.words, self.last.words)

    def without(self, words: Collection[str]) -> "Titles":
        """Titles of the other words; the same where too few are left."""
        first, within, last = (
            Words(tuple(word for word in each.words if word not in words), each.ends)
            for each in (self.first, self.within, self.last)
        )
        return Titles(first, within, last, self.known) if first.words and within.words and last.words else self

    def root(self, words: int) -> Prefix:
        """The state before a word, after that many whole ones."""
        if not words:
            return self.first.root
        return (self.within if words < MAX_WORDS - 1 else self.last).root

    def may_go_on(self, prefix: Prefix) -> bool:
        """Whether another word may follow this one."""
        return prefix.list is not self.last and prefix.word is not None

    def walk(self, text: str) -> tuple[int, Prefix] | None:
        """How many whole words precede the last of a beginning, and that one; None if no title begins so."""
        words, prefix = 0, self.first.root
        for character in text:
            if character == " " and self.may_go_on(prefix):
                words += 1
                prefix = self.root(words)
            elif longer := prefix.then(character):
                prefix = longer
            else:
                return None
        return words, prefix
