"""Reads the header of a tune: its fields up to `K:`, and what they say of the notes that follow."""

from dataclasses import dataclass
from fractions import Fraction

from app.abc.fields import Properties, Tempo, parse_key, parse_meter, parse_properties, parse_tempo, parse_unit
from app.abc.keys import Key
from app.abc.meters import Meter, default_unit
from app.abc.midi_directives import played_directive
from app.abc.texts import readable
from app.abc.tunebook import split_header


@dataclass(frozen=True)
class Header:
    """The fields up to `K:`, each with all its values, and what they say of the notes that follow."""

    fields: dict[str, list[str]]
    key: Key
    meter: Meter
    unit: Fraction
    properties: Properties
    """of all voices that say no others"""
    directives: tuple[str, ...] = ()

    @property
    def tempo(self) -> Tempo:
        """What the last `Q:` says."""
        return parse_tempo(self.fields.get("Q", [""])[-1], self.unit)

    def first(self, name: str) -> str | None:
        """A field's first value, as it is to be read."""
        value = next(iter(self.fields.get(name, [])), None)
        return None if value is None else readable(value)


def read_header(abc: str) -> tuple[Header, list[str]]:
    """The header of a tune, and the lines after it."""
    lines = abc.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fields, body = split_header(lines)
    key, properties = (parse_key(fields["K"][0]), parse_properties(fields["K"][0])) if "K" in fields else (Key(), None)
    meter = parse_meter(fields["M"][-1]) if "M" in fields else Meter()
    unit = parse_unit(fields["L"][-1]) if "L" in fields else None
    directives = tuple(filter(None, map(played_directive, lines[: len(lines) - len(body)])))
    return Header(fields, key, meter, unit or default_unit(meter.length), properties or Properties(), directives), body
