"""The bench in a real browser, before the real service and the real model."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.servers import Server, serving
from tests.web.bench import COOLEYS, PICKUPS, SCALE, abc_of, bring, draw_over_two_bars, faults, is_made, make, visit


def test_make_hear_keep_share_and_come_back(page: Page, server: Server) -> None:
    make(page, rhythm="jig", key="D", form="AABB8", seed="4")
    is_made(page)
    made = abc_of(page)
    assert "R:jig" in made
    assert "K:D" in made
    expect(page.locator("#facts")).to_have_text("jig · D major · 6/8")
    page.get_by_role("button", name="Keep", exact=True).click()
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.locator("#qr svg")).to_be_visible()
    link = page.get_by_label("Link to this tune").input_value()
    page.get_by_role("button", name="Close").click()
    page.reload()
    is_made(page)
    assert abc_of(page) == made
    page.locator("#shelf .name").click()
    assert abc_of(page) == made

    other = page.context.browser.new_context(base_url=server.url).new_page()  # type: ignore[union-attr]
    visit(other, link)
    is_made(other)
    assert abc_of(other) == made
    assert other.locator("#rhythm").input_value() == ""
    assert other.locator("#seed").input_value() == ""
    assert not other.locator("#lock").is_checked()
    other.locator("#recipe summary").click()
    expect(other.locator("#recipe-facts")).to_contain_text("Seed 4")
    other.get_by_role("button", name="Use these settings").click()
    assert other.locator("#rhythm").input_value() == "jig"
    assert other.locator("#seed").input_value() == "4"
    other.locator("#make-button").click()
    expect(other.locator("#stop")).to_be_hidden()
    is_made(other)
    assert abc_of(other) == made
    other.context.close()


def test_several_come_side_by_side_and_one_is_kept(page: Page) -> None:
    page.locator('input[name="count"][value="4"]').check(force=True)
    make(page, rhythm="reel", key="Ador")
    cards = page.locator("#candidates > li")
    expect(cards).to_have_count(4)
    expect(page.locator("#candidates button", has_text="Keep")).to_have_count(4)
    page.locator("#candidates button", has_text="Keep").nth(2).click()
    expect(page.locator("#shelf .name")).to_have_count(1)
    assert page.locator("#shelf .name").inner_text() == cards.nth(2).locator("h3").inner_text()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.locator("#undo").click()
    expect(page.locator("#shelf .name")).to_have_count(0)


def test_a_header_typed_in_the_start_string_sets_its_menu_and_strange_signs_are_marked(page: Page) -> None:
    page.locator("#more summary").click()
    page.locator("#start").fill("X:1\nT:A \u2603 day\nM:9/8\n")
    expect(page.locator("#meter")).to_be_disabled()
    assert page.locator("#meter").input_value() == "9/8"
    expect(page.locator("#key")).to_be_enabled()
    expect(page.locator("#start-fault")).to_contain_text("\u2603")
    assert page.locator("#make .under mark").inner_text() == "\u2603"
    page.locator("#start").fill("")
    expect(page.locator("#meter")).to_be_enabled()
    assert page.locator("#meter").input_value() == ""


def test_keys_are_in_a_musicians_order(page: Page) -> None:
    groups = page.locator("#key optgroup")
    labels = groups.evaluate_all("(all) => all.map(({ label }) => label)")
    assert labels[:5] == [
        "Usual",
        "Other major keys",
        "Other minor keys",
        "Other Dorian keys",
        "Other Mixolydian keys",
    ]
    usual = groups.nth(0).locator("option").all_inner_texts()
    assert usual[:2] == ["G major", "D major"]
    assert [name.split(" ")[1] for name in usual] == 6 * ["major"] + 5 * ["minor"] + 3 * ["Dorian"] + 2 * ["Mixolydian"]
    others = groups.nth(1).locator("option").all_inner_texts()
    assert [name.removesuffix(" major") for name in others] == ["E", "B", "F♯", "C♯", "E♭", "A♭", "D♭", "G♭", "C♭"]


def test_what_is_wrong_with_the_start_string_is_told(page: Page) -> None:
    make(page, seed="4", start="X:1\nM:4/4\nK:H\n")
    expect(page.locator("#message")).to_contain_text("Line 3: K:H is not a key")
    is_made(page)
    expect(page.locator("#start-fault")).to_contain_text("K:H is not a key")
    assert page.locator("#make .under mark").inner_text() == "K:H"
    page.locator("#start").fill("")
    expect(page.locator("#start-fault")).to_be_empty()


def test_a_tune_that_is_cut_short_is_not_the_start_strings_fault(page: Page) -> None:
    page.locator("#more").evaluate("(more) => { more.open = true; }")
    page.locator("#length").fill("12")
    with page.expect_response("**/generate") as answer:
        make(page, seed="4")
    answer.value.finished()
    expect(page.locator("#welcome")).to_be_hidden()
    expect(page.locator("#tune.growing")).to_have_count(0)
    expect(page.locator("#start-fault")).to_be_empty()
    expect(page.locator("#start")).not_to_have_attribute("aria-invalid", "true")


def test_the_score_grows_and_a_tune_can_be_stopped(page: Page) -> None:
    page.route("**/generate", lambda route: route.fulfill(status=200, content_type="text/event-stream", body=HALF))
    page.locator("#make-button").click()
    expect(page.locator("#title")).to_have_text("Half")
    expect(page.locator("#score .abcjs-note")).to_have_count(8)
    expect(page.locator("#message")).to_contain_text("Trying again")
    page.unroute("**/generate")
    is_made(page)
    expect(page.locator("#stop")).to_be_hidden()


HALF = 'event: start\ndata: {"seed": 1, "model": {"name": "irish", "version": 3, "hash": ""}}\n\n'
HALF += "event: chunk\ndata: " + json.dumps({"text": "T:Half\nM:4/4\nL:1/8\nK:C\nCDEF GABc|de"}) + "\n\n"


def test_a_note_is_changed_by_a_click_and_by_typing(page: Page) -> None:
    """Three things to do: click the note, type, and press Enter to hear it."""
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.keyboard.type("e2")
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.querySelector('#sound').paused")
    assert abc_of(page) == SCALE.replace("G2A2", "G2e2")
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    assert page.evaluate("() => document.querySelector('#sound').currentTime") >= 4 / 1.5
    expect(page.locator("#bars-abc")).to_have_value("G2e2B2c2")


def test_a_click_on_a_head_takes_its_note_where_notes_are_close(page: Page) -> None:
    """Four bars a line, heads high and low, stems up and down: the middle of a neighbour is often nearer."""
    bars = "cBAGE2AB|cAGEG2de|ecBAgAEd|GEDEG2A2|"
    bring(page, f"X:1\nM:4/4\nL:1/8\nK:Ador\n{bars}{bars}\n")
    heads = page.locator("#score .abcjs-notehead")
    notes = re.findall(r"[A-g]2?", 2 * bars)
    assert heads.count() == len(notes)
    for index, note in enumerate(notes):
        box = heads.nth(index).bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        before, taken = page.locator("#bars-abc").evaluate(
            "(f) => [f.value.slice(0, f.selectionStart), f.value.slice(f.selectionStart, f.selectionEnd)]"
        )
        assert taken == note, (index, before)


def test_a_fault_in_the_chosen_bars_is_told_beside_them(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.keyboard.type("A7")
    expect(page.locator("#bars-fault")).to_contain_text("Line 7")
    page.keyboard.press("Backspace")
    page.keyboard.type("2")
    expect(page.locator("#bars-fault")).to_be_empty()


def test_bars_are_drawn_over_and_others_come_and_go(page: Page) -> None:
    """Three things to do: draw over the bars, have others made, undo."""
    tune = SCALE.replace("Q:1/4=90\n", "")
    bring(page, tune)
    draw_over_two_bars(page)
    page.get_by_role("button", name="Other bars here").click()
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 bars 1–2 anew"])
    assert abc_of(page) != tune
    expect(page.locator("#score rect.chosen-bar")).to_have_count(2)
    page.keyboard.press("Control+z")
    expect(page.locator("#settings button")).to_have_count(0)
    assert abc_of(page) == tune


def test_a_change_is_a_new_setting_and_faults_are_underlined(page: Page) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Edit").click()
    page.locator("#abc").fill(SCALE.replace("C2D2E2F2", "C2D2E2F3"))
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    expect(page.locator("#editor .under mark").first).to_be_attached()
    expect(page.locator("#problems li").first).to_contain_text("Line ")
    page.locator("#settings button").first.click()
    assert abc_of(page) == SCALE
    page.locator("#undo").click()
    page.locator("#undo").click()
    expect(page.locator("#settings button")).to_have_count(0)
    assert abc_of(page) == SCALE


def test_again_from_here_keeps_what_stands_before(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score").click(position={"x": 300, "y": 50})
    page.locator("#last-bar").fill("3")
    page.locator("#last-bar").press("Tab")
    page.locator("#first-bar").fill("3")
    page.locator("#first-bar").press("Tab")
    page.get_by_role("button", name="New ending from here").click()
    expect(page.locator("#settings button")).to_have_count(2)
    assert abc_of(page).startswith(SCALE[: SCALE.index("c2B2")])
    assert abc_of(page) != SCALE


def test_a_new_ending_keeps_the_form_the_choosing_and_the_chords(page: Page, requests: list[Request]) -> None:
    part = '"G"G2BG dGBG|"G"G2Bd "D"edBA|"G"G2BG dGBG|"D"A2AB "G"G4:|'
    bring(page, f"X:1\nT:Four\nM:4/4\nL:1/8\nK:G\n|:{part}\n|:{part}\n")
    page.locator("#score").focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    start = abc_of(page)[: abc_of(page).index('"G"G2Bd', 80)]
    page.get_by_role("button", name="New ending from here").click()
    expect(page.locator("#settings button")).to_have_count(2)
    asked = [json.loads(request.post_data or "") for request in requests if request.url.endswith("/generate")][-1]
    assert (asked["form"], asked["best_of"]) == ("AABB4", 4)
    assert abc_of(page).startswith(start)
    ending = abc_of(page).removeprefix(start)
    assert any(request.url.endswith("/chords") for request in requests)  # of an end in one harmony none is new
    assert len(re.findall(r"\|+", ending)) == 3

    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Continue the tune").click()
    expect(page.locator("#settings button")).to_have_count(3)
    asked = [json.loads(request.post_data or "") for request in requests if request.url.endswith("/generate")][-1]
    assert asked["form"] == "AABBCC4"
    expect(page.locator("#problems li.error")).to_have_count(0)


@pytest.mark.parametrize(
    ("abc", "form"),
    [
        (COOLEYS, "AABB8"),
        ("X:1\nM:2/4\nL:1/8\nK:D\nABcd|d2A2|ABcd|d2d2||\nABcd|d2A2|ABcd|d2d2|]\n", "AB4"),
        ("X:1\nM:2/4\nL:1/8\nK:D\nABcd|1d2A2:|2d2d2||\n|:ABcd|1d2A2:|2d2d2|]\n", "AABB2"),
        ("X:1\nM:2/4\nL:1/8\nK:D\n|:A|(3ABcd2|d2A:|\n|:B|(3ABcd2|d2A:|\n", "AABB2"),
        ("X:1\nM:2/4\nL:1/8\nK:D\nABcd|d2d2:|ABcd|d2d2:|\n", None),  # the second repeat is begun by no sign
        (PICKUPS, None),  # a pickup before the repeat sign
        (SCALE, None),  # one part of two is repeated
    ],
)
def test_a_form_is_read_as_the_service_has_it(page: Page, abc: str, form: str | None) -> None:
    read = """async (abc) => {
        const { Score } = await import("./js/score.js");
        const paper = document.body.appendChild(document.createElement("div"));
        const score = new Score(paper);
        score.draw(abc);
        return score.form();
    }"""
    assert page.evaluate(read, abc) == form


def test_bars_are_chosen_and_played_by_keyboard(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#score").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#message")).to_have_text("Bars 2 to 3 chosen.")
    expect(page.locator("#score rect.chosen-bar")).to_have_count(2)
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.2")
    page.keyboard.press("Tab")
    expect(page.locator("#first-bar")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#score")).to_be_focused()
    page.locator("#unchoose").press("Enter")
    expect(page.locator("#chosen")).to_be_hidden()
    expect(page.locator("#score")).to_be_focused()


def test_a_copy_is_called_one_and_the_known_tune_is_shown(page: Page, client: httpx.Client) -> None:
    answers = (client.post("/generate", json={"seed": seed, "temperature": 0.7}).json() for seed in range(20))
    known = next(
        own["nearest"]["abc"] for answer in answers if (own := answer["tunes"][0]["originality"]) and own["nearest"]
    )
    bring(page, SCALE)
    page.get_by_role("button", name="Edit").click()
    page.locator("#abc").fill(known)
    expect(page.locator("#trust")).to_contain_text("is a known tune")
    page.locator("#abc").fill(re.sub("^T:.*$", "T:Another name", known, flags=re.MULTILINE))
    expect(page.locator("#trust")).to_contain_text("Copies a known tune")
    page.locator("#trust").click()
    expect(page.locator("#nearest svg")).to_be_visible()
    assert page.locator("#nearest rect.shared").count() == page.locator("#score rect.shared").count() > 3


def test_a_note_leads_to_its_abc(page: Page) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Edit").click()
    page.locator("#score .abcjs-note").nth(4).click(force=True)
    assert page.evaluate(
        """() => {
          const abc = document.querySelector("#abc");
          return abc.value.slice(abc.selectionStart, abc.selectionEnd);
        }"""
    ).startswith("G2")


def test_a_tune_goes_on_behind_its_end(page: Page) -> None:
    make(page, seed="4", rhythm="jig", key="D")
    is_made(page)
    made = abc_of(page).rstrip()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Continue the tune").click()
    expect(page.locator("#settings button")).to_have_text(["1 as made", "2 continued"])
    assert abc_of(page).startswith(made.removesuffix("|]"))
    assert len(abc_of(page)) > len(made) + 8
    expect(page.locator("#problems li.error")).to_have_count(0)


def test_copies_are_avoided_where_that_is_asked_for(page: Page, requests: list[Request]) -> None:
    page.locator("#more summary").click()
    page.locator("#avoid").check()
    make(page, seed="2")
    is_made(page)
    asked = [request.post_data_json for request in requests if request.url.endswith("/generate")]
    assert [body["avoid_copies"] for body in asked if body] == [True]
    expect(page.locator("#trust")).not_to_contain_text("Copies")


def test_a_full_store_is_told_and_nothing_is_lost(page: Page) -> None:
    bring(page, SCALE)
    page.wait_for_load_state("networkidle")  # what is found out of this tune is stored, and a full store is told once
    page.evaluate(FILL)
    make(page, seed="3")
    is_made(page)
    expect(page.locator("#stop")).to_be_hidden()
    expect(page.locator("#message")).to_contain_text("storage is full")
    made = abc_of(page)
    page.locator("#show-history").click()
    page.locator("#shelf .name").nth(1).click()
    assert abc_of(page) == SCALE
    page.locator("#shelf .name").first.click()
    assert abc_of(page) == made
    with page.expect_download():
        page.get_by_role("button", name="Export tunebook").click()
    page.reload()
    expect(page.locator("#shelf .name")).to_have_text(["Scale"])


FILL = """() => {
  for (let size = 1 << 22; size >= 1; size >>= 1) {
    try {
      while (true) localStorage.setItem("other" + Math.random(), "x".repeat(size));
    } catch {
      // smaller, then
    }
  }
}"""


def test_a_tunebook_goes_out_and_comes_back(page: Page, tmp_path: Path) -> None:
    bring(page, SCALE)
    make(page, seed="7")
    is_made(page)
    page.get_by_role("button", name="Keep", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export tunebook").click()
    book = tmp_path / "book.abc"
    download.value.save_as(book)
    assert len(re.findall(r"^X:", book.read_text(), re.M)) == 2
    assert '"seed":7' in book.read_text()
    page.evaluate("() => localStorage.clear()")
    page.reload()
    page.locator("#import-file").set_input_files(book)
    expect(page.locator("#shelf .name")).to_have_count(2)


@pytest.mark.parametrize("format_", ["ABC", "PDF", "MusicXML", "MIDI", "MP3"])
def test_files_are_downloaded(page: Page, format_: str, tmp_path: Path) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Share", exact=True).click()
    with page.expect_download() as download:
        page.locator("#downloads button", has_text=format_).first.click()
    download.value.save_as(tmp_path / "file")
    assert (tmp_path / "file").stat().st_size > 60
    assert download.value.suggested_filename.startswith("Scale.")


def test_on_a_slow_link_a_tune_is_made_and_sounds_in_a_smaller_format(page: Page, requests: list[Request]) -> None:
    session = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 200, "downloadThroughput": 60_000, "uploadThroughput": 60_000}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", slow)
    make(page, seed="6")
    is_made(page)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
    assert any("/render?" in request.url and "format=ogg" in request.url for request in requests)


def test_a_service_that_restarts_is_waited_for(page: Page) -> None:
    page.context.set_offline(offline=True)
    page.locator("#make-button").click()
    expect(page.locator("#message")).to_contain_text("Trying again")
    page.context.set_offline(offline=False)
    is_made(page)
    expect(page.locator("#message")).to_have_text("")


def test_a_service_killed_in_the_middle_leaves_what_was_made(browser: Browser) -> None:
    with serving() as server:
        page = browser.new_page(base_url=server.url)
        visit(page)
        make(page, seed="3")
        is_made(page)
        made = abc_of(page)
        server.process.kill()
        server.process.wait()
        page.locator("#make-button").click()
        expect(page.locator("#message")).to_contain_text("does not answer")
        page.locator("#stop").click()
        page.locator("#show-history").click()
        page.locator("#shelf .name").first.click()
        assert abc_of(page) == made
        page.close()


def test_an_embedded_tune_shows_and_plays(page: Page) -> None:
    bring(page, SCALE)
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_label("Link to this tune")).to_have_value(re.compile("#t="))
    link = page.get_by_label("Link to this tune").input_value()
    page.goto(link.replace("/#", "/embed#"))
    expect(page.locator("h1")).to_have_text("Scale")
    expect(page.locator("#score .bar-number")).to_have_text(["1", "2", "3", "4"])
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")


def test_a_damaged_link_is_told_in_words(page: Page) -> None:
    page.goto("/#t=abc")
    page.reload()
    expect(page.locator("#message")).to_contain_text("damaged")


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_axe_finds_nothing_and_nothing_sticks_out(browser: Browser, server: Server, width: int, scheme: Any) -> None:  # noqa: ANN401
    context = browser.new_context(
        base_url=server.url, viewport={"width": width, "height": 844}, color_scheme=scheme, bypass_csp=True
    )
    page = context.new_page()
    visit(page)
    assert faults(page) == []
    make(page, seed="5")
    is_made(page)
    page.get_by_role("button", name="Edit").click()
    page.locator("#score").click(position={"x": 150, "y": 60})
    page.locator("#mix").click()
    page.locator("#more").evaluate("(more) => { more.open = true; }")
    assert faults(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    page.locator("#mix").click()
    page.get_by_role("button", name="Share", exact=True).click()
    assert faults(page) == []
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Practise").click()
    assert faults(page) == []
    page.goto("/nothing")
    assert faults(page) == []
    context.close()


def test_nothing_is_loaded_from_elsewhere(page: Page, server: Server, requests: list[Request]) -> None:
    make(page)
    is_made(page)
    page.goto("/docs")
    expect(page.get_by_text("/generate", exact=False).first).to_be_visible()
    assert len(requests) > 8
    assert [request.url for request in requests if not request.url.startswith((server.url, "data:", "blob:"))] == []


def test_other_bars_leave_the_rest_as_it_is(page: Page) -> None:
    tune = SCALE.replace("Q:1/4=90\n", "")
    bring(page, tune)
    page.locator("#score").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Other bars here").click()
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 bar 2 anew"])
    made = abc_of(page)
    assert made.startswith(tune[: tune.index("G2A2")])
    assert made.endswith(tune[tune.index(":|") :])
    assert made != tune


def test_nothing_breaks_the_security_policy(page: Page) -> None:
    """abcjs's few styles are let in by their hashes; the interface's page needs none."""
    watch = """() => {
      window.broken = [];
      document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
    }"""
    page.add_init_script(f"({watch})()")
    page.evaluate(watch)
    bring(page, SCALE.replace("T:", "%%jazzchords true\nT:").replace("C2D2", '"Am7/G"C2"F#dim7"D2'))
    sizes = page.evaluate(
        """() => {
          const size = (part) => Number.parseFloat(getComputedStyle(part).fontSize);
          return [...document.querySelectorAll("#score tspan tspan")].map((part) => size(part) / size(part.parentNode));
        }"""
    )
    assert [round(size, 2) for size in sizes] == [0.7] * 3
    assert page.evaluate("() => window.broken") == []
    page.goto("/docs")
    page.get_by_text("/generate", exact=False).first.click()
    expect(page.get_by_text("start_string").first).to_be_visible()
    assert page.evaluate("() => window.broken") == []


def test_every_key_of_the_menu_has_a_name_of_its_own(page: Page) -> None:
    names = page.locator("#key option").all_inner_texts()
    assert len(names) == len(set(names)) > 80
    assert {"D major", "D minor", "D Mixolydian", "D Dorian"} <= set(names)


def test_two_parts_of_eight_bars_are_asked_for_where_nothing_else_is(page: Page, requests: list[Request]) -> None:
    make(page, seed="4")
    is_made(page)
    asked = [request.post_data_json for request in requests if request.url.endswith("/generate")]
    assert [body["form"] for body in asked if body] == ["AABB8"]


def test_an_empty_bench_has_a_tune_that_plays_and_is_nobodys_until_it_is_kept(page: Page) -> None:
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#score .abcjs-note").first).to_be_visible()
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
    page.locator("#show-history").click()
    expect(page.locator("#shelf .name")).to_have_count(0)
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#shelf .name")).to_have_count(1)
    is_made(page)
    page.locator("#undo").click()
    make(page, seed="4")
    is_made(page)
    page.locator("#undo").click()
    expect(page.locator("#score .abcjs-note").first).to_be_visible()
