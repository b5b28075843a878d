"""Engraves MusicXML as SVG, PNG or PDF: `python engrave.py tune.musicxml tune.svg`, run in the sandbox.

Verovio draws; CairoSVG makes its pages a PDF, or its one page a PNG. It stands alone, as it runs under `python -I`.
"""

import io
import re
import sys
from pathlib import Path

import verovio

_A4_TENTHS_MM = (2100, 2970)  # Verovio's own unit; staves are then 7 mm
_A4_POINTS = (595.276, 841.89)
_PNG_WIDTH, _MAX_PNG_HEIGHT = 1240, 16_000  # pixels: 150 dots an inch; four bytes each while it is drawn
_VIEW_BOX = re.compile(r'<svg [^>]*viewBox="([^"]+)"')
_MARGIN = 120
_TALLEST = 60_000  # of one endless page; it is cut to what is on it


def _toolkit(*, paged: bool) -> verovio.toolkit:
    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    width, height = _A4_TENTHS_MM
    toolkit.setOptions(
        {
            "pageWidth": width,
            "pageHeight": height if paged else _TALLEST,
            "adjustPageHeight": not paged,
            "pageMarginTop": _MARGIN,
            "pageMarginBottom": _MARGIN,
            "pageMarginLeft": _MARGIN,
            "pageMarginRight": _MARGIN,
            "breaks": "auto",
            "footer": "none",
            "xmlIdSeed": 1,
            "svgViewBox": True,
            "smuflTextFont": "embedded",
        }
    )
    return toolkit


def svg_pages(musicxml: str, *, paged: bool) -> list[str]:
    """The drawn pages; one as long as it must be unless `paged`.

    Raises:
        ValueError: Verovio reads no music in it.
    """
    toolkit = _toolkit(paged=paged)
    if not toolkit.loadData(musicxml) or not toolkit.getPageCount():
        raise ValueError("there is nothing to draw")
    return [toolkit.renderToSVG(page) for page in range(1, toolkit.getPageCount() + 1)]


def pdf(pages: list[str]) -> bytes:
    """SVG pages as one A4 document."""
    import cairocffi
    from cairosvg.parser import Tree
    from cairosvg.surface import PDFSurface

    written = io.BytesIO()
    document = cairocffi.PDFSurface(written, *_A4_POINTS)

    class Page(PDFSurface):  # type: ignore[misc]
        def _create_surface(self, width: float, height: float) -> tuple[cairocffi.PDFSurface, float, float]:
            return document, width, height

    for page in pages:
        Page(
            Tree(bytestring=page.encode(), unsafe=False),
            None,
            72,
            output_width=_A4_POINTS[0],
            output_height=_A4_POINTS[1],
        )
        document.show_page()
    document.finish()
    return written.getvalue()


def png(page: str) -> bytes:
    """An SVG page as pixels on white; a page that is too tall for an image is drawn smaller."""
    import cairosvg

    _, _, width, height = (float(part) for part in _VIEW_BOX.search(page)[1].split())  # type: ignore[index]
    pixels = min(_PNG_WIDTH, int(_MAX_PNG_HEIGHT * width / height))
    made: bytes = cairosvg.svg2png(bytestring=page.encode(), output_width=pixels, background_color="white")
    return made


def main() -> None:
    """Engrave one file as another; the target's extension chooses SVG, PNG or PDF."""
    source, target = (Path(name) for name in sys.argv[1:3])
    paged = target.suffix == ".pdf"
    pages = svg_pages(source.read_text("utf-8"), paged=paged)
    if paged:
        target.write_bytes(pdf(pages))
    else:
        target.write_bytes(png(pages[0]) if target.suffix == ".png" else pages[0].encode())


if __name__ == "__main__":
    main()
