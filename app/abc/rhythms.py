"""The rhythms that `R:` may name, with the metres of each, and which of them can be asked for.

After what the tunebooks of the default model and Breathnach's "Folk Music and Dances of Ireland" (1971) have; the
likeliest rhythm and metre stand first. `app.abc.dances` has their speeds. A user's own `R:` may say anything.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from app.abc.written_subset import HORNPIPE_METERS
from app.errors import Fault, RequestError

METERS_OF_RHYTHM: Mapping[str, tuple[str, ...]] = {
    "reel": ("C|", "4/4", "2/2", "C", "2/4"),
    "jig": ("6/8",),
    "hornpipe": ("4/4", "C", "C|", "2/2", "2/4"),
    "double jig": ("6/8",),
    "slip jig": ("9/8",),
    "air": ("3/4", "4/4", "C", "6/8", "2/4", "2/2", "C|", "3/8", "9/8"),
    "strathspey": ("4/4", "C"),
    "clog": ("2/2", "C|", "4/4", "C", "2/4"),
    "waltz": ("3/4",),
    "polka": ("2/4",),
    "march": ("4/4", "C", "C|", "2/2", "2/4", "6/8"),
    "slide": ("12/8", "6/8"),
    "single jig": ("6/8", "12/8"),
    "barndance": ("4/4", "C", "2/2", "C|"),
    "highland fling": ("4/4", "C", "C|", "2/2"),
    "mazurka": ("3/4",),
    "set dance": ("2/2", "C|", "4/4", "C", "6/8", "9/8", "2/4"),
    "hop jig": ("9/8",),
    "schottische": ("4/4", "C", "2/4"),
    "fling": ("2/2", "C|", "4/4", "C", "2/4"),
    "slow air": ("3/4", "4/4", "C", "6/8", "2/4", "2/2", "C|", "3/8", "9/8"),
    "lament": ("3/4", "4/4", "C", "6/8", "2/4", "2/2", "C|"),
    "planxty": ("6/8", "4/4", "C", "3/4", "2/4"),
    "carolan": ("6/8", "4/4", "C", "3/4", "2/4"),
    "walkaround": ("2/4", "4/4", "C"),
}

_WORDS = frozenset(rhythm.split(" ")[-1] for rhythm in METERS_OF_RHYTHM)


def rhythm_in_title(title: str) -> str:
    """The last word of a title that names a rhythm: `jig` of any jig or jigs; empty where none does."""
    words = reversed(re.findall(r"[a-z]+", title.lower()))
    singulars = (singular for word in words for singular in (word, word.removesuffix("s"), word.removesuffix("es")))
    return next((singular for singular in singulars if singular in _WORDS), "")


def meters_to_ask_for(rhythm: str) -> tuple[str, ...]:
    """The metres that a tune of a rhythm on the list can be asked to have."""
    meters = METERS_OF_RHYTHM[rhythm]
    return tuple(meter for meter in meters if rhythm != "hornpipe" or meter in HORNPIPE_METERS)


def check(rhythm: str, meter: str | None) -> None:
    """Whether a tune of this rhythm, in capital letters or small ones, can be asked for, in this metre.

    Raises:
        RequestError: there is no such rhythm, or none in this metre.
    """
    name = rhythm.lower()
    if name not in METERS_OF_RHYTHM:
        near = get_close_matches(name, METERS_OF_RHYTHM, n=2)
        meant = f" (did you mean {' or '.join(near)}?)" if near else ""
        raise _refused("rhythm", f"{rhythm!a} is not a rhythm here{meant}; there are {', '.join(METERS_OF_RHYTHM)}")
    meters = meters_to_ask_for(name)
    if meter is not None and meter not in meters:
        raise _refused("meter", f"{_with_article(name)} is in {_or(meters)}, not in {meter}")


def _with_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _or(names: tuple[str, ...]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _refused(field: str, message: str) -> RequestError:
    return RequestError(message, faults=(Fault(message, field=field),))
