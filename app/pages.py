"""The browser front end: a fixed table of files, each served under a strict content security policy."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

_WEB = Path(__file__).parent / "web"
_PACKAGES = _WEB / "node_modules"

_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
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
    """whether other people's pages may show it in theirs"""


PAGES = (
    Page("/", _WEB / "index.html", "text/html"),
    Page("/embed", _WEB / "embed.html", "text/html", in_frames=True),
    *(Page(f"/js/{file.name}", file, "text/javascript") for file in sorted((_WEB / "js").glob("*.js"))),
    Page("/style.css", _WEB / "style.css", "text/css"),
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


def missing_files() -> list[str]:
    """Files of the table that are not installed."""
    return [page.file.name for page in PAGES if not page.file.is_file()]


def router() -> APIRouter:
    """A route for each page; a package that is not installed answers 404."""
    routes = APIRouter(include_in_schema=False)
    for page in PAGES:
        if page.file.is_file():
            routes.get(page.path)(_serve(page))
    return routes


def _serve(page: Page) -> Callable[[], Awaitable[FileResponse]]:
    headers = dict(_HEADERS)
    if page.in_frames:
        headers["Content-Security-Policy"] = headers["Content-Security-Policy"].replace(
            "frame-ancestors 'none'", "frame-ancestors *"
        )

    async def serve() -> FileResponse:
        return FileResponse(page.file, media_type=page.media_type, headers=headers)

    return serve
