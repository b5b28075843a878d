"""Tunes as scores that can stand in a page, drawn by the service's engraver in its sandbox."""

import asyncio
import re
import tempfile
from pathlib import Path

from app.abc.reader import read
from app.errors import LiltError
from app.interchange import musicxml_writer
from app.rendering import sandbox
from app.rendering.external_tools import engrave


def engraved_scores(tunes: list[str | None], prefix: str) -> list[str | None]:
    """Each tune's SVG element, its ids begun by the prefix; None where there is no tune, or it cannot be drawn."""
    return asyncio.run(_draw_all(tunes, prefix))


async def _draw_all(tunes: list[str | None], prefix: str) -> list[str | None]:
    confinement = sandbox.probe()
    drawn: list[str | None] = []
    for number, tune in enumerate(tunes, 1):
        with tempfile.TemporaryDirectory(prefix="lilt-score-") as folder:
            try:
                written = musicxml_writer.write(read(tune)) if tune else b""
                svg = await engrave(written, "svg", Path(folder), confinement) if written else b""
            except LiltError:
                svg = b""
        drawn.append(_as_element(svg.decode(), f"{prefix}{number}-") if svg else None)
    return drawn


def _as_element(svg: str, prefix: str) -> str:
    """The document's element, with ids that no other score in the page has."""
    element = svg[svg.index("<svg") :]
    ids = set(re.findall(r'\bid="([^"]+)"', element))
    element = re.sub(r'\bid="', f'id="{prefix}', element)
    return re.sub(r"#([\w-]+)", lambda found: f"#{prefix}{found[1]}" if found[1] in ids else found[0], element)
