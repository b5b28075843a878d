"""`GET /metrics`, for Prometheus."""

import platform

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.api.generate_routes import Loaded
from app.generation.model_registry import Models
from app.operations import metrics
from app.version import VERSION

router = APIRouter(include_in_schema=False)


@router.api_route("/metrics", methods=["GET", "HEAD"])
async def scrape(loaded: Loaded) -> Response:
    """All counters and histograms, with the engines' gauges as they are now."""
    metrics.BUILD.labels(VERSION, platform.python_version()).set(1)
    _update_gauges(loaded)
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _update_gauges(loaded: Models) -> None:
    for gauge in (metrics.MODEL, metrics.WAITING, metrics.RUNNING):
        gauge.clear()
    for model in loaded.all():
        metrics.MODEL.labels(model.id.name, str(model.id.version), model.id.hash).set(1)
        metrics.WAITING.labels(model.id.name).set(model.engine.waiting)
        metrics.RUNNING.labels(model.id.name).set(model.engine.running)
