"""OpenTelemetry traces: when they are exported, and spans that contain nothing of what was sent.

FastAPI makes a span of each request, and sends all spans to the collector that OpenTelemetry's own variables name. What
it needs for that is an extra of this package; where it is not installed, or no collector is named, a span is nothing.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from opentelemetry import propagate, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.trace import Span, StatusCode

if TYPE_CHECKING:  # training renders too, and has no use for FastAPI
    from fastapi.telemetry import TelemetryConfig
    from starlette.types import Scope

logger = logging.getLogger(__name__)

_COLLECTOR = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORTER = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_LAST_S = 2.0  # for what is left at the end; by itself the exporter tries a dead collector for up to a minute
_REDACTED = "REDACTED"  # the word that OpenTelemetry's conventions have for it

_tracer = trace.get_tracer("lilt")


def config(quiet: Container[str]) -> "TelemetryConfig":
    """FastAPI's telemetry configuration; requests for the `quiet` paths are not traced."""
    return {
        "auto_configure": _can_send(),
        "metrics": False,  # Prometheus has them
        "logs": False,  # they would quote exceptions, and those may quote what was sent
        "operation_spans": False,
        "exclude": lambda scope: scope.get("path") in quiet,
    }


def _can_send() -> bool:
    named = next((name for name in _COLLECTOR if os.environ.get(name)), None)
    if named is None:
        return False
    try:
        import_module(_EXPORTER)
    except ImportError:
        logger.warning("%s is set, but what sends traces is not installed: requirements/telemetry.txt has it", named)
        return False
    if propagate.extract({}) is None:  # OTEL_PROPAGATORS=none, on which FastAPI 0.165 fails at each request
        propagate.set_global_textmap(W3CBaggagePropagator())  # which nothing here reads
    return True


async def close() -> None:
    """Export the remaining spans, but do not let an unreachable collector delay the shutdown."""
    provider = trace.get_tracer_provider()
    if os.environ.keys() & _COLLECTOR and hasattr(provider, "shutdown"):
        thread = threading.Thread(target=provider.shutdown, name="last-traces", daemon=True)
        thread.start()
        await asyncio.to_thread(thread.join, _LAST_S)


def redact(scope: "Scope", methods: Container[str]) -> None:
    """Redact path, query, host and unknown methods in a request's span; `methods` are the known ones."""
    span = trace.get_current_span()
    if span.is_recording():
        span.set_attributes({"url.path": _REDACTED, "server.address": _REDACTED})
        if scope["query_string"]:
            span.set_attribute("url.query", _REDACTED)
        if scope["method"] not in methods:
            span.set_attribute("http.request.method_original", _REDACTED)


def begin(name: str, attributes: Mapping[str, str | int]) -> Span:
    """A child of the current span, to be ended by the caller."""
    return _tracer.start_span(name, attributes=attributes)


@contextmanager
def step(name: str, attributes: Mapping[str, str | int] | None = None) -> Iterator[Span]:
    """A span around a piece of work; it records the type of an exception, not its message."""
    with _tracer.start_as_current_span(
        name, attributes=attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", type(error).__qualname__)
            span.set_status(StatusCode.ERROR)
            raise


def trace_id() -> str | None:
    """The trace that the current work belongs to, in 32 hexadecimal digits."""
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None
