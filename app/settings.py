"""Every knob of the service, read once from LILT_* environment variables."""

import ipaddress
import os
import re
import tempfile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_CHECKPOINTS = Path(__file__).resolve().parent.parent / "model_store" / "checkpoints"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+")

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]

Names = Annotated[tuple[str, ...], NoDecode]
"""parted by commas"""


class Settings(BaseSettings):
    """Field `host` is `LILT_HOST`, and so on."""

    model_config = SettingsConfigDict(env_prefix="LILT_", frozen=True, extra="ignore", protected_namespaces=())

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_format: Literal["auto", "json", "text"] = Field(default="auto", description="text at a terminal, else JSON")

    hosts: Names = Field(
        default=(),
        description="names that the service goes by, * for any; if empty, addresses and names without a dot",
    )
    cors_origins: Names = Field(
        default=(), description="sites whose pages may use it, as https://example.org; * for any"
    )
    trusted_proxies: Names = Field(default=(), description="addresses and networks whose X-Forwarded-For is believed")
    api_keys_file: Path | None = Field(default=None, description="only holders of these keys come in; see `app key`")
    rate_per_minute: int = Field(default=0, ge=0, description="units a minute for a key or an address; 0 is no limit")
    quota_per_day: int = Field(default=0, ge=0, description="units a day")
    client_timeout_s: Seconds = Field(default=20.0, description="for a request's head, and for its body")
    max_connections: int = Field(
        default=1000, ge=1, description="open at once; the longest idle is dropped for a new one"
    )

    model_store: Path = _CHECKPOINTS
    models: Names = Field(
        default=(), description="names to serve, parted by commas, the default first; all that the store holds if empty"
    )
    refresh_s: Seconds = Field(default=5.0, description="how often to look for a new version")
    decoder: Literal["litert", "keras"] = "litert"
    decoder_threads: int = Field(
        default_factory=lambda: min(2, len(os.sched_getaffinity(0))),
        ge=1,
        le=16,
        description="threads that step the decoder: few sequences together, of many each its share; no more than cores",
    )

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

    @field_validator("models", "hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("hosts")
    @classmethod
    def _lower(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(host.lower() for host in hosts)

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin: a scheme, a name and perhaps a port, or *")
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            ipaddress.ip_network(proxy)  # its ValueError says what is wrong with it
        return proxies
