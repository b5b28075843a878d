"""What a header says of metre, unit length, rhythm and key, as the numbers that a network is told."""

from app.abc.pitch import STEPS

WHOLE = 1920
"""Ticks of a whole note."""

_MODES = {"": 0, "maj": 0, "ion": 0, "m": 1, "min": 1, "aeo": 1, "mix": 2, "dor": 3}
_OTHER_MODE = 4
KEYS = 1 + 7 * 3 * 5  # none; letter, accidental, mode
_METERS = ("2/2", "2/4", "3/2", "3/4", "3/8", "4/4", "5/4", "6/4", "6/8", "7/8", "9/8", "12/8")
METERS = 1 + len(_METERS)
_RHYTHMS = (
    "air",
    "barndance",
    "clog",
    "fling",
    "hornpipe",
    "jig",
    "march",
    "mazurka",
    "polka",
    "reel",
    "set dance",
    "slide",
    "slip jig",
    "song",
    "strathspey",
    "three-two",
    "walkaround",
    "waltz",
)
_OTHER_RHYTHM = len(_RHYTHMS) + 1
RHYTHMS = len(_RHYTHMS) + 2  # none, and any other


def form_number(rhythm: str, meter: str) -> int:
    """What the column `form` says of a header's `R:` and `M:`."""
    return meter_number(meter)[0] * RHYTHMS + rhythm_number(rhythm)


def meter_of_form(number: int) -> int:
    """The metre's number in what the column `form` says; 0 for none that is known."""
    return number // RHYTHMS


def meter_number(value: str) -> tuple[int, int]:
    """Its number, and the ticks of its bar."""
    value = {"C": "4/4", "C|": "2/2"}.get(value, value)
    return _METERS.index(value) + 1 if value in _METERS else 0, ticks_of(value)


def ticks_of(value: str) -> int:
    """The ticks of a fraction of a whole note such as `3/8`; 0 where the text is no fraction."""
    above, _, below = value.partition("/")
    if above.isdecimal() and below.isdecimal() and len(value) < 8 and int(below):
        return WHOLE * int(above) // int(below)
    return 0


def rhythm_number(value: str) -> int:
    value = value.lower()
    return 0 if not value else _RHYTHMS.index(value) + 1 if value in _RHYTHMS else _OTHER_RHYTHM


def key_number(value: str) -> tuple[int, int]:
    """The tonic's step above C (-1: none) and the key's number."""
    letter = STEPS.find(value[:1]) if value else -1
    if letter < 0:
        return -1, 0
    sign = {"#": 1, "b": 2}.get(value[1:2], 0)
    rest = value[2 if sign else 1 :].strip().lower()
    mode = _MODES.get(rest[:3] if rest[:1] != "m" or rest[:3] in _MODES else "m", _OTHER_MODE)
    return letter, 1 + (letter * 3 + sign) * 5 + mode
