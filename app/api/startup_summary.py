"""The log line at start-up: version, address, models and main settings."""

from typing import Any

from app import settings as settings_
from app.generation.model_registry import Models
from app.rendering.renderer import Renderer
from app.settings import Settings


def fields(version: str, url: str, settings: Settings, models: Models, renderer: Renderer) -> dict[str, Any]:
    """The summary as members of a JSON log line."""
    missing = renderer.missing()
    return {
        "version": version,
        "address": url,
        "workers": settings.workers,
        "access": f"keys of {settings.api_keys_file}" if settings.api_keys_file else "open",
        "rate_per_minute": settings.rate_per_minute or None,
        "quota_per_day": settings.quota_per_day or None,
        "max_length": settings.max_length,
        "sandbox": str(renderer.confinement),
        "models": [f"{model.id.name}/{model.id.version}" for model in models.all()],
        "decoder": settings.decoder,
        "synthesiser": None if missing else f"FluidSynth with {settings.soundfont}",
        "missing": missing,
        "cache": str(settings.cache),
        "max_cache_mb": settings.max_cache_mb,
        "env_file": settings_.names_in(settings_.ENV_FILE),
    }


def line(fields: dict[str, Any]) -> str:
    """The summary as text."""
    rate, quota, in_file = fields["rate_per_minute"], fields["quota_per_day"], fields["env_file"]
    parts = [
        "open to anybody" if fields["access"] == "open" else f"for holders of {fields['access']}",
        f"{rate:,} units a minute" if rate else "no rate limit",
        f"{quota:,} units a day" if quota else "no quota",
        f"at most {fields['max_length']:,} characters a request",
        f"sandbox {fields['sandbox']}",
        f"{', '.join(fields['models'])} by {fields['decoder']}",
        fields["synthesiser"] or f"no synthesiser, for want of {', '.join(fields['missing'])}",
        *([f"{fields['workers']} workers"] if fields["workers"] > 1 else []),
        f"cache {fields['cache']} up to {fields['max_cache_mb']:,} MB",
        *([f"{settings_.ENV_FILE} sets {', '.join(in_file)}"] if in_file else []),
    ]
    return f"Lilt {fields['version']} running on {fields['address']} ({'; '.join(parts)})"
