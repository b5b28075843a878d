"""Constrained decoding: the `Grammar` of a model, which begins a `Cursor` for each sequence."""

from collections.abc import Iterable, Iterator

from app.errors import Fault, RequestError, VocabularyError
from app.grammar.automaton import Automaton
from app.grammar.cursor import RECENT, Cursor, DrawnHeader
from app.grammar.header import Fields, Header
from app.grammar.prefix_parser import PrefixParser
from app.grammar.request import Request
from model_store.lexicon import Lexicon
from model_store.vocabulary import Vocabulary

MAX_STATES = 200_000
"""Cached states, at some 0.5 KiB each, before a new automaton is begun."""

_NEEDED = "XMLK:1/\n|"
_LEARN_CHUNK = 16  # characters: a millisecond, and soon much less


class Grammar:
    """The automaton of one model, whose cache of states all its sequences share.

    Args:
        lexicon: what titles and rhythms are made of; None: any text.
        max_states: cached states before a new automaton is begun; sequences under way keep the old one.

    Raises:
        VocabularyError: the vocabulary lacks a character that no tune can do without. Where it lacks others, what is
            written with them (tuplets, say) never is.
    """

    def __init__(self, vocabulary: Vocabulary, lexicon: Lexicon | None = None, max_states: int = MAX_STATES) -> None:
        self._vocabulary = vocabulary
        self._max_states = max_states
        self._anything = Fields.of(vocabulary.characters, lexicon)
        self._automaton = Automaton(vocabulary.characters)
        if not self._automaton.rules.is_safe(Header(self._anything)):
            lacking = "".join(c for c in _NEEDED if c not in vocabulary.characters)
            raise VocabularyError(
                f"the model's characters cannot write a whole tune; {lacking!a} are lacking"
                if lacking
                else "the model's characters cannot write a whole tune: no unit length, key or note"
            )

    def begin(
        self,
        start_string: str = "",
        request: Request | None = None,
        length: int | None = None,
        tunes: int | None = 1,
        headers: DrawnHeader | None = None,
    ) -> Cursor:
        """A cursor at the end of a start string; its characters are in the vocabulary.

        Args:
            request: holds for what the start string leaves open.
            length: characters that may be added; None: any number.
            tunes: after so many `Cursor.advance` says that it is done; None: never.
            headers: what those of new tunes are to say; None leaves it open.

        Raises:
            RequestError: what is asked for cannot be written with these characters, has no notes, or cannot follow the
                start string.
        """
        automaton = self._roomy_automaton()
        reader = self._parser(self._fields_of(request or Request(), automaton), automaton)
        reader.read(start_string)
        recent = self._vocabulary.encode(start_string[-RECENT:]).tolist()
        cursor = Cursor(automaton, reader, recent, length, tunes, headers)
        if not automaton.rules.is_safe(reader.state):
            raise RequestError("no tune that begins with this start string has this key, metre, rhythm, range and form")
        return cursor

    def learn(self, tunes: Iterable[str]) -> Iterator[None]:
        """Warm the cache with the states of whole tunes, each as far as the grammar allows it.

        Yields after every few characters, so that the caller can pause.
        """
        id_of = self._automaton.id_of
        for tune in tunes:
            cursor = self.begin()
            for place, character in enumerate(tune):
                id_ = id_of.get(character)
                if id_ is None or cursor.mask[id_]:
                    break
                cursor.advance(id_)
                if place % _LEARN_CHUNK == 0:
                    yield

    def open(self, request: Request) -> tuple[Automaton, PrefixParser, Fields]:
        """For callers that parse text piece by piece: the automaton, a parser of any tune, and the request's fields.

        Raises:
            RequestError: what is asked for cannot be written with these characters, or has no notes.
        """
        automaton = self._roomy_automaton()
        return automaton, self._parser(self._anything, automaton), self._fields_of(request, automaton)

    def _roomy_automaton(self) -> Automaton:
        if len(self._automaton) > self._max_states:
            self._automaton = Automaton(self._vocabulary.characters)
        return self._automaton

    def _parser(self, fields: Fields, automaton: Automaton) -> PrefixParser:
        return PrefixParser(fields, self._anything, automaton.rules)

    def faults(self, text: str) -> tuple[Fault, ...]:
        """What the grammar finds wrong with a text."""
        parser = self._parser(self._anything, self._roomy_automaton())
        parser.read(text)
        return tuple(parser.faults)

    def _fields_of(self, request: Request, automaton: Automaton) -> Fields:
        if request == Request():
            return self._anything
        if request not in automaton.fields:
            fields = self._anything.asked(request)
            if not automaton.rules.is_safe(Header(fields)):
                raise RequestError("no tune with this key, metre, rhythm, range and form can be written by this model")
            automaton.fields[request] = fields
        return automaton.fields[request]
