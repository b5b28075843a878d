"""Every knob of the service, read once from LILT_* environment variables."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_CHECKPOINTS = Path(__file__).resolve().parent.parent / "model_store" / "checkpoints"

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """Field `host` is `LILT_HOST`, and so on."""

    model_config = SettingsConfigDict(env_prefix="LILT_", frozen=True, extra="ignore", protected_namespaces=())

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_format: Literal["auto", "json", "text"] = Field(default="auto", description="text at a terminal, else JSON")

    model_store: Path = _CHECKPOINTS
    models: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="names to serve, parted by commas, the default first; all that the store holds if empty"
    )
    refresh_s: Seconds = Field(default=5.0, description="how often to look for a new version")
    decoder: Literal["litert", "keras"] = "litert"

    max_batch: int = Field(default=64, ge=1, le=64, description="sequences stepped at once")
    max_waiting: int = Field(default=256, ge=0, description="sequences queued before new ones are turned away")
    max_length: int = Field(default=100_000, ge=1, description="most characters one request may ask for")
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    generate_timeout_s: Seconds = 120.0

    sandbox: Literal["auto", "required", "bubblewrap", "landlock", "limits"] = Field(
        default="auto",
        description="what must hold the renderers: the strongest there is; that or no start; one by name",
    )
    renderers: Literal["auto", "required"] = Field(
        default="auto", description="whether to start where something that rendering needs is not installed"
    )
    soundfont: Path = Field(default=Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3"), description="an SF2 or SF3 file")
    cache: Path = Field(
        default=Path(tempfile.gettempdir()) / f"lilt-cache-{os.getuid()}",
        description="folder of rendered files; several services may share one",
    )
    max_cache_mb: int = Field(default=256, ge=0, description="most megabytes of it; the longest unused go first")
    max_renders: int = Field(default=2, ge=1, description="renders at once")
    max_waiting_renders: int = Field(default=32, ge=0)
    max_render_minutes: Seconds = Field(default=10.0, description="longest performance that is synthesised")

    @field_validator("models", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
