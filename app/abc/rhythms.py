"""The rhythms that `R:` may name, with the metres of each.

After what the tunebooks of the default model and Breathnach's "Folk Music and Dances of Ireland" (1971) have; the
likeliest metre stands first. A user's own `R:` may say anything.
"""

from collections.abc import Mapping

METERS_OF_RHYTHM: Mapping[str, tuple[str, ...]] = {
    "reel": ("C|", "4/4", "2/2", "C", "2/4"),
    "jig": ("6/8",),
    "double jig": ("6/8",),
    "single jig": ("6/8", "12/8"),
    "slip jig": ("9/8",),
    "hornpipe": ("4/4", "C", "C|", "2/2", "2/4"),
    "polka": ("2/4",),
    "slide": ("12/8", "6/8"),
    "waltz": ("3/4",),
    "mazurka": ("3/4",),
    "strathspey": ("4/4", "C"),
    "march": ("4/4", "C", "C|", "2/2", "2/4", "6/8"),
    "clog": ("2/2", "C|", "4/4", "C", "2/4"),
    "fling": ("2/2", "C|", "4/4", "C", "2/4"),
    "highland fling": ("4/4", "C", "C|", "2/2"),
    "barndance": ("4/4", "C", "2/2", "C|"),
    "schottische": ("4/4", "C", "2/4"),
    "set dance": ("2/2", "C|", "4/4", "C", "6/8", "9/8", "2/4"),
    "walkaround": ("2/4", "4/4", "C"),
    "air": ("3/4", "4/4", "C", "6/8", "2/4", "2/2", "C|", "3/8", "9/8"),
}
