"""What a user may ask of a tune: key, metre, rhythm, range and form, parsed and validated."""

import re
from dataclasses import dataclass
from typing import Self

from app.abc.written_subset import HORNPIPE_METERS
from app.errors import Fault, RequestError
from app.grammar.pitch import KEYS
from app.grammar.ticks import METERS

MAX_BARS = 64
MAX_PARTS = 8


@dataclass(frozen=True)
class Form:
    """How a tune is laid out: how many parts, of how many bars, each played twice or once."""

    bars: int
    parts: int
    repeated: bool = True

    def __post_init__(self) -> None:
        if not (1 <= self.bars <= MAX_BARS and 1 <= self.parts <= MAX_PARTS):
            raise _refused("form", f"a form has 1 to {MAX_BARS} bars a part and 1 to {MAX_PARTS} parts")

    @classmethod
    def parse(cls, text: str) -> Self:
        """`AABB8`: two parts of eight bars, each played twice; `ABC16`: three of sixteen, each once.

        Raises:
            RequestError: it is no form.
        """
        match = re.fullmatch(r"([A-H]+)(\d{1,2})", text)
        letters = match[1] if match else ""
        parts = "ABCDEFGH"[: len(set(letters))]
        repeated = letters == "".join(2 * part for part in parts)
        if not match or not (repeated or letters == parts):
            raise _refused("form", f"{text!a} is not a form; a form is like AABB8, with parts in order, or ABC16")
        return cls(int(match[2]), len(parts), repeated)


@dataclass(frozen=True)
class Request:
    """What a musician asked for; None and an open range leave the choice to the model.

    `key` and `meter` as the fields have them (`Ador`, `6/8`); `low` and `high` are MIDI numbers.

    Raises:
        RequestError: there is no such key or metre, or the range is upside down.
    """

    key: str | None = None
    meter: str | None = None
    rhythm: str | None = None
    form: Form | None = None
    low: int | None = None
    high: int | None = None

    def __post_init__(self) -> None:
        if self.key is not None and self.key not in KEYS:
            raise _refused(
                "key", f"{self.key!a} is not a key with at most seven accidentals; keys are like D, Bm, Ador"
            )
        if self.meter is not None and self.meter not in METERS:
            raise _refused("meter", f"{self.meter!a} is not a metre here; there are {', '.join(METERS)}")
        is_swung = self.rhythm is not None and self.rhythm.startswith(("hornpipe", "Hornpipe"))
        if is_swung and self.meter is not None and self.meter not in HORNPIPE_METERS:
            raise _refused("meter", f"a hornpipe is in {', '.join(HORNPIPE_METERS)}, not in {self.meter}")
        if self.rhythm is not None and not (self.rhythm.isprintable() and self.rhythm.strip("% ")):
            raise _refused("rhythm", f"{self.rhythm!a} is not a rhythm; a rhythm is like reel or slip jig")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise _refused("low", "the lowest note is above the highest")


def _refused(field: str, message: str) -> RequestError:
    return RequestError(message, faults=(Fault(message, field=field),))
