"""API keys: generated and shown once; the key file stores their SHA-256 hashes only.

A key is 256 random bits, so one SHA-256 without salt is enough: it cannot be guessed. Each line of the file
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
    """The key file cannot be used; the text names the line and the expected format."""


@dataclass(frozen=True)
class Holder:
    """Who a key belongs to, and their rate limit where it differs from LILT_RATE_PER_MINUTE."""

    label: str
    rate_per_minute: int | None = None


def make(label: str) -> tuple[str, str]:
    """A new key, and its line for the key file.

    Raises:
        KeyFileError: the label is not 1 to 64 letters, digits and `._@-`.
    """
    key = _PREFIX + secrets.token_urlsafe(32)
    line = f"{label} {_hash(key)}"
    if not _LINE.fullmatch(line):
        raise KeyFileError(f"label {label!r}: 1 to 64 letters, digits, dots, dashes, underscores and @ are allowed")
    return key, line


class Keys:
    """The keys of a file, which is read again when it has changed."""

    def __init__(self, file: Path) -> None:
        """Raises KeyFileError: the file is missing or empty, or has an invalid line."""
        self._file = file
        self._seen = self._mark()
        self._holders = _parse(file)

    def holder(self, key: str) -> Holder | None:
        """The holder of a key; compares in constant time, whether and wherever it is found."""
        presented, found = _hash(key), None
        for known, holder in self._holders.items():
            if hmac.compare_digest(known, presented):
                found = holder
        return found

    def refresh(self) -> None:
        """Read the file again if it has changed; an invalid one is logged and the loaded keys are kept."""
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        before = self._labels()
        try:
            self._holders = _parse(self._file)
        except KeyFileError as error:
            logger.error("%s; the loaded keys are kept", error)  # noqa: TRY400
            return
        for label in before - self._labels():
            metrics.forget_key(label)
        logger.info("loaded %d keys of %d holders", len(self._holders), len(self._labels()))

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


def key_from_header(authorization: str, *, accepts_basic: bool = True) -> str | None:
    """The key in an `Authorization` header: `Bearer KEY`, or for browsers `Basic` with the key as the password."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic" and accepts_basic:
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
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise KeyFileError(f"LILT_API_KEYS_FILE: {file} cannot be read: {why}") from None
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
        raise KeyFileError(f"LILT_API_KEYS_FILE: {file.name} has no key, so nobody could use the service")
    return holders
