"""Rules for the tune's header: which character may follow, for well-formed fields in a fixed order.

ABC standard 2.1, sections 2.2.1 and 3. The order is that of the corpus, `X T R M L K`, where T and R may be absent, so
that a header is a request.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from app.abc.rhythms import METERS_OF_RHYTHM, rhythm_in_title
from app.abc.written_subset import FIELD_ORDER, HORNPIPE_METERS, MAX_RHYTHM_CHARACTERS, MAX_TITLE_CHARACTERS
from app.grammar.dawg import Node, lexicon
from app.grammar.pitch import KEYS
from app.grammar.request import Request
from app.grammar.ticks import METERS, UNITS, Meter
from app.grammar.title import Prefix, Titles
from model_store.lexicon import Lexicon

OPTIONAL = frozenset("TR")
DRAWN_FIELDS = "RMLK"
"""Those after the title, which may be drawn as a whole instead of character by character."""
PASSED_OVER = "ABCDFGHNOQSZ"
"""Fields that are never begun, but finished where a start string has begun them."""


@dataclass(frozen=True, eq=False)
class Text:
    """Any text of certain characters and at most so long."""

    first: frozenset[str]
    rest: frozenset[str]
    limit: int


Word = Node[Meter] | Node[int] | Node[str]
Value = Text | Titles | Word

_DIGITS = frozenset("0123456789")
_NOT_IN_TITLES = frozenset("\n%\\")  # a comment or an escape would begin
_SWUNG = "hornpipe"  # abc2midi swings a tune whose rhythm begins so, with a small h or a capital one
_RHYTHM_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True, eq=False)
class Fields:
    """What each field may hold, and which may be left out."""

    alphabet: str
    words: Lexicon | None
    """what titles and rhythms are made of; None: any text"""
    values: Mapping[str, Value]
    request: Request
    swung_meters: Node[Meter]
    meters_of: Mapping[str, Node[Meter]]
    """of each rhythm that has metres of its own"""
    rhythm_words: Mapping[str, str]
    """words of titles that name a rhythm, and which"""

    @classmethod
    def of(cls, alphabet: str, words: Lexicon | None = None) -> "Fields":
        """All that an alphabet can write."""
        printable = frozenset(c for c in alphabet if c.isprintable()) - _NOT_IN_TITLES
        titles = Titles.of(words, alphabet) if words else None
        values: dict[str, Value] = {
            **dict.fromkeys(PASSED_OVER, Text(printable, printable, MAX_TITLE_CHARACTERS)),
            "X": Text(_DIGITS - {"0"}, _DIGITS, 5),
            "T": titles or Text(frozenset(filter(str.isalnum, printable)), printable, MAX_TITLE_CHARACTERS),
            "R": Text(_RHYTHM_LETTERS, _RHYTHM_LETTERS | {" ", "-"}, MAX_RHYTHM_CHARACTERS),
            "L": lexicon(UNITS, alphabet),
            "K": lexicon(KEYS, alphabet),
        }
        found = ((word, rhythm_in_title(word)) for word in (titles.class_of if titles else ()))
        rhythm_words = {word: rhythm for word, rhythm in found if rhythm}
        return cls(alphabet, words, values, Request(), Node(None, {}), {}, rhythm_words).asked(Request())

    def asked(self, request: Request) -> "Fields":
        """The same, but that what is asked for has a single value."""
        values, meters = dict(self.values), {request.meter: METERS[request.meter]} if request.meter else METERS
        meters_of = self._meters_of_rhythms(meters, request.rhythm)
        rhythms = [request.rhythm] if request.rhythm else list(meters_of)
        values["M"] = lexicon(meters, self.alphabet)
        if request.key:
            values["K"] = lexicon({request.key: KEYS[request.key]}, self.alphabet)
        if rhythms or self.words:
            values["R"] = lexicon({rhythm: rhythm for rhythm in rhythms}, self.alphabet)
        if request.rhythm and isinstance(titles := values["T"], Titles):  # no "Hornpipe" for a polka
            own = rhythm_in_title(request.rhythm)
            values["T"] = titles.without({word for word, rhythm in self.rhythm_words.items() if rhythm != own})
        swung = lexicon({name: meter for name, meter in meters.items() if name in HORNPIPE_METERS}, self.alphabet)
        return replace(self, values=values, request=request, swung_meters=swung, meters_of=meters_of)

    def _meters_of_rhythms(self, meters: Mapping[str, Meter], asked: str | None) -> Mapping[str, Node[Meter]]:
        """Those rhythms, of the lexicon or asked for, that can be in one of these metres, each with these."""
        meters_of = dict(self.words.rhythms) if self.words else {}
        if asked and (named := METERS_OF_RHYTHM.get(asked.lower())):
            meters_of.setdefault(asked.lower(), named)
        fitting = {
            rhythm: {
                name: meters[name]
                for name in names
                if name in meters and (name in HORNPIPE_METERS or not rhythm.startswith(_SWUNG))
            }
            for rhythm, names in meters_of.items()
        }
        return {rhythm: lexicon(named, self.alphabet) for rhythm, named in fitting.items() if named}

    def after(self, field: str) -> str:
        """The fields of which one must come next, the one that may not be left out last.

        There are none after a key in which no note can be written.
        """
        following = FIELD_ORDER[FIELD_ORDER.index(field) + 1 :] if field else FIELD_ORDER
        optional = OPTIONAL - {"R"} if self.request.rhythm else OPTIONAL
        needed = next((i for i, letter in enumerate(following) if letter not in optional), 0)
        return following[: needed + 1]


class Header(NamedTuple):
    """A state. The line being written is `field`; `last` is, of those before, the one that comes last in the order."""

    fields: Fields
    last: str = ""
    field: str = ""
    colon: bool = False
    word: Prefix | Word | None = None
    size: int = 0  # characters of a text
    swing: int = 0  # characters of the rhythm, while they are those of a swung one
    meter: Meter | None = None
    unit: int = 0  # ticks
    sharps: int = 0  # of the key; flats are negative
    done: bool = False  # the key's line has ended
    spoiled: bool = False  # the field is at fault: its line can only end
    meters: Node[Meter] | None = None  # those of the rhythm, where it has its own

    @property
    def is_swung(self) -> bool:
        return self.swing == len(_SWUNG)

    @property
    def value(self) -> Value:
        """What the field that is being written may hold."""
        if self.field == "M" and self.meters:
            return self.meters
        return self.fields.swung_meters if self.field == "M" and self.is_swung else self.fields.values[self.field]

    @property
    def may_end_title(self) -> bool:
        """Whether a title made of known words may end here, unless it is a known one."""
        return isinstance(self.word, Prefix) and self.word.may_end

    def is_known_title(self, title: str) -> bool:
        """Whether it is one that is not written as a whole."""
        titles = self.fields.values["T"]
        return isinstance(titles, Titles) and titles.is_known(title)

    def with_rhythm(self, rhythm: str) -> "Header":
        """The same, with this whole rhythm read."""
        meters = self.fields.meters_of.get(rhythm.strip().lower())
        return self._replace(size=0, swing=0).read_rhythm(rhythm)._replace(size=0, meters=meters)

    def read_rhythm(self, text: str) -> "Header":
        """The same, with characters of a rhythm read."""
        state = self
        for character in text:
            place = state.size if state.size == state.swing and not state.is_swung else -1
            swings = place >= 0 and (character.lower() if place == 0 else character) == _SWUNG[place]
            state = state._replace(size=state.size + 1, swing=state.swing + swings)
        return state


def step(state: Header, character: str) -> Header | None:
    """The state after one more character; None if it cannot stand there."""
    if not state.field:
        begins = character in state.fields.after(state.last)
        return state._replace(field=character) if begins else None
    if state.spoiled:
        meter = METERS["4/4"] if state.field == "M" else state.meter
        after = _next_line(state)._replace(spoiled=False, meter=meter, done=state.field == "K")
        return after if character == "\n" else None
    value = state.value
    if not state.colon:
        word = None if isinstance(value, Text) else value.root if isinstance(value, Titles) else value
        return state._replace(colon=True, word=word) if character == ":" else None
    if isinstance(value, Text):
        return _text(state, value, character)
    if isinstance(state.word, Prefix):
        return _title(state, state.word, character)
    return _word(state, character)


def candidates(state: Header) -> Iterable[str]:
    """Some characters of which all that may follow are among."""
    if not state.field:
        return state.fields.after(state.last)
    if not state.colon:
        return ":"
    if isinstance(state.word, Prefix):
        return ["\n", " ", *state.word.characters]
    if state.word:
        return ["\n", *state.word.children]
    text = state.value
    return ["\n", *(text.rest if state.size else text.first)] if isinstance(text, Text) else "\n"


def alike(state: Header) -> tuple[Header | None, Iterable[str]]:
    """Another state where the same may follow but for some characters, and these; if there is none, all that may.

    The same may follow in a text of one character, unless it is at its limit, and in a title after whatever fields.
    """
    value = state.value if state.size else None
    is_text = isinstance(value, Text) and state.size < value.limit and state.field != "R"
    same = state._replace(size=1) if is_text else state
    if isinstance(state.word, Prefix):
        same = state._replace(last="", swing=0, meter=None, unit=0, sharps=0, meters=None)
    return (None, candidates(state)) if same == state else (same, "")


def after_title(state: Header) -> Header | None:
    """The line after a title that is being written: any can be ended, so the tune can be where it can from there."""
    is_open = state.field == "T" and not state.spoiled
    return _next_line(state) if is_open and isinstance(state.value, Titles) else None


def _title(state: Header, written: Prefix, character: str) -> Header | None:
    if character == "\n":
        return _next_line(state) if written.may_end else None
    longer = written.then(character)
    return state._replace(word=longer) if longer else None


def _text(state: Header, text: Text, character: str) -> Header | None:
    if character == "\n":
        return _next_line(state) if state.size else None
    fits = character in (text.rest if state.size else text.first) and state.size < text.limit
    if not fits:
        return None
    return state.read_rhythm(character) if state.field == "R" else state._replace(size=state.size + 1)


def _word(state: Header, character: str) -> Header | None:
    assert isinstance(state.word, Node)  # noqa: S101
    if character != "\n":
        longer = state.word.children.get(character)
        return state._replace(word=longer) if longer else None
    meaning = state.word.meaning
    if meaning is None:
        return None
    after = _next_line(state)
    match state.field:
        case "R" if isinstance(meaning, str):
            return _next_line(state.with_rhythm(meaning))
        case "M" if isinstance(meaning, Meter):
            return after._replace(meter=meaning)
        case "L" if isinstance(meaning, int):
            return after._replace(unit=meaning)
        case "K" if isinstance(meaning, int):
            return after._replace(sharps=meaning, done=True)
    return after


def _next_line(state: Header) -> Header:
    last = later(state.last, state.field)
    swing = state.swing if state.is_swung else 0
    return state._replace(last=last, field="", colon=False, word=None, size=0, swing=swing)


def later(last: str, field: str) -> str:
    """Which of two fields comes last in the order. A start string need not keep it; what it says is not said again."""
    return max(last, field, key=f" {FIELD_ORDER}".find)  # any field is after none


def next_character(state: Header) -> str | None:
    """The first character of the shortest header from here."""
    if not state.field:
        return state.fields.after(state.last)[-1:] or None
    if not state.colon:
        return ":"
    if state.spoiled:
        return "\n"
    if state.word is None:
        text = state.value
        assert isinstance(text, Text)  # noqa: S101
        return "\n" if state.size else min(text.first, default=None)
    if isinstance(state.word, Prefix):
        return None  # see `after_title`
    for ending, _ in state.word.endings:
        return ending[0] if ending else "\n"
    return None
