"""The plans of the tunes that a model learnt: by rhythm and metre how many had which parts and likeness of bars.

A file of a checkpoint, JSON: `{"format": 1, "plans": {"jig 6/8": [[2, [1, 7, 1, …], [0, 1, …]], …], …}}`: a count, then
each part: 1 where it ends at home, else 0, and a number for each bar (see `app.abc.lookback.plan`). It has no notes.
`"held": true` has parts end as planned, whatever the network makes of it; where it is not there, they need not.
`"redraws": 8` says that the last bar of a part which ends otherwise is drawn again so often at first.
`"headers": [[2, "", "jig", "6/8", "1/8", "D"], …]` has counts of what the tunes' headers say: the rhythm that the title
names, rhythm, metre, unit length, key; empty texts where they say none. The headers of new tunes are drawn from them;
where they are not there, as in older versions, the network writes them.
"""

import json
from dataclasses import astuple, dataclass
from typing import Any, Self

from model_store.json_file import parse_json

FORMAT = 1

MAX_COUNT = 10**9
"""Tunes of one plan or header: sums of these are exact as floating-point numbers, by which one is drawn."""

Part = tuple[bool, tuple[int, ...]]
"""Whether it ends at home, and each of its bars."""


@dataclass(frozen=True)
class KnownPlan:
    """A plan, the rhythm and metre of its tunes (empty where they name none), and how many they are."""

    rhythm: str
    meter: str
    count: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class KnownHeader:
    """What a header says of its tune, and how many tunes have it."""

    count: int
    in_title: str
    """the word of the title that names a rhythm; empty where none does"""
    rhythm: str
    """empty where none is named"""
    meter: str
    unit: str
    key: str


@dataclass(frozen=True)
class Plans:
    """All of a model."""

    plans: tuple[KnownPlan, ...]
    are_held: bool = False
    """Whether parts have to end as planned."""
    redraws: int = 0
    """How often the last bar of one that ends otherwise is drawn again before it is held to its ending."""
    headers: tuple[KnownHeader, ...] = ()
    """Of all tunes; none in older versions."""

    @classmethod
    def parse(cls, content: bytes, label: str) -> Self:
        """Read a file.

        Args:
            label: the file's name, for errors.

        Raises:
            NewerFormatError: it is in a later format.
            InvalidCheckpointError: it is not such a file.
        """
        return parse_json(content, label, "plans", FORMAT, cls._read)

    @classmethod
    def _read(cls, raw: dict[str, Any]) -> Self:
        plans = tuple(_plan(kind, row) for kind, rows in raw["plans"].items() for row in rows)
        redraws = raw.get("redraws", 0)
        if not isinstance(redraws, int) or redraws < 0:
            raise ValueError(f"redraws: {redraws!r} is not a whole number from 0 up")
        headers = tuple(_header(*row) for row in raw.get("headers", ()))
        return cls(plans, bool(raw.get("held", False)), redraws, headers)

    def to_bytes(self) -> bytes:
        kinds: dict[str, list[list[Any]]] = {}
        for plan in self.plans:
            parts = [[int(at_home), *bars] for at_home, bars in plan.parts]
            kinds.setdefault(f"{plan.rhythm} {plan.meter}", []).append([plan.count, *parts])
        rows = ",\n".join(f" {json.dumps(kind)}: {json.dumps(plans)}" for kind, plans in kinds.items())
        held = ' "held": true,' if self.are_held else ""
        redraws = f' "redraws": {self.redraws},' if self.redraws else ""
        lines = ",\n".join(f" {json.dumps(astuple(each))}" for each in self.headers)
        headers = f' "headers": [\n{lines}\n],' if self.headers else ""
        return f'{{"format": {FORMAT},{held}{redraws}{headers} "plans": {{\n{rows}\n}}}}\n'.encode()


def _header(count: int, *texts: str) -> KnownHeader:
    if not _is_count(count) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{[count, *texts]!r} is not a count from 1 to {MAX_COUNT} and what a header says")
    return KnownHeader(count, *texts)


def _plan(kind: str, row: list[Any]) -> KnownPlan:
    count, *parts = row
    are_parts = all(len(part) > 1 and all(isinstance(n, int) and n >= 0 for n in part) for part in parts)
    if not _is_count(count) or not parts or not are_parts:
        raise ValueError(f"{row!r} is not a count from 1 to {MAX_COUNT} and parts")
    rhythm, _, meter = kind.rpartition(" ")
    return KnownPlan(rhythm, meter, count, tuple((bool(part[0]), tuple(part[1:])) for part in parts))


def _is_count(count: object) -> bool:
    return type(count) is int and 1 <= count <= MAX_COUNT
