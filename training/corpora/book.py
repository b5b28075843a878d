"""A tunebook as it was read, with its provenance."""

from dataclasses import dataclass

from training.corpora.tunebook import Reject

SEPARATOR = "\n\n"
"""What stands between two tunes, before the first and after the last."""


@dataclass(frozen=True)
class Book:
    """Tunes of one origin under one licence; `sha256` is that of the file or files."""

    name: str
    origin: str
    licence: str
    sha256: str
    tunes: tuple[str, ...]
    rejects: tuple[Reject, ...] = ()
    kin: tuple[str, ...] = ()  # for each tune, which others are settings of it: those with the same word
    text: str = ""  # where it is more than the tunes
    is_extra: bool = False  # all of it is learnt from, but what is like held-out tunes of the books before it
