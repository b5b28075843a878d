"""The service on Ray Serve: `RAY_USAGE_STATS_ENABLED=0 serve run deploy/ray/serve.yaml`, from the repository's folder.

Each replica is the whole application with its own models, made where it runs. A request is answered by one replica from
beginning to end, its stream too; since a seed makes the same tune anywhere, it does not matter which.
"""

from typing import Any

from fastapi import FastAPI
from ray import serve

from app.api.application import create_app


def build() -> FastAPI:
    """The application, from the LILT_* variables of the machine that the replica is on."""
    return create_app()


class Replica:
    """One of the service's copies."""


# One that is told to go answers what it has first, as long as the service's own stop would wait.
Lilt = serve.deployment(
    name="Lilt", graceful_shutdown_timeout_s=35, health_check_period_s=5, health_check_timeout_s=10
)(serve.ingress(build)(Replica))


def application(arguments: dict[str, Any]) -> serve.Application:
    """What `serve run` starts; `arguments` are its `args`, of which there are none."""
    if arguments:
        raise ValueError(f"args: {', '.join(arguments)}: there are none; the service is set up by LILT_* variables")
    return Lilt.bind()
