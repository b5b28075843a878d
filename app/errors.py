"""What can go wrong, in words: one tree of errors; which HTTP status each becomes is the business of `app.api`.

LiltError
├── CharacterError      a start string holds a character the model does not know
├── NotationError       a text is not a tune, or holds what a tune may not
├── RequestError        a key, metre, rhythm, range, form or bar that cannot be had
├── RenderError         abc2midi or a synthesiser could not make anything of a tune
├── CredentialError     no key, or one that is not known
├── CrossSiteError      another site's page made a browser ask
├── HostError           the request's Host is not one that is allowed
├── RateError           the caller's rate limit or quota is used up: come back in `retry_after_s`
├── RangeError          a file has none of the bytes that were asked for
├── NotAcceptableError  none of the media types asked for can be made
├── MediaTypeError      a body in a type that is not read
├── BusyError           the queue is full: come back in `retry_after_s`
├── StorageError        the disk is full
├── DeadlineError       a time limit was hit
├── DecoderError        the decoder failed on this sequence
└── VocabularyError     a model lacks characters that every tune needs

SetupError              what was asked for cannot begin as it is set up
"""

import errno
from dataclasses import dataclass

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""numbers of an OSError"""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where.

    `field` is a path into the request (`start_string`); `line` and `column` are 1-based places in an ABC text; `bar` is
    counted as abc2midi counts.
    """

    message: str
    field: str | None = None
    position: int | None = None
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class SetupError(Exception):
    """What was asked for cannot begin as it is set up; its text is fit for a user."""


class LiltError(Exception):
    """Base of every error that a caller is told of; its text, and its faults, are fit for a user."""

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.retry_after_s = retry_after_s


class CharacterError(LiltError):
    """A start string holds a character the model does not know."""


class NotationError(LiltError):
    """A text is not a tune, or holds what a tune may not."""


class RequestError(LiltError):
    """A key, metre, rhythm, range, form or bar that cannot be had."""


class RenderError(LiltError):
    """Abc2midi or a synthesiser could not make anything of a tune."""


class CredentialError(LiltError):
    """No key, or one that is not known."""


class CrossSiteError(LiltError):
    """Another site's page made a browser ask."""


class HostError(LiltError):
    """The request's Host is not one that is allowed."""


class RateError(LiltError):
    """The caller's rate limit or quota is used up: come back in `retry_after_s`."""


class RangeError(LiltError):
    """A file has none of the bytes that were asked for."""


class NotAcceptableError(LiltError):
    """None of the media types asked for can be made."""


class MediaTypeError(LiltError):
    """A body in a type that is not read."""


class BusyError(LiltError):
    """The queue is full: come back in `retry_after_s`."""


class StorageError(LiltError):
    """The disk is full."""


class DeadlineError(LiltError):
    """A time limit was hit."""


class DecoderError(LiltError):
    """The decoder failed on this sequence."""


class VocabularyError(LiltError):
    """A model lacks characters that every tune needs."""
