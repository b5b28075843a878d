"""Serves the browser front end: a fixed table of static files, each under a strict content security policy."""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api.conditional_requests import is_not_modified
from app.api.content_negotiation import choose_media_type, is_accepted

_WEB = Path(__file__).parent.parent / "web"
_PACKAGES = _WEB / "node_modules"

_STYLES_OF_ABCJS = (
    "'sha256-BCpnf71gZdCsSCHDzyB1RsBbZ0qQdqseK6v+yJsgg30='",  # an element in each score, about dragging its notes
    "'unsafe-hashes' 'sha256-PLuCIS0C8UUqv6k/o8XgVI8hSWVrs1elyj/UnasL3zA='",  # an attribute: font-size:0.7em
)
_UNUSED = ("bluetooth", "camera", "display-capture", "geolocation", "hid", "microphone", "payment", "serial", "usb")
"""what a browser may offer and no page here asks for"""
_MISSING = _WEB / "missing.html"
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
    f"style-src 'self' {' '.join(_STYLES_OF_ABCJS)}; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'none'",
    "Permissions-Policy": "midi=(self), " + ", ".join(f"{name}=()" for name in _UNUSED),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True)
class Page:
    """A file and the path it is served at."""

    path: str
    file: Path
    media_type: str
    in_frames: bool = False
    """whether pages of other origins may frame it"""


PAGES = (
    Page("/", _WEB / "index.html", "text/html"),
    Page("/embed", _WEB / "embed.html", "text/html", in_frames=True),
    *(Page(f"/js/{file.name}", file, "text/javascript") for file in sorted((_WEB / "js").glob("*.js"))),
    Page("/style.css", _WEB / "style.css", "text/css"),
    Page("/sw.js", _WEB / "sw.js", "text/javascript"),
    Page("/manifest.webmanifest", _WEB / "manifest.webmanifest", "application/manifest+json"),
    Page("/icon.svg", _WEB / "icon.svg", "image/svg+xml"),
    Page("/docs", _WEB / "docs.html", "text/html"),
    Page("/docs.js", _WEB / "docs.js", "text/javascript"),
    Page("/vendor/abcjs.js", _PACKAGES / "abcjs/dist/abcjs-basic-min.js", "text/javascript"),
    Page("/vendor/qrcode.js", _PACKAGES / "qrcode-generator/dist/qrcode.mjs", "text/javascript"),
    Page(
        "/fonts/serif.woff2",
        _PACKAGES / "@fontsource-variable/alegreya/files" / "alegreya-latin-wght-normal.woff2",
        "font/woff2",
    ),
    Page(
        "/fonts/sans.woff2",
        _PACKAGES / "@fontsource/alegreya-sans/files" / "alegreya-sans-latin-400-normal.woff2",
        "font/woff2",
    ),
    Page(
        "/fonts/sans-bold.woff2",
        _PACKAGES / "@fontsource/alegreya-sans/files/alegreya-sans-latin-700-normal.woff2",
        "font/woff2",
    ),
    Page("/vendor/swagger-ui.js", _PACKAGES / "swagger-ui-dist/swagger-ui-bundle.js", "text/javascript"),
    Page("/vendor/swagger-ui.css", _PACKAGES / "swagger-ui-dist/swagger-ui.css", "text/css"),
)
_OF_THE_BENCH = [
    page.path for page in PAGES if not page.path.startswith(("/docs", "/embed", "/sw.js", "/vendor/swagger"))
]
"""what the front end needs to open while the service is away"""
IN_FRAMES = frozenset(page.path for page in PAGES if page.in_frames)


def missing_files() -> list[str]:
    """Files of the table that are not installed."""
    return [page.file.name for page in PAGES if not page.file.is_file()]


def router() -> APIRouter:
    """A route for each page; a package that is not installed answers 404."""
    routes = APIRouter(include_in_schema=False)
    for page in PAGES:
        if page.file.is_file():
            routes.api_route(page.path, methods=["GET", "HEAD"])(_serve(page))
    routes.get("/pages.json")(_parts)
    return routes


async def _parts() -> JSONResponse:
    """Relative to itself, as a proxy may serve all under a path."""
    return JSONResponse([path.removeprefix("/") or "./" for path in _OF_THE_BENCH], headers=_HEADERS)


def missing_page(request: Request) -> Response | None:
    """What a person gets whose address leads nowhere; None for programs, which do not name HTML as what they want.

    Its links lead as many folders up as the address goes down, since a proxy may serve all under a path.
    """
    accept = request.headers.get("accept", "")
    if "text/html" not in accept or choose_media_type(accept, ("text/html", "application/json")) != "text/html":
        return None
    content, _, _ = _read(_MISSING, _MISSING.stat().st_mtime_ns)
    depth = request.scope["raw_path"].count(b"/") - 1
    content = content.replace(b'href="./', b'href="' + (b"../" * depth or b"./"))
    return Response(content, HTTPStatus.NOT_FOUND, media_type="text/html", headers=_HEADERS)


@lru_cache(maxsize=2 * len(PAGES) + 2)
def _read(file: Path, _modified_ns: int) -> tuple[bytes, bytes, str]:
    """A file's content, its gzip and its digest; read again once it has been modified."""
    content = file.read_bytes()
    packed = content if file.suffix == ".woff2" else gzip.compress(content, mtime=0)
    return content, packed, hashlib.sha256(content).hexdigest()[:32]


def _serve(page: Page) -> Callable[[Request], Awaitable[Response]]:
    headers = _HEADERS | {"Vary": "Accept-Encoding"}
    if page.in_frames:
        policy = headers["Content-Security-Policy"]
        headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors *")
        headers["Permissions-Policy"] = headers["Permissions-Policy"].replace("midi=(self)", "midi=()")

    async def serve(request: Request) -> Response:
        content, packed, digest = _read(page.file, page.file.stat().st_mtime_ns)
        is_packed = packed is not content and is_accepted("gzip", request.headers.get("accept-encoding"))
        own = headers | {"ETag": f'"{digest}-gzip"' if is_packed else f'"{digest}"'}
        if is_not_modified(request.headers, own["ETag"]):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=own)
        if is_packed:
            own["Content-Encoding"] = "gzip"
        return Response(packed if is_packed else content, media_type=page.media_type, headers=own)

    return serve
