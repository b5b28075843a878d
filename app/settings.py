"""The service's settings: LILT_* variables from the environment, or from `.env` in the working folder."""

import difflib
import io
import ipaddress
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le
from dotenv.parser import parse_stream
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.errors import SetupError

ENV_FILE = Path(".env")
"""in the working folder"""

NOT_SETTINGS = frozenset(
    {
        *("LILT_ABCJS", "LILT_CHROMIUM", "LILT_IMAGE"),
        *("LILT_CPUS", "LILT_DOMAIN", "LILT_HTTP_PORT", "LILT_HTTPS_PORT", "LILT_REPLICAS", "LILT_TRAIN_CPUS"),
    }
)
"""LILT_* names that are not settings of the service, but of the tests and of docker-compose.yml"""

_CHECKPOINTS = Path(__file__).resolve().parent.parent / "model_store" / "checkpoints"
_PREFIXED = re.compile(r"lilt[^a-z0-9]", re.IGNORECASE)
_MIN_SIMILARITY = 0.75  # from 0 to 1; two settings that have little in common but the prefix come to 0.6
_SIMILARITY_MARGIN = 0.06
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")  # RFC 1123, and the underscores that Docker's names have
_MAX_NAME = 253
_FOLLOWS_FROM_ANOTHER = "default_factory_not_called"  # of a field that another one's fault leaves without a default
_DEFAULT_PORTS = {"http": 80, "https": 443}

Seconds = Annotated[float, Field(gt=0, le=604_800, allow_inf_nan=False)]

Names = Annotated[tuple[str, ...], NoDecode]
"""separated by commas"""


class SettingsError(SetupError):
    """Settings that the service refuses; `lines` has one for each, with its name, its value and what is allowed."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = tuple(lines)
        super().__init__("; ".join(self.lines))


class Settings(BaseSettings):
    """Field `host` is `LILT_HOST`, and so on."""

    model_config = SettingsConfigDict(env_prefix="LILT_", frozen=True, extra="ignore", protected_namespaces=())

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    log_format: Literal["auto", "json", "text"] = Field(default="auto", description="text at a terminal, else JSON")

    hosts: Names = Field(
        default=(),
        description="allowed Host headers, * for any; if empty, addresses and names without a dot",
    )
    cors_origins: Names = Field(
        default=(), description="allowed origins of other sites' pages, as https://example.org; * for any"
    )
    trusted_proxies: Names = Field(default=(), description="addresses and networks whose X-Forwarded-For is trusted")
    api_keys_file: Path | None = Field(default=None, description="file of the accepted API keys; see `app key`")
    rate_per_minute: int = Field(default=0, ge=0, description="units a minute for a key or an address; 0 is no limit")
    quota_per_day: int = Field(default=0, ge=0, description="units a day")
    client_timeout_s: Seconds = Field(default=20.0, description="for a request's head, and for its body")
    max_connections: int = Field(
        default=1000, ge=1, description="open at once; the one that keeps it waiting longest is dropped for a new one"
    )
    workers: int = Field(
        default=1, ge=1, le=64, description="processes that serve; the bounds of the service are shared out among them"
    )
    worker_timeout_s: float = Field(
        default=30.0,
        ge=2,  # signs are given once a second, and looked for as often
        le=604_800,
        allow_inf_nan=False,
        description="after which one of several workers that gives no sign of life is replaced",
    )

    model_store: Path = _CHECKPOINTS
    models: Names = Field(
        default=(), description="names to serve, separated by commas, the default first; all of the store if empty"
    )
    refresh_s: float = Field(
        default=5.0, ge=0.01, le=604_800, allow_inf_nan=False, description="how often to look for a new version"
    )
    decoder: Literal["litert", "keras"] = "litert"
    decoder_threads: int = Field(
        default_factory=lambda given: _usual_threads(given.get("workers", 1)),
        ge=1,
        le=16,
        description="threads that step the decoder: few sequences together, of many each its share; no more than cores",
    )

    max_batch: int = Field(default=64, ge=1, le=64, description="sequences stepped at once")
    max_waiting: int = Field(default=256, ge=1, description="sequences queued before new ones are turned away")
    max_length: int = Field(default=100_000, ge=1, description="most characters one request may ask for")
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    max_import_bytes: int = Field(default=2 * 1024 * 1024, ge=1024, description="of a file that is sent to /import")
    generate_timeout_s: Seconds = 120.0

    sandbox: Literal["auto", "required", "bubblewrap", "landlock", "limits"] = Field(
        default="auto",
        description="confinement of renderers: the strongest that works; the same, but required; or one by name",
    )
    renderers: Literal["auto", "required"] = Field(
        default="auto", description="whether to start where something that rendering needs is not installed"
    )
    synthesizer: Literal["auto", "fluidsynth", "timidity"] = Field(
        default="auto", description="what plays: FluidSynth's library, or the notebook's timidity where that is missing"
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

    def of_one_worker(self) -> Self:
        """The settings of one of the workers: its share of what the whole service may have at once, at least 1."""
        shared = ("max_connections", "max_batch", "max_waiting", "max_renders", "max_waiting_renders")
        return self.model_copy(update={name: -(-getattr(self, name) // self.workers) for name in shared})

    @field_validator("models", "hosts", "cors_origins", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("api_keys_file", "model_store", "soundfont", "cache", mode="before")
    @classmethod
    def _is_named(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            raise ValueError("it is empty; name a path, or leave the setting out")
        return value

    @field_validator("host")
    @classmethod
    def _is_host(cls, host: str) -> str:
        if not _is_address(host.partition("%")[0]) and not _is_name(host):
            raise ValueError(
                "an address of this machine is allowed, or a name that it has, without scheme, port or path, such as "
                "127.0.0.1, 0.0.0.0, :: or localhost; what it may be called by goes into LILT_HOSTS"
            )
        return host

    @field_validator("hosts")
    @classmethod
    def _are_hosts(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        hosts = tuple(host.lower() for host in hosts)
        for host in hosts:
            if host != "*" and not _is_address(host) and not _is_name(host.removeprefix("*.")):
                raise ValueError(
                    f"{host!r} is not a name or an address without scheme, port, path and brackets, such as "
                    "tunes.example.org, *.example.org or ::1; nor is it *, for any"
                )
        return hosts

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        origins = tuple(origin.lower() for origin in origins)
        for origin in origins:
            if origin != "*" and not _is_origin(origin):
                raise ValueError(
                    f"{origin!r} is not an origin as browsers send it, such as https://example.org or "
                    "http://localhost:5000: http or https, a name, and its port unless that is the usual one, but no "
                    "path and no slash at the end; nor is it *, for any"
                )
        return origins

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError:
                raise ValueError(
                    f"{proxy!r} is not an address or a network{_nearest_network(proxy)}, such as 10.0.0.7, "
                    "172.16.0.0/12 or fd00::/8"
                ) from None
        return proxies

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.max_waiting < self.max_batch:
            raise ValueError(
                f"LILT_MAX_WAITING={self.max_waiting} is less than LILT_MAX_BATCH={self.max_batch}: as many must be "
                "able to wait as are begun together"
            )
        if 0 < self.quota_per_day < self.rate_per_minute:
            raise ValueError(
                f"LILT_QUOTA_PER_DAY={self.quota_per_day} is less than LILT_RATE_PER_MINUTE={self.rate_per_minute}: a "
                "day's units are at least a minute's, or 0 for no limit"
            )
        return self


def _usual_threads(workers: int) -> int:
    """As many as there are processors for each worker, and two at the most."""
    return max(1, min(2, len(os.sched_getaffinity(0)) // workers))


def load(**given: str) -> Settings:
    """The settings of the environment and, for what is not set there, of `.env` in the working folder.

    Args:
        given: what overrides both, by field.

    Raises:
        SettingsError: a name is unknown, a value is not allowed, or `.env` cannot be read.
    """
    in_file = names_in(ENV_FILE)
    wrong = [*_unknown(os.environ, ""), *_unknown(in_file, f"{ENV_FILE}: ")]
    sources: dict[str, Any] = {"_env_file": ENV_FILE if in_file else None, **given}
    try:
        settings = Settings(**sources)
    except ValidationError as error:
        faults = [fault for fault in error.errors() if fault["type"] != _FOLLOWS_FROM_ANOTHER]
        raise SettingsError([*wrong, *map(_line, faults)]) from None
    if wrong:
        raise SettingsError(wrong)
    return settings


def variable(field: str) -> str:
    """The variable that a field is read from."""
    return f"LILT_{field.upper()}"


def _unknown(names: Iterable[str], where: str) -> list[str]:
    known = [variable(field) for field in Settings.model_fields]
    lines = []
    for name in names:
        if _PREFIXED.match(name) and name.upper() not in NOT_SETTINGS.union(known):
            meant = _nearest(re.sub(r"\W", "_", name.upper()), known)
            hint = f"did you mean {' or '.join(meant)}?" if meant else f"there are {', '.join(known)}"
            lines.append(f"{where}{name} is not a setting; {hint}")
    return lines


def _nearest(name: str, known: list[str]) -> list[str]:
    """The most similar names; two where both are about as similar, as HOST and HOSTS are to HOTS."""
    found = difflib.get_close_matches(name, known, n=2, cutoff=_MIN_SIMILARITY)
    likeness = [difflib.SequenceMatcher(None, one, name).ratio() for one in found]
    return [one for one, is_like in zip(found, likeness, strict=True) if is_like > likeness[0] - _SIMILARITY_MARGIN]


def names_in(file: Path) -> list[str]:
    """What a file in the form of `.env` sets; nothing where there is none."""
    if (
        not os.access(file.parent, os.X_OK) or not file.is_file()
    ):  # some projects have a folder `.env`, a virtual environment
        return []
    try:
        bindings = list(parse_stream(io.StringIO(file.read_text("utf-8"))))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError([f"{file.resolve()} cannot be read: {why}"]) from None
    for binding in bindings:
        if binding.error or (binding.key and binding.value is None):
            raise SettingsError([f"{file.resolve()}, line {binding.original.line}: it is not NAME=value"])
    return [binding.key for binding in bindings if binding.key]


def _line(fault: Mapping[str, Any]) -> str:
    """A pydantic validation error as one line for users."""
    error = fault.get("ctx", {}).get("error")
    if not fault["loc"]:
        return str(error)
    field = str(fault["loc"][0])
    value = fault["input"]
    value = ",".join(value) if isinstance(value, tuple) else value
    return f"{variable(field)}={value!r}: {error or _allowed(Settings.model_fields[field])}"


def _allowed(field: FieldInfo) -> str:
    """What a field may be, in words."""
    if get_origin(field.annotation) is Literal:
        *first, last = get_args(field.annotation)
        return f"{', '.join(first)} or {last} is allowed"
    if field.annotation not in (int, float):
        return "a path is allowed"
    bounds: dict[type, Any] = {type(bound): bound for bound in field.metadata}
    kind = "a whole number" if field.annotation is int else "a number"
    least = f" from {bounds[Ge].ge:,}" if Ge in bounds else f" above {bounds[Gt].gt:,}"
    return f"{kind}{least}{f' to {bounds[Le].le:,}' if Le in bounds else ' up'} is allowed"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_name(text: str) -> bool:
    """Whether it is a host's name: labels that are not empty, and not all numbers, which an address has."""
    labels = text.lower().split(".")
    return len(text) <= _MAX_NAME and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()


def _is_origin(text: str) -> bool:
    """Whether it is a serialised origin, RFC 6454, section 6.2."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    shown = f"[{host}]" if ":" in host else host
    return (
        parts.scheme in _DEFAULT_PORTS
        and (_is_address(host) or _is_name(host))
        and port != _DEFAULT_PORTS[parts.scheme]
        and text == f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}"
    )


def _nearest_network(text: str) -> str:
    try:
        return f" (its network is {ipaddress.ip_network(text, strict=False)})"
    except ValueError:
        return ""
