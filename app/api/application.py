"""Builds the FastAPI application: settings, models, renderer, routes and middleware."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.api import (
    generate_routes,
    import_routes,
    metrics_route,
    openapi,
    pages,
    preflight,
    problem_details,
    render_routes,
    service_routes,
    tune_routes,
)
from app.api.api_keys import Keys
from app.api.middleware.admission import Admission
from app.api.middleware.body_limit import BodyLimit
from app.api.middleware.cross_origin import CrossOrigin
from app.api.middleware.rate_limit import Allowances, BucketStore
from app.api.middleware.request_log import ID_HEADER, QUIET, RequestLog
from app.api.middleware.security_headers import SecurityHeaders
from app.api.middleware.vary import Vary
from app.generation.model_registry import Models
from app.inference.decoder import FEW_BESIDE_A_SERVER
from app.operations import tracing
from app.rendering.claims import Claims
from app.rendering.renderer import Renderer
from app.settings import Settings, load
from app.version import VERSION

_TELL_AFTER_S = 1.0
_EXPOSED = (
    *(ID_HEADER, "Retry-After", "RateLimit", "RateLimit-Policy", "Lilt-Seed", "Lilt-Model", "Lilt-Left-Out"),
    *("ETag", "Content-Disposition", "Content-Range", "Accept-Ranges", "Content-Length"),
)
"""response headers that pages of the allowed origins may read"""
_ALLOWED = ("Authorization", ID_HEADER, "If-None-Match", "If-Range", "Range")
"""request headers that they may send, beside the CORS-safelisted ones"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service.

    Args:
        settings: read from the environment and `.env` unless given.

    Raises:
        SettingsError: a setting is unknown or not allowed.
        StoreError: there is no checkpoint that can be served.
        SandboxError: the sandbox that LILT_SANDBOX asks for does not work here.
        KeyFileError: the key file cannot be used.
        CacheFolderError: the cache folder is not private to this user.
        StartupError: there is no room for its threads, a file or folder that a setting names is missing or cannot be
            written to, or rendering does not work.
    """
    settings = settings or load()
    preflight.check(settings)
    renderer = Renderer.of(settings, settings.cache)
    with ThreadPoolExecutor(1) as beside:  # abc2midi in its sandbox takes as long as the models
        checked = beside.submit(preflight.check_renderers, settings, renderer)
        app = _application(settings, Models(settings, FEW_BESIDE_A_SERVER), renderer)
        checked.result()
    return app


@dataclass(frozen=True)
class Shared:
    """What the workers of one service share.

    Args:
        buckets: what callers have spent.
        claims: which of them makes which file.
        processes: the ids of the service's processes, as they are now.
    """

    buckets: BucketStore
    claims: Claims
    processes: Callable[[], list[int]]


def create_worker(settings: Settings, shared: Shared) -> FastAPI:
    """The service as one of its workers has it, which need not check again what the service's start has checked.

    Args:
        settings: the worker's own share of them.
        shared: what it has in common with the others.

    Raises:
        StoreError: there is no checkpoint that can be served.
        KeyFileError: the key file cannot be used.
    """
    renderer = Renderer.of(settings, settings.cache, shared.claims)
    return _application(settings, Models(settings, FEW_BESIDE_A_SERVER), renderer, shared)


def _application(settings: Settings, models: Models, renderer: Renderer, shared: Shared | None = None) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        models.start()
        app.state.settings = settings
        app.state.models = models
        app.state.renderer = renderer
        async with _reloading(models, app.state.keys, settings.refresh_s), _telling(models if shared else None):
            yield
        await models.close()
        await tracing.close()

    app = FastAPI(
        title="Lilt",
        summary="New folk tunes on demand",
        version=VERSION,
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        docs_url=None,  # pages serves its own, without a CDN
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        telemetry=tracing.config(QUIET),
    )
    app.include_router(generate_routes.router)
    app.include_router(service_routes.router)
    app.include_router(render_routes.router)
    app.include_router(tune_routes.router)
    app.include_router(import_routes.router)
    app.include_router(metrics_route.router)
    app.include_router(pages.router())
    app.state.keys = Keys(settings.api_keys_file) if settings.api_keys_file else None
    app.state.processes = shared.processes if shared else list
    _add_middleware(app, settings, shared.buckets if shared else None)
    problem_details.install(app)
    describe = app.openapi
    app.openapi = lambda: openapi.complete(describe())  # type: ignore[method-assign]
    return app


def _add_middleware(app: FastAPI, settings: Settings, buckets: BucketStore | None) -> None:
    """Install the middleware; the last added is the outermost."""
    origins = tuple(origin.lower() for origin in settings.cors_origins)
    allowances = Allowances(settings.rate_per_minute, settings.quota_per_day, store=buckets)
    app.add_middleware(
        BodyLimit,
        max_bytes=settings.max_body_bytes,
        max_bytes_of={"/import": settings.max_import_bytes},
        timeout_s=settings.client_timeout_s,
    )
    app.add_middleware(Admission, hosts=settings.hosts, keys=app.state.keys, allowances=allowances)
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "HEAD", "POST"),
            allow_headers=_ALLOWED,
            allow_private_network=True,
            expose_headers=_EXPOSED,
        )
    app.add_middleware(CrossOrigin, origins=origins, hosts=settings.hosts)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(settings.trusted_proxies))
    app.add_middleware(Vary)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)


@asynccontextmanager
async def _reloading(models: Models, keys: Keys | None, interval_s: float) -> AsyncIterator[None]:
    """Reload models and keys at SIGHUP and every `interval_s` seconds."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(ValueError, RuntimeError):  # signals belong to the main thread; a test may not be in it
        loop.add_signal_handler(signal.SIGHUP, asked.set)

    async def follow() -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), interval_s)
            asked.clear()
            if keys:
                keys.refresh()
            await models.refresh()

    async with _beside(follow()):
        yield


@asynccontextmanager
async def _telling(models: Models | None) -> AsyncIterator[None]:
    """Where there are other workers, keep their `/metrics` told of this one's engines."""

    async def tell(models: Models) -> None:
        while True:
            metrics_route.update_gauges(models)
            await asyncio.sleep(_TELL_AFTER_S)

    if models is None:
        yield
        return
    async with _beside(tell(models)):
        yield


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
