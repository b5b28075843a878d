"""The list of this browser's tunes: found, sorted, starred, renamed, tagged, joined as sets."""

import re

from playwright.sync_api import Page, Request, expect

from tests.web.bench import COOLEYS, PICKUPS, SCALE, abc_of, bring


def test_tunes_are_starred_renamed_tagged_found_and_sorted(page: Page) -> None:
    bring(page, "\n".join([SCALE, PICKUPS, COOLEYS]))
    names = page.locator("#shelf .name")
    expect(names).to_have_count(3)
    page.get_by_role("button", name="Star: Pick").click()
    page.get_by_role("button", name="More of Cooley's").click()
    page.get_by_label("Title").fill("Cooley's favourite")
    page.get_by_label("Title").press("Enter")
    page.get_by_label("Tags").fill("session, slow")
    page.get_by_label("Tags").press("Enter")
    page.get_by_role("button", name="More of Cooley's").click()
    page.locator("#sort").select_option("title")
    expect(names).to_have_text(["Cooley's favourite", "Pick", "Scale"])
    page.locator("#sort").select_option("starred")
    expect(names.first).to_have_text("Pick")
    for search, found in (("#slow", "Cooley's favourite"), ("jig dorian", "Pick"), ("scal", "Scale")):
        page.locator("#search").fill(search)
        expect(names).to_have_text([found])
    page.locator("#search").fill("")
    page.reload()
    expect(page.locator("#shelf")).to_contain_text("#session")
    expect(page.get_by_role("button", name="Star: Pick")).to_have_attribute("aria-pressed", "true")
    names.filter(has_text="favourite").click()
    assert "T:Cooley's favourite" in abc_of(page)


def test_a_set_is_joined_ordered_played_and_printed_as_one(page: Page, requests: list[Request]) -> None:
    reel = SCALE.replace("Scale", "Reel of scales").replace("Q:1/4=90", "R:reel")
    bring(page, "\n".join([reel, COOLEYS, PICKUPS]))
    page.get_by_role("button", name="Make a set").click()
    for title in ("Cooley's", "Reel of scales", "Pick"):
        page.get_by_label(f"In the set: {title}").check()
    page.get_by_role("button", name="Join these 3").click()
    expect(page.locator("#title")).to_have_text("Cooley's / Reel of scales / Pick")
    expect(page.locator("#facts")).to_have_text("set of 3 · reel, jig · E Dorian, C major, A Dorian")
    page.get_by_role("button", name="Reel of scales earlier").click()
    expect(page.locator("#title")).to_have_text("Reel of scales / Cooley's / Pick")
    expect(page.locator("#score :is(.abcjs-title, .abcjs-subtitle)")).to_have_text(
        ["Reel of scales", "Cooley's", "Pick"]
    )
    first, second = (
        page.locator("#score text", has_text=name).bounding_box() for name in ("Reel of scales", "Cooley's")
    )
    note = page.locator("#score .abcjs-note").first.bounding_box()
    assert first
    assert note
    assert second
    assert first["y"] < note["y"] < second["y"]  # each over its own tune
    bodies = "".join(tune.partition("K:")[2].partition("\n")[2] for tune in (reel, COOLEYS, PICKUPS))
    expect(page.locator("#score .abcjs-note")).to_have_count(len(re.findall("[A-Ga-g]", bodies)))
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
    assert any("X%3A3" in request.url for request in requests if "/render?" in request.url)
    length = page.evaluate("() => document.querySelector('#sound').duration")
    assert length > 60
    page.locator("#place").evaluate(
        "(place) => { place.value = place.max * 0.95; place.dispatchEvent(new Event('input')); }"
    )
    page.wait_for_function(
        """() => {
          const notes = [...document.querySelectorAll("#score .abcjs-note")];
          return notes.indexOf(document.querySelector("#score .sounding")?.closest(".abcjs-note")) > 110;
        }"""
    )
    page.evaluate("() => { window.print = () => {}; }")
    page.get_by_role("button", name="Share", exact=True).click()
    page.locator("#print-tune").click()
    expect(page.locator("#paper article")).to_have_count(1)
    expect(page.locator("#paper h2")).to_have_text("Reel of scales / Cooley's / Pick")
    assert page.locator("#paper svg").count() > 5


def test_a_sets_tempo_is_counted_in_the_beats_of_its_first_tune(page: Page) -> None:
    bring(page, "\n".join([SCALE, PICKUPS]))
    page.get_by_role("button", name="Make a set").click()
    for title in ("Scale", "Pick"):
        page.get_by_label(f"In the set: {title}").check()
    expect(page.locator("#time")).to_have_text("0:00 / 0:16")
    page.get_by_role("button", name="Join these 2").click()
    expect(page.locator("#time")).not_to_have_text("0:00 / 0:16")
    expect(page.locator("#tempo-shown")).to_have_text("90")


def test_a_removed_tune_comes_back_from_where_that_is_said(page: Page) -> None:
    bring(page, "\n".join([SCALE, COOLEYS]))
    page.get_by_role("button", name="More of Cooley's").click()
    page.get_by_role("button", name="Remove Cooley's").click()
    expect(page.locator("#message")).to_have_text("Cooley's is removed.")
    expect(page.locator("#shelf .name")).to_have_text(["Scale"])
    expect(page.locator("#undo-said")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#shelf .name")).to_have_count(2)
    expect(page.locator("#undo-said")).to_be_hidden()


def test_the_keyboards_focus_stays_on_the_tune_whose_star_is_pressed(page: Page) -> None:
    bring(page, "\n".join([SCALE, COOLEYS]))
    star = page.get_by_role("button", name="Star: Cooley's")
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()


def test_a_tune_is_renamed_where_its_title_stands(page: Page) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Morning")
    page.keyboard.press("Escape")
    expect(page.locator("#title")).to_have_text("Scale")
    page.get_by_role("button", name="Rename").click()
    page.get_by_label("New name").fill("Morning")
    page.keyboard.press("Enter")
    expect(page.locator("#title")).to_have_text("Morning")
    expect(page.locator("#shelf .name")).to_have_text(["Morning"])
    expect(page.get_by_role("button", name="Rename")).to_be_focused()
    assert "T:Morning" in abc_of(page)
