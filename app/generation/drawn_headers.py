"""Draws what the header of each new tune says, among those of real tunes: the same for the same request and seed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from app.abc.rhythms import rhythm_in_title
from app.abc.tunebook import FIELD
from app.abc.written_subset import FIELD_ORDER
from app.generation.jobs import seed_of_request
from app.generation.weighted_choice import Choice
from app.grammar.header import DRAWN_FIELDS
from app.grammar.request import Request
from model_store.plans import KnownHeader

MIN_TUNES = 20
"""That have in common what is said of a header already; of fewer none is drawn, and the network writes it."""

_Header = dict[str, str]
"""What the fields say that are drawn; empty where there is none."""

_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class DrawnHeaders:
    """Those of the tunes that a model learnt."""

    def __init__(self, known: Iterable[KnownHeader]) -> None:
        by_title: dict[str, list[tuple[_Header, int]]] = {}
        for each in known:
            header = dict(zip(DRAWN_FIELDS, (each.rhythm, each.meter, each.unit, each.key), strict=True))
            by_title.setdefault(each.in_title, []).append((header, each.count))
        self._by_title = {in_title: Choice.of(headers) for in_title, headers in by_title.items()}

    def of_sequence(self, seed: int | None, request: Request, start_string: str) -> "HeadersOfSequence | None":
        """What a cursor is told of the tunes of one sequence; None where none are known.

        Args:
            seed: that of the sequence, where all candidates of a request have the same headers; None takes the
                likeliest, as temperature 0 takes the likeliest character.
            request: holds for each tune.
            start_string: what it says of the tune whose header it ends in holds for that one.
        """
        if not self._by_title:
            return None
        seed = None if seed is None else seed_of_request(seed)
        return HeadersOfSequence(self._by_title, seed, request, _BLANK_LINE.split(start_string)[-1])


@dataclass(frozen=True)
class HeadersOfSequence:
    """Called with the number of tunes that have ended and the text before: how the header of the next one goes on.

    Empty where too few tunes are like what is said of it already, by the request, the start string, or the title that
    names a rhythm. The n-th tune has the same random number whatever its title is.
    """

    by_title: dict[str, Choice[_Header]]
    seed: int | None
    request: Request
    start: str
    """the last lines of the start string"""

    def __call__(self, number: int, before: str) -> str:
        start = "" if number else self.start
        said, begun = _said(start)
        titles = re.findall(r"^T:(.*)", f"{start}\n{_BLANK_LINE.split(before)[-1]}", re.MULTILINE)
        choice = self.by_title.get(rhythm_in_title(titles[-1]) if titles else "")
        asked = self._asked | said
        passed = max((DRAWN_FIELDS.index(field) + 1 for field in (*said, *begun[:1])), default=0)
        following = begun[:1] + DRAWN_FIELDS[passed:]

        def text(header: _Header) -> str:
            values = header | self._asked  # written as they were asked for
            return "".join(f"{field}:{values[field]}\n" for field in following if values[field])

        def agrees(header: _Header) -> bool:
            is_as_asked = all(header[field].lower() == value.lower() for field, value in asked.items())
            return is_as_asked and text(header).startswith(begun)

        if choice and (asked or begun):
            choice = choice.only(agrees)
        if not choice or choice.total < MIN_TUNES:
            return ""
        generator = None if self.seed is None else Random(f"header {number} of {self.seed}")  # noqa: S311
        return text(choice.draw(generator))[len(begun) :]

    @property
    def _asked(self) -> _Header:
        asked = {"R": self.request.rhythm, "M": self.request.meter, "K": self.request.key}
        return {field: value for field, value in asked.items() if value}


def _said(header: str) -> tuple[_Header, str]:
    """What the whole lines of a header say in the fields that are drawn, and the line of one of these that is begun."""
    *lines, last = header.split("\n")
    fields = [found.groups() for line in lines if (found := FIELD.match(line))]
    said = {field: " ".join(value.split("%")[0].split()) for field, value in fields if field in FIELD_ORDER}
    begun = re.sub(r"^(.:) *", r"\1", last) if last[:1] and last[0] in DRAWN_FIELDS else ""
    return {field: said[field] for field in DRAWN_FIELDS if field in said}, begun
