"""Builds the application: a model, its engine, a renderer and the routes over them."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app import generation, pages, problems, render_routes, sandbox
from app.cache import Cache
from app.engine import Engine
from app.generation import ServedModel
from app.limits import BodyLimit
from app.render import Renderer
from app.routes import router
from app.sandbox import Confinement
from app.settings import Settings
from model_store.store import Store

logger = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service.

    Args:
        settings: every knob; read from the environment unless given.

    Raises:
        StoreError: there is no checkpoint that can be served.
        SandboxError: LILT_SANDBOX asks for what does not hold here.
    """
    settings = settings or Settings()
    store = Store(settings.model_store)
    name = generation.choose_model(store, settings.model)
    checkpoint, fault = store.load_last_good(name)
    if fault:
        logger.error("%s; serving %s/%d instead", fault, name, checkpoint.manifest.version)
    decoder = generation.load_decoder(checkpoint, settings)
    confinement = sandbox.choose(settings.sandbox)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = Engine(decoder, settings.max_waiting)
        app.state.settings = settings
        app.state.model = ServedModel(checkpoint, engine)
        app.state.renderer = _renderer(settings, confinement)
        await asyncio.to_thread(app.state.renderer.warm_up)
        yield
        app.state.renderer.close()
        engine.close()

    app = FastAPI(
        title="Lilt",
        summary="New folk tunes on demand",
        version="0.1.0",
        license_info={"name": "MIT", "identifier": "MIT"},
        lifespan=lifespan,
        docs_url=None,  # pages serves its own, without a CDN
        redoc_url=None,
    )
    app.include_router(router)
    app.include_router(render_routes.router)
    app.include_router(pages.router())
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes)
    problems.install(app)
    return app


def _renderer(settings: Settings, confinement: Confinement) -> Renderer:
    renderer = Renderer(
        settings.soundfont,
        confinement,
        Cache(settings.cache, settings.max_cache_mb * 1024 * 1024),
        at_once=settings.max_renders,
        max_waiting=settings.max_waiting_renders,
        max_duration_s=60 * settings.max_render_minutes,
    )
    for path in renderer.missing():
        logger.warning("%s is not installed: tunes cannot be rendered", path)
    for file in pages.missing_files():
        logger.warning("%s is not installed: the page lacks it", file)
    if confinement is Confinement.LIMITS:
        logger.warning("renderers run under limits alone: neither bubblewrap nor Landlock with seccomp works here")
    else:
        logger.info("renderers run under %s", confinement)
    return renderer
