"""What a musician may ask of a tune."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """How a tune is laid out: how many parts, of how many bars, each played twice or once."""

    bars: int
    parts: int
    repeated: bool = True


@dataclass(frozen=True)
class Request:
    """What a musician asked for; None and an open range leave the choice to the model.

    `key` and `meter` as the fields have them (`Ador`, `6/8`); `low` and `high` are MIDI numbers.
    """

    key: str | None = None
    meter: str | None = None
    rhythm: str | None = None
    form: Form | None = None
    low: int | None = None
    high: int | None = None
