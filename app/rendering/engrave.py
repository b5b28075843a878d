"""Engraves MusicXML as SVG or PDF: `python engrave.py tune.musicxml tune.svg`, run in the sandbox.

Verovio draws; CairoSVG makes its pages a PDF. It stands alone, as it runs under `python -I`.
"""

import io
import sys
from pathlib import Path

import verovio

_A4_TENTHS_MM = (2100, 2970)  # Verovio's own unit; staves are then 7 mm
_A4_POINTS = (595.276, 841.89)
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


def main() -> None:
    """Engrave one file as another; the target's extension chooses SVG or PDF."""
    source, target = (Path(name) for name in sys.argv[1:3])
    paged = target.suffix == ".pdf"
    pages = svg_pages(source.read_text("utf-8"), paged=paged)
    target.write_bytes(pdf(pages) if paged else pages[0].encode())


if __name__ == "__main__":
    main()
