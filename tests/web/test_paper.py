"""What the page prints."""

import io

from playwright.sync_api import Page
from pypdf import PdfReader

from tests.web.bench import SCALE, bring


def test_kept_tunes_are_printed_a_page_each_and_nothing_is_clipped(page: Page) -> None:
    bring(page, SCALE)
    bring(page, SCALE.replace("Scale", "Ladder"))
    page.evaluate("() => { window.print = () => {}; }")
    page.locator("#print-kept").click()
    page.emulate_media(media="print")
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    assert [title for title in ("Ladder", "Scale") if title in pages[0].extract_text()] != []
    assert len(pages) == 2
    widths = page.evaluate("() => [...document.querySelectorAll('#paper svg')].map((svg) => svg.width.baseVal.value)")
    assert len(widths) == 2
    assert max(widths) < 8.27 * 96 - 2 * 0.4 * 96  # A4 within Chromium's margins
