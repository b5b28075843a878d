"""`GET /metrics`, for Prometheus."""

import platform
from collections.abc import Iterator

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from app.api.api_keys import Keys
from app.api.dependencies import Loaded
from app.api.middleware.admission import NO_KEY
from app.generation.model_registry import Models
from app.operations import metrics, shared_metrics
from app.version import VERSION

router = APIRouter(include_in_schema=False)


@router.api_route("/metrics", methods=["GET", "HEAD"])
async def scrape(request: Request, loaded: Loaded) -> Response:
    """All counters and histograms, with the engines' gauges as they are now; of all workers, whichever is asked."""
    update_gauges(loaded)
    registry = REGISTRY
    if shared_metrics.is_shared():
        registry = CollectorRegistry()
        registry.register(_OfAllWorkers(request.app.state.processes(), request.app.state.keys))
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def update_gauges(loaded: Models) -> None:
    """Set the gauges; a worker does so every second, for the others to read."""
    metrics.BUILD.labels(VERSION, platform.python_version()).set(1)
    if not shared_metrics.is_shared():
        for gauge in (metrics.MODEL, metrics.WAITING, metrics.RUNNING):
            gauge.clear()
    for model in loaded.all():
        metrics.MODEL.labels(model.id.name, str(model.id.version), model.id.hash).set(1)
        metrics.WAITING.labels(model.id.name).set(model.engine.waiting)
        metrics.RUNNING.labels(model.id.name).set(model.engine.running)


class _OfAllWorkers(Collector):
    """Their metrics, without series that one process alone would have removed: of old models, of keys taken out."""

    def __init__(self, processes: list[int], keys: Keys | None) -> None:
        self._processes, self._keys = processes, keys

    def collect(self) -> Iterator[Metric]:
        for family in shared_metrics.collect(self._processes):
            family.samples = [
                sample
                for sample in family.samples
                if self._has_key(sample.labels.get("key", NO_KEY))
                and (family.name != "lilt_model_info" or sample.value)
            ]
            yield family

    def _has_key(self, label: str) -> bool:
        return label == NO_KEY or (self._keys is not None and self._keys.has_label(label))
