"""The errors of `app`, as one tree. They know nothing of HTTP: `app.api.problem_details` maps each to a status.

LiltError
├── CharacterError      a start string contains a character outside the vocabulary
├── NotationError       a text is not a tune, or contains what a tune may not
├── RequestError        a key, metre, rhythm, range, form or bar that cannot be written
├── RenderError         abc2midi, the engraver or a synthesiser failed on a tune
├── CredentialError     no API key, or an unknown one
├── CrossSiteError      a cross-site request from an origin that is not allowed
├── HostError           the request's Host is not one that is allowed
├── RateError           the caller's rate limit or quota is used up: come back in `retry_after_s`
├── RangeError          the requested byte range is outside the file
├── NotAcceptableError  none of the accepted media types can be produced
├── MediaTypeError      the request body's media type is not supported
├── BusyError           the queue is full: come back in `retry_after_s`
├── StorageError        the disk is full
├── DeadlineError       a time limit was hit
├── DecoderError        the decoder failed on this sequence
└── VocabularyError     a model lacks characters that every tune needs

SetupError              a command cannot start with its settings or environment
"""

import errno
from dataclasses import dataclass

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""values of `OSError.errno`"""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and where.

    `field` is a path into the request (`start_string`); `line` and `column` are 1-based places in an ABC text; bars
    count from 1, a pickup before them is 0.
    """

    message: str
    field: str | None = None
    position: int | None = None
    line: int | None = None
    column: int | None = None
    bar: int | None = None


class SetupError(Exception):
    """A command cannot start with its settings or environment; the text may be shown to users."""


class LiltError(Exception):
    """Base of every error that is reported to callers; its text and its faults may be shown to users."""

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.retry_after_s = retry_after_s


class CharacterError(LiltError):
    """A start string contains a character outside the vocabulary."""


class NotationError(LiltError):
    """A text is not a tune, or contains what a tune may not."""


class RequestError(LiltError):
    """A key, metre, rhythm, range, form or bar that cannot be written."""


class RenderError(LiltError):
    """abc2midi, the engraver or a synthesiser failed on a tune."""


class CredentialError(LiltError):
    """No API key, or an unknown one."""


class CrossSiteError(LiltError):
    """A cross-site request from an origin that is not allowed."""


class HostError(LiltError):
    """The request's `Host` header is not allowed."""


class RateError(LiltError):
    """The caller's rate limit or quota is used up: come back in `retry_after_s`."""


class RangeError(LiltError):
    """The requested byte range is outside the file."""


class NotAcceptableError(LiltError):
    """None of the accepted media types can be produced."""


class MediaTypeError(LiltError):
    """The request body's media type is not supported."""


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
