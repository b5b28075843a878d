"""The service's Prometheus metrics.

`multiprocess_mode` says how the gauges of several workers become one (`shared_metrics.py`).
"""

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from app.operations import shared_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each count, of no use to Prometheus

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_ROUTE = ("method", "route")

REQUESTS = Counter("http_requests", "Requests answered.", (*_ROUTE, "status"))
DURATION = Histogram(
    "http_request_duration_seconds", "From a request's head to its answer's last byte.", _ROUTE, buckets=_SECONDS
)
FIRST_BYTE = Histogram(
    "http_response_start_seconds", "From a request's head to its answer's head.", _ROUTE, buckets=_SECONDS
)
IN_PROGRESS = Gauge("http_requests_in_progress", "Requests that are being answered.", multiprocess_mode="livesum")

CHARACTERS = Counter("lilt_characters", "Characters that the model has drawn.", ("model",))
TUNES = Counter("lilt_tunes", "Whole tunes that were answered with.", ("model",))
GENERATIONS = Counter("lilt_generations", "Requests to generate that have ended.", ("model", "outcome"))
MASK_REMOVED = Histogram(
    "lilt_mask_removed_probability",
    "How much of the model's own distribution the grammar took away, at one step in a thousand.",
    buckets=(0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0),
)
RENDERS = Counter("lilt_renders", "Files made, by how that ended.", ("format", "outcome"))
RENDER_DURATION = Histogram(
    "lilt_render_duration_seconds", "From a render's turn to its file's last byte.", ("format",), buckets=_SECONDS
)
CACHE_LOOKUPS = Counter("lilt_render_cache_lookups", "Files asked for, by whether they were kept.", ("result",))
CACHE_BYTES = Gauge(
    "lilt_render_cache_bytes", "What the files that are kept take of the disk.", multiprocess_mode="livemostrecent"
)
CACHE_ENTRIES = Gauge("lilt_render_cache_entries", "Files that are kept.", multiprocess_mode="livemostrecent")
SANDBOX_RUNS = Counter("lilt_sandbox_runs", "Programs run on strangers' files, by how they ended.", ("outcome",))
FILTER_REFUSALS = Counter("lilt_filter_refusals", "Tunes that were not handed to a renderer.")
ADMISSION_REFUSALS = Counter("lilt_refusals", "Requests refused for their host, origin, key or rate.", ("reason",))

KEY_REQUESTS = Counter("lilt_key_requests", "Requests by the label of their key, those turned away too.", ("key",))
KEY_UNITS = Counter("lilt_key_units", "Units spent by the holders of keys.", ("key",))

BUILD = Gauge("lilt_build_info", "1 for the version that runs.", ("version", "python"), multiprocess_mode="livemax")
MODEL = Gauge(
    "lilt_model_info", "1 for each model that is served.", ("name", "version", "digest"), multiprocess_mode="livemax"
)
WAITING = Gauge(
    "lilt_engine_waiting",
    "Sequences that wait for their first step or their next turn.",
    ("model",),
    multiprocess_mode="livesum",
)
RUNNING = Gauge(
    "lilt_engine_running", "Sequences that are stepped together now.", ("model",), multiprocess_mode="livesum"
)
BATCH_SIZE = Histogram(
    "lilt_engine_batch_size", "Sequences in a step, at one step in a thousand.", buckets=(1, 2, 4, 8, 16, 32, 48, 64)
)


def forget_model(name: str, version: int, digest: str) -> None:
    """Say that a model is served no more; `/metrics` leaves out what is 0."""
    MODEL.labels(name, str(version), digest).set(0)


def forget_key(label: str) -> None:
    """Remove the series of a key's label, so that the key file bounds their number.

    Workers' files keep it; `/metrics` leaves it out.
    """
    if shared_metrics.is_shared():
        return
    for counter in (KEY_REQUESTS, KEY_UNITS):
        counter.remove(label)
