"""The endpoints that tell of the service itself: `/models`, `/version`, `/healthz`, `/readyz`."""

from fastapi import APIRouter

from app.api.dependencies import Loaded, Renders, SettingsDep, problems_of
from app.api.schemas.base import ModelId
from app.api.schemas.service import Health, LoadedModel, ModelList, Readiness, Version

router = APIRouter(tags=["service"])


@router.head("/models", include_in_schema=False)
@router.get("/models")
async def models(loaded: Loaded) -> ModelList:
    """What is loaded, the default first."""
    return ModelList(
        models=[
            LoadedModel.of(model.checkpoint.manifest, model.menus, has_critic=model.critic is not None)
            for model in loaded.all()
        ]
    )


@router.head("/version", include_in_schema=False)
@router.get("/version")
async def version() -> Version:
    """Which Lilt this is."""
    return Version()


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """Alive."""
    return Health()


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=problems_of(503))
async def readyz(loaded: Loaded, settings: SettingsDep, renders: Renders) -> Readiness:
    """Able to serve; `degraded` where tunes can be made but not rendered."""
    missing = renders.missing()
    return Readiness(
        status="degraded" if missing else "ready",
        models=[ModelId.of(model.id) for model in loaded.all()],
        decoder=settings.decoder,
        sandbox=renders.confinement,
        synthesizer=renders.synthesizer,
        missing=missing,
    )
