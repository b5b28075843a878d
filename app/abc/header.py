"""Reads the header of a tune: its fields up to `K:`, and what they say of the notes that follow."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from app.abc.accidentals import Reach, parse_reach
from app.abc.fields import (
    Properties,
    Tempo,
    named_key,
    parse_key,
    parse_meter,
    parse_properties,
    parse_tempo,
    parse_unit,
)
from app.abc.keys import Key
from app.abc.meters import Meter, default_unit
from app.abc.midi_directives import played_directive
from app.abc.texts import readable, without_comment
from app.abc.tunebook import FIELD, split_header

_STRICT = re.compile(r"%abc-(?:2\.[1-9]|[3-9])")


@dataclass(frozen=True)
class Header:
    """The fields up to `K:`, each with all its values, and what they say of the notes that follow."""

    fields: dict[str, list[str]]
    key: Key
    meter: Meter
    """4/4 where none is said"""
    unit: Fraction
    properties: Properties
    """of all voices that say no others"""
    tempo: Tempo
    """what the last `Q:` says"""
    directives: tuple[str, ...] = ()
    reach: Reach = "pitch"
    """of accidentals"""
    says_meter: bool = True
    is_strict: bool = False
    """whether the text says that it keeps to ABC 2.1, by which words are set to all notes since the words before"""

    def after(self, name: str, value: str) -> "Header":
        """What it comes to be by a field that stands after it and before the first voice."""
        match name:
            case "K":
                return replace(
                    self, key=named_key(value) or self.key, properties=self.properties.then(parse_properties(value))
                )
            case "M":
                return replace(self, meter=parse_meter(value), says_meter=True)
            case "L":
                return replace(self, unit=parse_unit(value) or self.unit)
            case "Q":
                said = parse_tempo(value, self.unit)
                return replace(self, tempo=said if said.count else replace(self.tempo, words=said.words))
        return self

    def first(self, name: str) -> str | None:
        """A field's first value, as it is to be read."""
        value = next(iter(self.fields.get(name, [])), None)
        return None if value is None else readable(value)


def read_header(abc: str) -> tuple[Header, list[str]]:
    """The header of a tune, and the lines after it."""
    lines = with_continuations(_lines(abc))
    fields, body = split_header(lines)
    head = lines[: len(lines) - len(body)]
    key, properties = (parse_key(fields["K"][0]), parse_properties(fields["K"][0])) if "K" in fields else (Key(), None)
    meter = parse_meter(fields["M"][-1]) if "M" in fields else Meter()
    unit = parse_unit(fields["L"][-1]) if "L" in fields else None
    unit = unit or default_unit(meter.length)
    return Header(
        fields,
        key,
        meter,
        unit,
        properties or Properties(),
        parse_tempo(fields["Q"][-1], unit) if "Q" in fields else Tempo(),
        directives=tuple(filter(None, map(played_directive, head))),
        reach=([reach for line in head if (reach := parse_reach(line))] or ["pitch"])[-1],
        says_meter="M" in fields,
        is_strict=any(map(_STRICT.match, head)),
    ), body


def body_lines(abc: str) -> list[str]:
    """The lines after a tune's header as they stand in the text, `+:` lines too, for what counts places in it."""
    return split_header(_lines(abc))[1]


def _lines(abc: str) -> list[str]:
    return abc.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def with_continuations(lines: list[str]) -> list[str]:
    """The lines with each `+:` line at the end of the field that it continues (ABC 2.1, section 3.3); as many lines."""
    if not any(line.startswith("+:") for line in lines):
        return lines
    joined, pieces, field = list(lines), list[str](), None
    for number, line in enumerate(lines):
        if line.startswith("+:") and field is not None:
            pieces.append(line[2:].strip())
            joined[number] = "%"
        elif not line.startswith("%"):
            if field is not None:
                joined[field] = _joined(pieces)
            field = number if FIELD.match(line) and not line.startswith("+:") else None
            pieces = [line]
    if field is not None:
        joined[field] = _joined(pieces)
    return joined


def _joined(pieces: list[str]) -> str:
    return " ".join([*map(without_comment, pieces[:-1]), pieces[-1]])
