"""Configures logging: text at a terminal, else JSON lines, without anything that clients sent.

A line says what was done for which request, never a tune, a query or a key. An exception is logged by its type and
traceback; its message is left out, since it may quote its input, unless it is an OSError.
"""

import json
import logging
import re
import secrets
import sys
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from app.operations import tracing

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is being answered, for all that is done on its behalf."""

FIELDS = "fields"
"""The `extra` of a record that JSON lines show as members of their own."""

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def request_id(proposed: str | None) -> str:
    """The id that a client or a proxy proposes, where it is 1 to 64 letters, digits, dots or dashes; else a new one."""
    return proposed if proposed and _VALID_ID.fullmatch(proposed) else secrets.token_hex(8)


def configure(form: Literal["auto", "json", "text"], level: int = logging.INFO, *, has_processes: bool = False) -> None:
    """Send every record from a level up to stderr: as text where that is a terminal, else as JSON, unless given.

    Args:
        form: text, JSON, or by what stderr is.
        level: the lowest that is sent.
        has_processes: whether several processes write, so that each line says whose it is.
    """
    is_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    handler = logging.StreamHandler()
    handler.setFormatter((_Text if is_text else _Json)(has_processes=has_processes))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _UVICORN:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


class _Formatter(logging.Formatter):
    def __init__(self, *, has_processes: bool) -> None:
        super().__init__()
        self._has_processes = has_processes


class _Text(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created).astimezone()
        process = f"{record.process} " if self._has_processes else ""
        line = f"{time:%Y-%m-%d %H:%M:%S%z} {process}{record.levelname + ':':<9} {record.getMessage()}"
        if id_ := REQUEST_ID.get():
            line += f" [{id_}]"
        return line + (f"\n{_format_exception(record.exc_info[1])}" if record.exc_info and record.exc_info[1] else "")


class _Json(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        members: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if self._has_processes:
            members["pid"] = record.process
        if id_ := REQUEST_ID.get():
            members["request_id"] = id_
        if trace_id := tracing.trace_id():
            members["trace_id"] = trace_id
        members |= getattr(record, FIELDS, {})
        if record.exc_info and record.exc_info[1]:
            members["exception"] = _format_exception(record.exc_info[1])
        return json.dumps(members, default=str)


def _format_exception(error: BaseException) -> str:
    """The traceback of an exception and its causes, the root cause first, without their messages."""
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    words = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, OSError) and error.strerror:
        words += f": {error.strerror}"
    frames = "".join(traceback.format_tb(error.__traceback__))
    return (f"{_format_exception(behind)}\n" if behind else "") + f"Traceback (most recent call last):\n{frames}{words}"
