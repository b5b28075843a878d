"""`/models`, `/healthz`, `/readyz` and `/version`: what the service is and has."""

from typing import Literal

from pydantic import BaseModel, Field

from app.abc import rhythms
from app.api.schemas.base import ModelId
from app.generation.jobs import MAX_BEST_OF
from app.generation.menus import Menus
from app.rendering.general_midi import NAMES
from app.version import VERSION
from model_store.manifest import CorpusRecord, Defaults, Manifest, ModelConfig


class ModelMenus(BaseModel):
    """Values to choose from for what can be asked of a tune, the likeliest first; empty where nothing can be asked.

    `key` and `form` take others of their kind too. `meters_of_rhythm` are the metres that each rhythm can be asked in.
    """

    keys: tuple[str, ...]
    meters: tuple[str, ...]
    rhythms: tuple[str, ...]
    forms: tuple[str, ...]
    meters_of_rhythm: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, menus: Menus) -> "ModelMenus":
        meters = {name: rhythms.meters_to_ask_for(name) for name in menus.rhythms}
        return cls(**vars(menus), meters_of_rhythm=meters)


class LoadedModel(BaseModel):
    """What a loaded model says of itself."""

    name: str
    version: int
    hash: str
    created: str
    config: ModelConfig
    vocabulary: str
    corpora: tuple[CorpusRecord, ...]
    metrics: dict[str, float]
    defaults: Defaults
    menus: ModelMenus
    max_best_of: int = Field(description="1 for a version that was published without a critic.")

    @classmethod
    def of(cls, manifest: Manifest, menus: Menus, *, has_critic: bool) -> "LoadedModel":
        return cls(
            name=manifest.name,
            version=manifest.version,
            hash=manifest.digest,
            created=manifest.created.isoformat(),
            config=manifest.model,
            vocabulary=manifest.vocabulary,
            corpora=manifest.corpora,
            metrics=manifest.metrics,
            defaults=manifest.defaults,
            menus=ModelMenus.of(menus),
            max_best_of=MAX_BEST_OF if has_critic else 1,
        )


class ModelList(BaseModel):
    """The models that are loaded, the default first, and what tunes can be played on."""

    models: list[LoadedModel]
    instruments: tuple[str, ...] = Field(
        default=NAMES, description="For `program` of `/render`: each stands at its General MIDI number, 0 to 127."
    )


class Version(BaseModel):
    """Which Lilt this is."""

    version: str = Field(default=VERSION, examples=["0.1.0"])


class Health(BaseModel):
    """Alive."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Able to serve; `sandbox` holds the renderers, `synthesizer` plays, `missing` is what they cannot do without."""

    status: Literal["ready", "degraded"]
    models: list[ModelId]
    decoder: str
    sandbox: str
    synthesizer: str
    missing: list[str]
