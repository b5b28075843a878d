"""What the page prints."""

import io
from typing import Any

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.web.bench import SCALE, bring

A4_PX = (8.27 * 96, 11.69 * 96)
MARGINS_PX = 2 * 0.4 * 96
LONG = "X:1\nT:Long\nR:reel\nM:4/4\nL:1/8\nK:D\n" + "|\n".join(["|".join(["defg afdf", "gfed cdef"] * 2)] * 12) + "|]\n"
"""48 bars, more than a page holds"""


def printed(page: Page, press: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The text of each sheet, and where the lines of the scores lie, and what is drawn in them."""
    page.evaluate("() => { window.print = () => {}; }")
    page.locator(press).click()
    page.emulate_media(media="print")
    lines: list[dict[str, Any]] = page.evaluate(
        """() => [...document.querySelectorAll("#paper svg")].map((svg) => {
          const [box, drawn] = [svg.getBoundingClientRect(), svg.getBBox()];
          const numbers = [...svg.querySelectorAll(".bar-number")].map((text) => Number(text.textContent));
          const staves = svg.querySelectorAll(".abcjs-staff").length;
          return { width: box.width, height: box.height, right: drawn.x + drawn.width, numbers, staves };
        })"""
    )
    sheets = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format="A4"))).pages]
    return sheets, lines


def assert_whole(lines: list[dict[str, Any]]) -> None:
    """Every line is in an image of its own, which fits on a sheet of paper."""
    assert lines
    for line in lines:
        assert line["staves"] == 1
        assert line["right"] <= line["width"] + 1 < A4_PX[0] - MARGINS_PX
        assert line["height"] < 200


def test_a_tunebook_has_its_contents_and_two_tunes_on_a_page(page: Page) -> None:
    book = [SCALE.replace("Scale", title) for title in ("First", "Second", "Third")]
    bring(page, "\n".join([LONG, *book]))
    page.locator("#sort").select_option("title")
    sheets, lines = printed(page, "#print-kept")
    titles = ("First", "Long", "Second", "Third")
    assert [[title for title in titles if title in sheet] for sheet in sheets] == [
        list(titles),
        ["First"],
        ["Long"],
        [],  # where the long one ends
        ["Second", "Third"],
    ]
    assert [line.split()[-1] for line in sheets[0].splitlines() if line.split()[-1].isdigit()] == ["1", "2", "3", "3"]
    assert_whole(lines)


def test_a_worksheet_has_lines_to_write_on(page: Page) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Share", exact=True).click()
    sheets, lines = printed(page, "#print-worksheet")
    assert len(sheets) == 1
    for words in ("Scale", "C major · 4/4", "Day", "Tempo", "Bars to work on", "How it went"):
        assert words in sheets[0]
    assert_whole(lines)


def test_a_long_tune_is_parted_between_its_lines(page: Page) -> None:
    bring(page, LONG)
    page.get_by_role("button", name="Share", exact=True).click()
    sheets, lines = printed(page, "#print-tune")
    assert_whole(lines)
    assert [number for line in lines for number in line["numbers"]] == list(range(1, 49))
    assert sum(line["height"] for line in lines) > A4_PX[1] - MARGINS_PX
    assert len(sheets) == 2


def test_the_open_tune_is_printed_by_one_press(page: Page) -> None:
    bring(page, SCALE)
    page.evaluate("() => { window.print = () => { dispatchEvent(new Event('beforeprint')); }; }")
    page.get_by_role("button", name="Print", exact=True).click()
    expect(page.locator("#paper h2")).to_have_text("Scale")
    expect(page.locator("#paper svg .abcjs-note")).to_have_count(16)
