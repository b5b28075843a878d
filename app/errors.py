"""Every error the service answers with, each an RFC 9457 problem.

LiltError
├── CharacterError          422  a start string holds a character the model does not know
├── NotationError           422  a text is not a tune, or holds what a tune may not
├── RequestError            422  a key, metre, rhythm, range or form that cannot be had
├── RenderError             422  abc2midi or timidity could not make anything of a tune
├── CredentialError         401  no key, or one that is not known
├── CrossSiteError          403  another site's page made a browser ask
├── HostError               421  the request's Host is not one that is allowed
├── RateError               429  the caller's allowance is used up: come back in `retry_after_s`
├── RangeError              416  a file has none of the bytes that were asked for
├── NotAcceptableError      406  none of the media types asked for can be made
├── MediaTypeError          415  a body in a type that is not read
├── BusyError               503  the queue is full: come back in `retry_after_s`
├── StorageError            507  the disk is full
├── DeadlineError           504  a time limit was hit
├── DecoderError            500  the decoder failed on this sequence
└── VocabularyError         500  a model lacks characters that every tune needs
"""

import errno
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

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

    def as_json(self) -> dict[str, str | int]:
        return {key: value for key, value in vars(self).items() if value is not None}


class SetupError(Exception):
    """What was asked for cannot begin as it is set up; its text is fit for a user."""


class LiltError(Exception):
    """Base of every error that becomes a problem document; its text is the `detail`."""

    status: ClassVar[HTTPStatus]
    kind: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str, *, faults: tuple[Fault, ...] = (), retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.faults = faults
        self.retry_after_s = retry_after_s


class CharacterError(LiltError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "unknown-character"
    title = "The model does not know this character"


class NotationError(LiltError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "notation"
    title = "This is not a tune that can be played"


class RequestError(LiltError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "request"
    title = "This cannot be asked for"


class RenderError(LiltError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    kind = "render"
    title = "This tune could not be rendered"


class CredentialError(LiltError):
    status = HTTPStatus.UNAUTHORIZED
    kind = "key"
    title = "A key is needed here"


class CrossSiteError(LiltError):
    status = HTTPStatus.FORBIDDEN
    kind = "cross-site"
    title = "Other sites may not use this service"


class HostError(LiltError):
    status = HTTPStatus.MISDIRECTED_REQUEST
    kind = "host"
    title = "Host not allowed"


class RateError(LiltError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    kind = "rate"
    title = "Rate limit exceeded"


class NotAcceptableError(LiltError):
    status = HTTPStatus.NOT_ACCEPTABLE
    kind = "not-acceptable"
    title = "None of the accepted media types can be made"


class RangeError(LiltError):
    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    kind = "range"
    title = "Range not satisfiable"


class MediaTypeError(LiltError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    kind = "media-type"
    title = "This media type is not read here"


class BusyError(LiltError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    kind = "busy"
    title = "Too much is waiting already"


class StorageError(LiltError):
    status = HTTPStatus.INSUFFICIENT_STORAGE
    kind = "storage"
    title = "There is no room to make this"


class DeadlineError(LiltError):
    status = HTTPStatus.GATEWAY_TIMEOUT
    kind = "deadline"
    title = "It took too long"


class DecoderError(LiltError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "decoder"
    title = "The decoder failed"


class VocabularyError(LiltError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    kind = "vocabulary"
    title = "The model cannot write a tune"
