"""ASGI middleware that refuses cross-origin requests from browsers, but for the origins in LILT_CORS_ORIGINS.

`Sec-Fetch-Site`, which browsers send over HTTPS and to loopback, decides first; without it an `Origin` that is not this
service's own. Only `Origin` says which other origin it is, and images, players and frames do not send it by themselves:
a page of a named origin embeds a tune with `crossorigin="anonymous"`. `Referer` is ignored: any page may leave it out,
and ours do.
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import pages, problem_details
from app.errors import CrossSiteError
from app.operations import metrics

PROBES = frozenset({"/healthz", "/readyz"})
"""paths that need neither an allowed origin, host nor key"""

_ANY = "*"
_CROSS_ORIGIN = "is_foreign"
_OWN_SITES = frozenset({"same-origin", "none"})  # the second: typed, or a bookmark


class CrossOrigin:
    """Refuses a cross-origin request with a problem document where its origin is not allowed.

    Args:
        origins: the allowed ones, in lower case; `*` for all, and for requests without `Origin`.
        hosts: further names of this service, beside the one that a request is sent to.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...], hosts: tuple[str, ...]) -> None:
        self._app = app
        self._origins = frozenset(origins)
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        is_named = self._names(headers.get("origin"))
        is_page = is_cross_origin(scope, self._hosts)
        scope.setdefault("state", {})[_CROSS_ORIGIN] = is_page

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                policy = "cross-origin" if is_named else "same-origin"
                MutableHeaders(scope=message)["Cross-Origin-Resource-Policy"] = policy
            await send(message)

        if is_page and not is_named and scope["path"] not in PROBES:
            error = CrossSiteError("origin not allowed; add it to LILT_CORS_ORIGINS")
            metrics.ADMISSION_REFUSALS.labels(problem_details.type_of(error).kind).inc()
            response = problem_details.answer(error)
            if self._origins:
                response.headers["Vary"] = "Origin"
            await response(scope, receive, marked)
            return
        await self._app(scope, receive, marked)

    def _names(self, origin: str | None) -> bool:
        return _ANY in self._origins or (origin is not None and origin.lower() in self._origins)


def is_cross_origin(scope: Scope, hosts: frozenset[str]) -> bool:
    """Whether a browser sent this for a page of another origin, other than by following a link or framing `/embed`."""
    headers = Headers(scope=scope)
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None:
        return origin is not None and not _is_own(origin, headers.get("host", ""), hosts)
    if site in _OWN_SITES:
        return False
    is_reading = scope["method"] in ("GET", "HEAD")
    is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return not (is_reading and (is_link or scope["path"] in pages.IN_FRAMES))


def is_marked_cross_origin(scope: Scope) -> bool:
    """Whether `CrossOrigin` found an admitted request to be cross-origin."""
    return bool(scope.get("state", {}).get(_CROSS_ORIGIN, False))


def host_name(host: str) -> str:
    """The name in a `Host` header, without its port, in lower case."""
    name = host.partition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]
    return name.lower().removesuffix(".")


def _is_own(origin: str, host: str, hosts: frozenset[str]) -> bool:
    """By its name alone: a proxy in front may listen on another port, and end TLS."""
    try:
        name = urlsplit(origin).hostname
    except ValueError:
        return False
    return name is not None and (name == host_name(host) or name in hosts)
