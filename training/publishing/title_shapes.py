"""How words of titles are joined: in shapes that several known titles have, between neighbours that they have there.

A title's shape is its words with the rare ones replaced by what kind of word they are: "The Humors of *", "*'s Fancy".
A word fills such a gap if a known title has it after the same neighbour, and some known title, maybe another, before
one like the next.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import groupby
from typing import NamedTuple

from app.abc.rhythms import rhythm_in_title
from app.grammar.title import MAX_WORDS, comparable, is_plain
from model_store.lexicon import TitleShapes, WordChoice

MIN_COMMON = 20
"""Times that titles have a word, for it to be part of their shapes."""
MIN_TITLES = 2
"""Of a shape."""
MAX_RUN = 2
"""Rare words one after another that are no possessives: in longer runs nothing tells what joins them."""
MIN_NEIGHBOURS = 20
"""Rare words that stand after a common one, for those after others like it not to stand there too."""
MIN_SMALL = 0.2
"""Share of a word's places where it is in small letters, for it to be a small word: "of", "wi'", but not "Sweet"."""
MIN_SPELT = 10
"""Times that titles have a word of `MIN_LETTERS`, for rare ones that are nearly spelt so to be slips: "Mountan"."""
MIN_LETTERS = 7
MIN_MADE = 1000
"""Titles that can be made, for it to be worth while."""

_BEGINNING, _END, _RARE, _OWNER, _SMALL, _NOWHERE = "^", "$", "*", "*'s", "-", ""
_NEAR = 0.9  # of 1, see `difflib`: "Hornpipie" is to "Hornpipe"

Shape = tuple[str, ...]


class _Step(NamedTuple):
    """Where a word leads: the next word's place, if there may be one, and whether the title may end."""

    place: int | None
    may_end: bool


_Words = dict[str, _Step]
"""The words of a place."""


def shapes_of(titles: Collection[str]) -> TitleShapes | None:
    """How the words of known titles are joined; None where little can be made of so few."""
    plain = [title.split(" ") for title in sorted(titles) if is_plain(title) and title.count(" ") < MAX_WORDS]
    kinds = _Kinds(plain)
    shaped = [(words, tuple(map(kinds.of, words))) for words in plain]
    times = Counter(shape for _, shape in shaped if _is_joined(shape))
    joined = _Joined(kinds)
    for words, shape in shaped:
        if times[shape] >= MIN_TITLES:
            joined.learn(words, shape)
    if joined.place((), frozenset(joined.after[()])) is None:
        return None
    known = _known(joined.places, titles, kinds)
    places = _without_known(joined.places, known)
    return _minimal(places, known.after) if _number_made(places) >= MIN_MADE else None


class _Kinds:
    """What kind of word each is."""

    def __init__(self, titles: Iterable[list[str]]) -> None:
        every = [word for words in titles for word in words]
        self._times = Counter(map(str.casefold, every))
        in_small = Counter(word.casefold() for word in every if word[0].islower())
        self._small = {word for word, count in in_small.items() if count >= MIN_SMALL * self._times[word]}
        self._spelt = {
            _singular(word) for word, count in self._times.items() if count >= MIN_SPELT and len(word) >= MIN_LETTERS
        }

    def of(self, word: str) -> str:
        """Of a common word the word itself; of a rare one what can be told of it: of small ones and slips, nothing."""
        plain = word.casefold()
        if self._times[plain] >= MIN_COMMON:
            return plain
        if plain in self._small or word[0].islower() or self._is_slip(plain):
            return _NOWHERE
        bare = plain.rstrip(".,")
        return (_OWNER if bare.endswith(("'s", "s'")) else _RARE) + plain[len(bare) :]

    def _is_slip(self, plain: str) -> bool:
        singular = _singular(plain)
        near = get_close_matches(singular, self._spelt, 1, _NEAR) if len(singular) >= MIN_LETTERS - 1 else []
        return bool(near) and singular not in self._spelt

    def neighbour(self, kind: str) -> str:
        """What matters of the next word: which small one it is; of others not even whether they are rare."""
        if kind == _END or kind in self._small or kind.startswith(_OWNER):
            return kind
        return _RARE

    def alike(self, kind: str) -> str:
        """What matters of the word before, where too few are known after it."""
        return _SMALL if kind in self._small else kind if kind == _BEGINNING else self.neighbour(kind)


def _singular(plain: str) -> str:
    return re.sub(r"'?s?'?[.,]?$", "", plain)


def _is_joined(shape: Shape) -> bool:
    """Whether all of it is known, and no run of rare words too long."""
    return _NOWHERE not in shape and all(kind != _RARE or len(list(run)) <= MAX_RUN for kind, run in groupby(shape))


class _Joined:
    """Shapes of titles and the neighbours of each word; and the places that follow from both, later ones first."""

    def __init__(self, kinds: _Kinds) -> None:
        self.after: dict[Shape, set[str]] = defaultdict(set)
        """kinds that may follow the beginning of a shape"""
        self.places: list[_Words] = []
        self._kinds = kinds
        self._words_after: dict[tuple[str, str], set[str]] = defaultdict(set)
        """by the kind before and their own"""
        self._before: dict[str, set[str]] = defaultdict(set)
        """of what a word stands before, what matters"""
        self._numbers: dict[tuple[Shape, frozenset[str]], int | None] = {}

    def learn(self, words: list[str], shape: Shape) -> None:
        """Take a known title in."""
        for at, (word, kind) in enumerate(zip(words, shape, strict=True)):
            before = (_BEGINNING, *shape)[at]
            self.after[shape[:at]].add(kind)
            self._words_after[before, kind].add(word)
            self._words_after[self._kinds.alike(before), kind].add(word)
            self._before[word].add(self._kinds.neighbour((*shape, _END)[at + 1]))
        self.after[shape].add(_END)

    def place(self, shape: Shape, kinds: frozenset[str]) -> int | None:
        """The place after the beginning of a shape, for words of these kinds; None where there are none."""
        if (shape, kinds) not in self._numbers:
            steps = {
                word: self._step(word, (*shape, kind))
                for kind in sorted(kinds)
                for word in sorted(self._standing_after((_BEGINNING, *shape)[-1], kind))
            }
            words = {word: step for word, step in steps.items() if step.may_end or step.place is not None}
            if words:
                self.places.append(words)
            self._numbers[shape, kinds] = len(self.places) - 1 if words else None
        return self._numbers[shape, kinds]

    def _standing_after(self, before: str, kind: str) -> set[str]:
        words = self._words_after[before, kind]
        is_enough = len(words) >= MIN_NEIGHBOURS or before in (
            "a",
            "an",
        )  # which no word stands after by its kind alone
        if is_enough or not kind.startswith(_RARE):
            return words
        return self._words_after[self._kinds.alike(before), kind]

    def _step(self, word: str, shape: Shape) -> _Step:
        following = {kind for kind in self.after[shape] if self._kinds.neighbour(kind) in self._before[word]}
        return _Step(self.place(shape, frozenset(following - {_END})), _END in following)


class _Known(NamedTuple):
    """What would end known titles."""

    at: Collection[tuple[int, str]]
    """words with their places, where the word before is a common one"""
    after: Mapping[str, Collection[str]]
    """words by the word before, where that is a rare one; and it again"""


def _known(places: list[_Words], titles: Iterable[str], kinds: _Kinds) -> _Known:
    bare = {word: comparable(word) for words in places for word in words}
    by_initial: list[dict[str, list[str]]] = [defaultdict(list) for _ in places]
    for initials, words in zip(by_initial, places, strict=True):
        for word in words:
            initials[bare[word][:1]].append(word)
    at: set[tuple[int, str]] = set()
    after: dict[str, set[str]] = {word: set() for word in bare if kinds.of(word).startswith(_RARE)}
    for word, step in ((word, step) for words in places for word, step in words.items()):
        if word in after and step.place is not None and word in places[step.place]:
            after[word].add(word)
    for title in set(map(comparable, titles)):
        beginnings = [(len(places) - 1, 0, "")]
        seen = set(beginnings)
        while beginnings:
            number, length, before = beginnings.pop()
            for word in [*by_initial[number][""], *by_initial[number][title[length : length + 1]]]:
                if not title.startswith(bare[word], length):
                    continue
                place, may_end = places[number][word]
                end = length + len(bare[word])
                if may_end and end == len(title):
                    if before in after:
                        after[before].add(word)
                    else:
                        at.add((number, word))
                if place is not None and (place, end, word) not in seen:
                    seen.add((place, end, word))
                    beginnings.append((place, end, word))
    return _Known(at, after)


def _without_known(places: list[_Words], known: _Known) -> list[_Words]:
    """The same, but that each beginning can become a title that is not known, and whose words name no rhythm."""
    rest: list[_Words] = []

    def is_open(place: int | None, before: str) -> bool:
        return place is not None and any(
            step.place is not None or (step.may_end and (place, word) not in known.at)
            for word, step in rest[place].items()
            if word not in known.after.get(before, ()) and not rhythm_in_title(word)
        )

    for number, words in enumerate(places):
        kept = {
            word: _Step(place if is_open(place, word) else None, may_end) for word, (place, may_end) in words.items()
        }
        rest.append(
            {
                word: step
                for word, step in kept.items()
                if step.place is not None or (step.may_end and (number, word) not in known.at)
            }
        )
    return rest


def _number_made(places: list[_Words]) -> int:
    """How many titles there are."""
    made: list[int] = []
    for words in places:
        made.append(sum(may_end + (made[place] if place is not None else 0) for place, may_end in words.values()))
    return made[-1]


def _minimal(places: list[_Words], known: Mapping[str, Collection[str]]) -> TitleShapes:
    """The same with places that differ in nothing as one, and words that do so as one class."""
    numbers: dict[int, int] = {}
    different: dict[frozenset[tuple[str, _Step]], int] = {}

    def number_of(place: int) -> int:
        if place not in numbers:
            steps = (
                (word, _Step(None if after is None else number_of(after), may_end))
                for word, (after, may_end) in places[place].items()
            )
            numbers[place] = different.setdefault(frozenset(steps), len(different))
        return numbers[place]

    first = number_of(len(places) - 1)  # and so the last that gets its number
    steps_of: dict[str, list[tuple[int, _Step]]] = defaultdict(list)
    for number, place in enumerate(different):
        for word, step in place:
            steps_of[word].append((number, step))
    classes: dict[tuple[tuple[int, _Step], ...], list[str]] = defaultdict(list)
    for word in sorted(steps_of):
        classes[tuple(steps_of[word])].append(word)
    choices: list[dict[_Step, list[int]]] = [defaultdict(list) for _ in different]
    for kind, each in enumerate(classes):
        for number, step in each:
            choices[number][step].append(kind)
    return TitleShapes(
        tuple(map(tuple, classes.values())),
        tuple(
            tuple(
                WordChoice(tuple(kinds), 0 if step.place is None else first - step.place, step.may_end)
                for step, kinds in place.items()
            )
            for place in reversed(choices)
        ),
        {before: tuple(sorted(words)) for before, words in sorted(known.items()) if words and before in steps_of},
    )
