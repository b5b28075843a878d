"""API keys: made once and shown once; the file that lets them in holds hashes alone.

A key is 256 bits of chance, so one SHA-256 is enough of a hash: there is nothing to guess from. Each line of the file
is a label, the hash and, if it is to differ from LILT_RATE_PER_MINUTE, the units a minute. Lines with one label are
keys of one holder: to change a key, add the new line, wait until the old key is no longer used, and take its line out.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from app.errors import SetupError
from app.operations import metrics

logger = logging.getLogger(__name__)

_PREFIX = "lilt_"
_LINE = re.compile(r"(?P<label>[A-Za-z0-9._@-]{1,64})\s+(?P<hash>[0-9a-f]{64})(?:\s+(?P<rate>[1-9][0-9]{0,8}))?")


class KeyFileError(SetupError):
    """The file of keys cannot be used; the text says which line and what a line looks like."""


@dataclass(frozen=True)
class Holder:
    """Who a key belongs to, and the units a minute that are theirs, where these differ from everybody's."""

    label: str
    rate_per_minute: int | None = None


def make(label: str) -> tuple[str, str]:
    """A new key, and the line that lets it in.

    Raises:
        KeyFileError: the label is not 1 to 64 letters, digits and `._@-`.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    line = f"{label} {_hash(key)}"
    if not _LINE.fullmatch(line):
        raise KeyFileError(f"label {label!r}: 1 to 64 letters, digits, dots, dashes, underscores and @ are allowed")
    return key, line


class Keys:
    """The keys of a file, which may change while they are in use."""

    def __init__(self, file: Path) -> None:
        """Raises KeyFileError: the file is not there, is empty or has a line that is not one."""
        self._file = file
        self._seen = self._mark()
        self._holders = _parse(file)

    def holder(self, key: str) -> Holder | None:
        """Whose key this is; takes the same time whether and where it is found."""
        presented, found = _hash(key), None
        for known, holder in self._holders.items():
            if hmac.compare_digest(known, presented):
                found = holder
        return found

    def refresh(self) -> None:
        """Read the file again if it has changed; one that cannot be used is logged, and the keys stay as they were."""
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        before = self._labels()
        try:
            self._holders = _parse(self._file)
        except KeyFileError as error:
            logger.error("%s; the keys stay as they were", error)  # noqa: TRY400
            return
        for label in before - self._labels():
            metrics.forget_key(label)
        logger.info("%d keys of %d holders", len(self._holders), len(self._labels()))

    def has_label(self, label: str) -> bool:
        """Whether a key of this label is in the file."""
        return any(holder.label == label for holder in self._holders.values())

    def _labels(self) -> set[str]:
        return {holder.label for holder in self._holders.values()}

    def _mark(self) -> tuple[int, int, int] | None:
        try:
            status = self._file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino


def presented(authorization: str, *, is_password_taken: bool = True) -> str | None:
    """The key in an `Authorization` header: `Bearer KEY`, or for browsers `Basic` with the key as the password."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and is_password_taken:
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _parse(file: Path) -> dict[str, Holder]:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"LILT_API_KEYS_FILE: {file} cannot be read ({type(error).__name__})") from None
    holders: dict[str, Holder] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            raise KeyFileError(
                f"LILT_API_KEYS_FILE: {file.name}, line {number}: a line is a label, 64 hexadecimal digits and perhaps "
                "units a minute; `python -m app key LABEL` makes one"
            )
        holders[match["hash"]] = Holder(match["label"], int(match["rate"]) if match["rate"] else None)
    if not holders:
        raise KeyFileError(f"LILT_API_KEYS_FILE: {file.name} holds no key, so nobody could come in")
    return holders
