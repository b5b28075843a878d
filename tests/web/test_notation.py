"""What stands over and under the notes: chords, tablature, fingerings."""

from playwright.sync_api import Page, expect

from tests.web.bench import COOLEYS, PICKUPS, SCALE, abc_of, bring


def test_chords_are_found_hidden_and_changed(page: Page) -> None:
    bring(page, COOLEYS)
    chords = page.get_by_role("button", name="Chords", exact=True)
    expect(chords).to_have_attribute("aria-pressed", "false")
    chords.click()
    expect(page.locator("#score .abcjs-chord").first).to_have_text("Em")
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 with chords"])
    expect(chords).to_have_attribute("aria-pressed", "true")
    page.locator("#score .abcjs-chord").first.click()
    expect(page.locator("#chord")).to_be_focused()
    expect(page.locator("#chord")).to_have_value("Em")
    page.locator("#chord").fill("E5")
    page.locator("#chord").press("Enter")
    expect(page.locator("#score .abcjs-chord").first).to_have_text("E5")
    assert '|"E5"EBBA' in abc_of(page)
    page.locator("#chord").fill("")
    page.locator("#chord").press("Tab")
    expect(page.locator("#score .abcjs-chord").first).not_to_have_text("E5")
    assert "|EBBA" in abc_of(page)
    chords.click()
    expect(page.locator("#score .abcjs-chord").first).to_be_hidden()
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#score .sounding')")


def test_tablature_stands_under_each_line_and_notes_are_still_found(page: Page) -> None:
    bring(page, PICKUPS)
    lines = page.locator("#score .abcjs-staff-wrapper").count()
    for instrument in ("mandolin", "fiddle", "guitar"):
        page.locator("#tablature").select_option(instrument)
        expect(page.locator("#score .abcjs-tab-number").first).to_be_attached()
        assert page.locator("#score .abcjs-staff").count() == 2 * lines
    page.locator("#score .abcjs-note").nth(3).click(force=True)
    expect(page.locator("#score rect.chosen-bar")).to_have_count(1)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#score .sounding')")
    page.reload()
    expect(page.locator("#score .abcjs-tab-number").first).to_be_attached()
    page.locator("#tablature").select_option("")
    expect(page.locator("#score .abcjs-tab-number")).to_have_count(0)


def test_a_whistles_fingerings_are_those_of_its_notes(page: Page) -> None:
    bring(page, SCALE.replace("K:C\n|:C2D2E2F2|G2A2B2c2:|", "K:D\n|:D2E2F2G2|A2B2c2d2:|"))
    page.locator("#tablature").select_option("whistle")
    expect(page.locator("#score .whistle").first).to_be_visible()
    closed = page.locator("#score .whistle").evaluate_all(
        "(all) => all.map((holes) => holes.querySelectorAll('circle.closed').length)"
    )
    assert closed[:8] == [6, 5, 4, 3, 2, 1, 0, 5]
    assert len(closed) == 15  # low C is none of its notes
    assert page.evaluate(
        """() => {
          const paper = document.querySelector("#score").getBoundingClientRect();
          return [...document.querySelectorAll("#score .whistle")].every((holes) => {
            const box = holes.getBoundingClientRect();
            return box.bottom <= paper.bottom + 1;
          });
        }"""
    )
    page.locator("#transpose").evaluate("(menu) => { menu.value = 2; menu.dispatchEvent(new Event('change')); }")
    expect(page.locator("#score .whistle").first.locator("circle.closed")).to_have_count(5)


def test_a_note_is_moved_split_and_joined_without_abc(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#bars-abc")).to_have_value("G2c2B2c2")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("#bars-abc")).to_have_value("G2C2B2c2")
    assert abc_of(page) == SCALE.replace("G2A2B2c2", "G2C2B2c2")
    page.get_by_role("button", name="Shorter").click()
    expect(page.locator("#bars-abc")).to_have_value("G2CCB2c2")
    page.get_by_role("button", name="Longer").click()
    expect(page.locator("#bars-abc")).to_have_value("G2C2B2c2")
    page.get_by_role("button", name="Longer").click()
    expect(page.locator("#bars-abc")).to_have_value("G2C4c2")
    page.get_by_role("button", name="Higher").click()
    expect(page.locator("#bars-abc")).to_have_value("G2D4c2")
    page.locator("#undo").click()
    expect(page.locator("#score .abcjs-note")).to_have_count(15)


def test_a_bar_that_comes_again_changes_everywhere_where_that_is_wanted(page: Page) -> None:
    tune = "X:1\nT:Again\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|CDEF|GFED|CDEF|C4|]\n"
    bring(page, tune)
    page.locator("#score .abcjs-note").nth(9).click(force=True)
    expect(page.locator("#everywhere-words")).to_have_text("in 2 bars like it")
    page.locator("#everywhere").check()
    page.get_by_role("button", name="Higher").click()
    assert abc_of(page) == tune.replace("CDEF", "CEEF")
    expect(page.locator("#bars-abc")).to_have_value("CEEF")
    page.locator("#bars-abc").fill("CEEG")
    page.locator("#bars-abc").press("Enter")
    assert abc_of(page) == tune.replace("CDEF", "CEEG")
    page.locator("#everywhere").uncheck()
    page.get_by_role("button", name="Lower").click()
    assert abc_of(page).count("CEEG") == 2
