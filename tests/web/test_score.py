"""How a score is laid out: parts, endings and repeats, at the widths of desks and phones."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.web.bench import PICKUPS, bring

REEL = """X:1
T:Cooley's
R:reel
M:4/4
L:1/8
K:Edor
|:D2|EBBA B2 EB|B2 AB dBAG|FDAD BDAD|FDAD dAFD|EBBA B2 EB|B2 AB defg|afec dBAF|DEFD E2:|
|:gf|eB B2 efge|eB B2 gedB|A2 FA DAFA|A2 FA defg|
eB B2 eBgB|eB B2 defg|afec dBAF|1 DEFD E2:|2 DEFD E4|]
"""
LINES = """() => {
  const paper = document.querySelector("#score").getBoundingClientRect();
  const lines = [...document.querySelectorAll("#score .abcjs-staff-wrapper")];
  const tops = lines.map((line) => line.querySelector(".abcjs-staff").getBoundingClientRect().top);
  const on = (selector) => {
    const found = tops.map(() => []);
    for (const part of document.querySelectorAll(selector)) {
      const box = part.getBoundingClientRect();
      const gaps = tops.map((top) => Math.abs(top + 15 - box.top - box.height / 2));
      found[gaps.indexOf(Math.min(...gaps))].push(part.textContent.trim());
    }
    return found;
  };
  const boxes = [...document.querySelectorAll("#score svg path")].map((path) => path.getBoundingClientRect());
  return {
    bars: on("#score .bar-number").map((numbers) => numbers.map(Number)),
    endings: on("#score .abcjs-ending text").map((texts) => texts.filter(Boolean)),
    out: boxes.filter(({ left, right }) => left < paper.left - 1 || right > paper.right + 1).length,
  };
}"""


def lines(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(LINES)
    return found


def test_every_part_has_lines_of_its_own_four_bars_each(page: Page) -> None:
    bring(page, REEL)
    found = lines(page)
    assert found["bars"][:3] == [[0, 1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]]
    assert found["bars"][3] == [13, 14, 15, 16, 17]
    assert [number for line in found["bars"] for number in line] == list(range(18))
    assert found["out"] == 0


def test_a_pickup_before_a_repeat_sign_stands_on_the_line_of_its_part(page: Page) -> None:
    bring(page, PICKUPS)
    assert lines(page)["bars"] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


@pytest.mark.parametrize("width", [320, 390, 820, 1280, 1920])
def test_endings_are_numbered_and_nothing_is_cut_at_any_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    bring(page, REEL)
    found = lines(page)
    assert sorted(text for line in found["endings"] for text in line) == ["1", "2"]
    assert found["out"] == 0
    starts = [line[0] for line in found["bars"]]
    assert {0, 9} <= set(starts)
    assert page.locator("#score .abcjs-note").count() == REEL_NOTES


REEL_NOTES = 120


def test_what_is_drawn_on_other_lines_keeps_its_place_in_the_text(page: Page) -> None:
    bring(page, PICKUPS)
    for note, bar in ((0, "E"), (1, "A2A ABc"), (14, "d"), (15, "c2c cBA"), (25, "A3 A2"), (27, "A3 A3")):
        page.locator("#score .abcjs-note").nth(note).click(force=True)
        expect(page.locator("#bars-abc")).to_have_value(re.compile(f"^ ?{bar} ?$"))


def test_words_under_the_notes_stay_under_them(page: Page) -> None:
    bring(page, "X:1\nT:Song\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|\nw:one two three four five six sev-en\nCDEF|GABc|]\n")
    expect(page.locator("#score .abcjs-lyric").first).to_have_text("one")
    assert lines(page)["out"] == 0


APART = """(numbers) => {
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const kinds = [".abcjs-notehead", ".abcjs-beam-elem", ".bar-number"];
  const others = [...document.querySelectorAll(kinds.map((kind) => `#score ${kind}`))];
  const box = (drawn) => drawn.getBoundingClientRect();
  return numbers.flatMap((number) =>
    others
      .filter((other) => other !== number && !apart(box(number), box(other)))
      .map((other) => `${number.textContent} and ${other.getAttribute("class")}`));
}"""


def test_bar_numbers_touch_neither_notes_nor_beams_under_chords(page: Page) -> None:
    part = (
        '"G"GEGB "Am"ABce|"G"dBdc ABAG|FGAB cABG|"D"AdcB A2Bc|"G"GEGB "Am"ABce|"D"d\'2c\'b "A"a4|"D"fedc AFDB,|"G"G,6:|'
    )
    bring(page, f"X:1\nT:High and low\nM:2/4\nL:1/16\nK:G\n|:BA|{part}\n|:de|{part}\n")
    numbers = page.locator("#score .bar-number")
    expect(numbers).to_have_count(17)
    assert numbers.evaluate_all(APART) == []
