"""Making tunes on the page: what is on the bench while it fails, how it is undone, and what is said of a tune."""

import struct
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect

from tests.web.bench import COOLEYS, PICKUPS, SCALE, abc_of, bring, is_made, make


def assert_usable(page: Page) -> None:
    """The tune on the bench can be kept, shared, changed and heard, and its pill is there."""
    expect(page.locator("#title")).to_have_text("Scale")
    expect(page.locator("#facts")).to_have_text("C major · 4/4")
    for name in ("#keep", "#share", "#change", "#player", "#score .abcjs-note >> nth=0"):
        expect(page.locator(name)).to_be_visible()


@pytest.mark.parametrize("key", ["Am", "D"])
def test_a_refused_make_leaves_the_tune_on_the_bench_as_it_was(page: Page, key: str) -> None:
    bring(page, SCALE.replace("K:C", f"K:{key}"))
    facts = page.locator("#facts").inner_text()
    make(page, start="X:1\nM:4/4\nL:1/8\nK:D\nAB \u2603")
    expect(page.locator("#message")).to_have_text(
        "The model does not know the character '\u2603' at position 23. Take it out, or write it another way."
    )
    assert page.locator("#facts").inner_text() == facts
    for name in ("#keep", "#share", "#change", "#player"):
        expect(page.locator(name)).to_be_visible()
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#score .sounding')")


def test_while_the_service_is_away_the_tune_on_the_bench_can_be_used(page: Page) -> None:
    bring(page, SCALE)
    page.context.set_offline(offline=True)
    page.locator("#make-button").click()
    expect(page.locator("#message")).to_contain_text("Trying again")
    assert_usable(page)
    page.locator("#stop").click()
    expect(page.locator("#stop")).to_be_hidden(timeout=40_000)
    assert_usable(page)


def test_a_tune_cut_off_in_the_middle_gives_way_to_the_one_before(page: Page) -> None:
    bring(page, SCALE)
    half = 'event: chunk\ndata: {"text": "T:Half\\nM:4/4\\nL:1/8\\nK:C\\nCDEF GABc|de"}\n\n'
    page.route("**/generate", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=half))
    page.locator("#make-button").click()
    expect(page.locator("#message")).to_contain_text("Trying again")
    assert_usable(page)
    page.unroute("**/generate")
    expect(page.locator("#title")).not_to_have_text("Scale")
    is_made(page)


def test_undo_takes_all_tunes_that_were_made_at_once_and_their_cards(page: Page) -> None:
    bring(page, SCALE)
    page.locator('input[name="count"][value="4"]').check(force=True)
    make(page, rhythm="reel")
    cards = page.locator("#candidates > li")
    expect(page.locator("#candidates button", has_text="Keep")).to_have_count(4)
    page.locator("#candidates button", has_text="Open").nth(1).click()
    expect(page.locator("#undo")).to_have_text("Undo: making 4 tunes")
    page.locator("#undo").click()
    expect(cards).to_have_count(0)
    expect(page.locator("#candidates")).to_be_hidden()
    assert abc_of(page) == SCALE
    page.locator("#show-history").click()
    expect(page.locator("#shelf .name")).to_have_text(["Scale"])


def test_a_tune_removed_from_the_list_takes_its_card(page: Page) -> None:
    page.locator('input[name="count"][value="4"]').check(force=True)
    make(page, rhythm="reel")
    expect(page.locator("#candidates button", has_text="Keep")).to_have_count(4)
    page.locator("#show-history").click()
    page.locator("#shelf li [aria-label^=More]").first.click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#candidates > li")).to_have_count(3)


def test_facts_and_trust_follow_the_text(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#change").click()
    page.locator("#abc").fill(COOLEYS)
    expect(page.locator("#facts")).to_have_text("reel · E Dorian · 4/4")
    expect(page.locator("#title")).to_have_text("Cooley's")
    expect(page.locator("#trust")).to_contain_text("Cooley's is a known tune")
    page.locator("#undo").click()
    expect(page.locator("#facts")).to_have_text("C major · 4/4")
    expect(page.locator("#title")).to_have_text("Scale")
    expect(page.locator("#trust")).to_be_hidden()


def test_a_transposed_tune_says_the_key_that_is_shown(page: Page) -> None:
    bring(page, PICKUPS)
    expect(page.locator("#facts")).to_have_text("jig · A Dorian · 6/8")
    page.locator("#mix").click()
    page.locator("#transpose").select_option("3")
    expect(page.locator("#facts")).to_have_text("jig · C Dorian · 6/8")
    page.get_by_role("button", name="Share", exact=True).click()
    page.evaluate("() => { window.print = () => {}; }")
    page.locator("#print-tune").click()
    expect(page.locator("#paper p")).to_have_text("jig · C Dorian · 6/8")


def test_on_a_phone_the_form_folds_to_what_is_asked_for_most(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    make(page)
    is_made(page)
    for name, is_shown in (("rhythm", True), ("key", True), ("meter", False), ("temperature", False)):
        expect(page.locator(f"#{name}")).to_be_visible(visible=is_shown)
    make(page, rhythm="slip jig", key="G")
    expect(page.locator("#facts")).to_have_text("slip jig · G major · 9/8")
    page.get_by_role("button", name="Options", exact=True).click()
    expect(page.locator("#meter")).to_be_visible()


def test_a_parts_pickup_is_no_bar(page: Page) -> None:
    bring(page, PICKUPS)
    expect(page.locator("#score .bar-number")).to_have_text(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
    page.locator("#score .abcjs-note").nth(15).click(force=True)
    expect(page.locator("#bars-abc")).to_have_value("c2c cBA")
    assert page.locator("#first-bar").input_value() == "5"
    page.locator("#first-bar").fill("4")
    page.locator("#first-bar").press("Tab")
    expect(page.locator("#score rect.chosen-bar")).to_have_count(3)
    page.get_by_role("button", name="Other bars here").click()
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 bars 4–5 anew"])


def test_downloads_sound_as_the_tune_is_heard(page: Page, tmp_path: Path) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#tempo").fill("60")
    page.locator("#program").select_option("73")
    page.locator("#count-in").check()
    page.get_by_role("button", name="Share", exact=True).click()
    with page.expect_download() as download:
        page.locator("#downloads button", has_text="MIDI").click()
    download.value.save_as(tmp_path / "scale.mid")
    midi = (tmp_path / "scale.mid").read_bytes()
    assert b"\xff\x51\x03" + struct.pack(">I", 1_000_000)[1:] in midi
    assert b"\xc0\x49" in midi
    assert b"\x99" not in midi


def test_tunes_made_one_after_the_other_leave_no_scores_in_memory(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    session.send("HeapProfiler.enable")
    nodes = []
    for seed in range(8):
        make(page, seed=str(seed))
        expect(page.locator("#title")).not_to_have_text("…")
        expect(page.locator("#stop")).to_be_hidden()
        session.send("HeapProfiler.collectGarbage")
        metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
        shown = page.evaluate("() => document.querySelectorAll('*').length")
        nodes.append(metrics["Nodes"] - 2 * shown)
    assert nodes[-1] < nodes[1] + 1000


def test_more_like_a_tune_keeps_its_plan_and_lights_what_changed(page: Page, requests: list[Request]) -> None:
    bring(page, COOLEYS)
    page.get_by_role("button", name="More like it").click()
    cards = page.locator("#candidates > li")
    expect(page.locator("#candidates button", has_text="Keep")).to_have_count(4)
    assert all(card.locator("rect.changed").count() for card in cards.all())
    expect(cards.locator("h3")).to_have_text(
        ["Cooley's, varied", "Cooley's, varied 2", "Cooley's, varied 3", "Cooley's, varied 4"]
    )
    asked = [request.post_data_json for request in requests if request.url.endswith("/generate")]
    assert [body["abc"] for body in asked if body] == [COOLEYS] * 4
    cards.first.get_by_role("button", name="Open").click()
    expect(page.locator("#title")).to_have_text("Cooley's, varied")
    expect(page.locator("#score rect.changed").first).to_be_attached()
    assert [line for line in abc_of(page).splitlines() if line.startswith(("M:", "K:", "R:"))] == [
        "R:reel",
        "M:4/4",
        "K:Edor",
    ]
    page.locator("#undo").click()
    expect(cards).to_have_count(0)
    expect(page.locator("#title")).to_have_text("Cooley's")


def test_a_metre_that_a_rhythm_has_not_cannot_be_chosen(page: Page) -> None:
    page.locator("#meter").select_option("4/4")
    page.locator("#rhythm").select_option("slip jig")
    expect(page.locator("#meter")).to_have_value("")
    allowed = page.locator("#meter option:not(:disabled)").all_inner_texts()
    assert "9/8" in allowed
    assert "4/4" not in allowed
    page.locator("#rhythm").select_option("")
    expect(page.locator("#meter option:disabled")).to_have_count(0)
