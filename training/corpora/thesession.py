"""Reads the public dump of thesession.org: `tunes.csv` or `tunes.json`, a row for each setting of a tune.

The dump is under the Open Database License, which asks that its source be named wherever it is used: that stands in the
record of every model that learnt from it. Its authors now forbid its use with large language models: who reads a copy
of their own must see what that allows them. Nothing that is published here learnt from it. Settings of one tune have
its `tune_id` in common.
"""

import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from training.corpora import pip_download
from training.corpora.book import Book
from training.corpora.tunebook import Reject
from training.errors import CorpusError

NAME = "thesession"
LICENCE = "ODbL 1.0; contains information from The Session (thesession.org), made available under that licence"
COLUMNS = ("tune_id", "setting_id", "name", "type", "meter", "mode", "abc")
"""What is read of a row; the dump has `date`, `username` and `composer` beside."""

_MODE = re.compile(r"([A-G][#b]?)(\w+)")


def open_book(path: Path) -> Book:
    """The settings of a dump as tunes.

    Raises:
        CorpusError: the file cannot be read, or has other columns.
    """
    try:
        content = path.read_bytes()
        rows = _rows(content.decode("utf-8-sig"), path)
    except OSError as error:
        raise CorpusError(f"{path}: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise CorpusError(f"{path}: not a dump of thesession.org ({error})") from None
    tunes, kin, rejects = [], [], []
    for number, row in enumerate(rows, 1):
        missing = [name for name in COLUMNS if name not in row]
        if missing:
            raise CorpusError(f"{path}: row {number} has no {missing[0]}; a row has {', '.join(COLUMNS)}")
        if row["abc"].strip():
            tunes.append(to_abc(row))
            kin.append(f"thesession {row['tune_id']}")
        else:
            rejects.append(Reject(path.name, number, "no notes"))
    origin = f"{path.name}, the public dump of thesession.org"
    return Book(NAME, origin, LICENCE, pip_download.sha256(content), tuple(tunes), tuple(rejects), tuple(kin))


def _rows(text: str, path: Path) -> Iterable[Mapping[str, str]]:
    if path.suffix == ".json":
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise CorpusError(f"{path}: not a list of settings")
        return [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
    csv.field_size_limit(sys.maxsize)
    return csv.DictReader(io.StringIO(text, newline=""))


def to_abc(row: Mapping[str, str]) -> str:
    """A setting as a tune, in the dump's own notation: `mode` is written as `Gmajor`, `abc` is the body alone."""
    body = "\n".join(line for line in row["abc"].splitlines() if line.strip())
    header = (("X", "setting_id"), ("T", "name"), ("R", "type"), ("M", "meter"))
    fields = [f"{field}:{' '.join(row[column].split())}" for field, column in header]
    key = _MODE.sub(r"\1 \2", row["mode"].strip(), count=1)
    return "\n".join([*fields, "L:1/8", f"K:{key}", body])
