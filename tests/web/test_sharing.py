"""Links, QR codes and tunebooks: what their recipients get, and what they are told."""

import base64
import json
import re
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.servers import Server
from tests.web.bench import COOLEYS, PICKUPS, SCALE, abc_of, bring, visit


def share(page: Page) -> str:
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_label("Link to this tune")).to_have_value(re.compile("#t="))
    return page.get_by_label("Link to this tune").input_value()


def import_book(page: Page, book: str) -> None:
    file = FilePayload(name="book.abc", mimeType="text/plain", buffer=book.encode())
    page.locator("#import-file").set_input_files(file)
    expect(page.locator("#message")).to_contain_text("imported")


def test_a_link_that_begins_with_localhost_is_warned_of(page: Page) -> None:
    bring(page, SCALE)
    share(page)
    expect(page.locator("#link-words")).to_contain_text("opens on this computer alone")


def test_a_link_leaves_the_recipients_form_alone(page: Page) -> None:
    page.locator("#rhythm").select_option("polka")
    page.evaluate(
        """async () => {
          const { fragmentOf } = await import("/js/link.js");
          location.hash = await fragmentOf({ abc: "X:1\\nK:C\\nCDEF|]\\n", recipe: { seed: 7, rhythm: "jig" } });
        }"""
    )
    expect(page.locator("#recipe")).to_be_visible()
    assert page.locator("#rhythm").input_value() == "polka"
    assert page.locator("#seed").input_value() == ""
    assert not page.locator("#lock").is_checked()


@pytest.mark.parametrize("page_of_it", ["/", "/embed"])
def test_a_link_that_unpacks_to_a_huge_tune_is_refused(page: Page, page_of_it: str) -> None:
    """A few thousand characters could hold megabytes, which held the page up for minutes, and again at each visit."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(json.dumps({"abc": "X:1\nK:C\n" + "CDEF GABc|\n" * 100_000}).encode()) + packer.flush()
    page.goto(f"{page_of_it}#t={base64.urlsafe_b64encode(packed).decode().rstrip('=')}")
    expect(page.locator("#message")).to_have_text("The tune in this link is too long to be opened.")


@pytest.mark.parametrize(
    "recipe",
    ['{ temperature: "hot", key: {}, form: [1], vary: "all", seed: 7 }', "5", "[{ seed: {} }]", '{ rhythm: ["jig"] }'],
)
def test_a_link_with_a_recipe_of_somebody_elses_making_is_opened(page: Page, recipe: str) -> None:
    page.evaluate(
        f"""async () => {{
          const {{ fragmentOf }} = await import("/js/link.js");
          location.hash = await fragmentOf({{ abc: "X:1\\nT:Linked\\nK:C\\nCDEF|]\\n", recipe: {recipe} }});
        }}"""
    )
    expect(page.locator("#title")).to_have_text("Linked")
    expect(page.locator("#recipe-facts")).to_have_text("Seed 7" if "7" in recipe else "")


def test_what_is_opened_at_the_next_visit_was_drawn_at_this_one(page: Page) -> None:
    """Else a tune that takes the score's drawing for ever would be drawn again at each visit."""
    bring(page, SCALE)
    page.evaluate(
        """() => {
          const { renderAbc } = ABCJS;
          window.openedAtDrawing = [];
          ABCJS.renderAbc = (...all) => {
            window.openedAtDrawing.push(localStorage.getItem("lilt.opened"));
            return renderAbc(...all);
          };
        }"""
    )
    before = page.evaluate("localStorage.getItem('lilt.opened')")
    bring(page, PICKUPS)
    after = page.evaluate("localStorage.getItem('lilt.opened')")
    assert after != before
    assert page.evaluate("window.openedAtDrawing[0]") == before


def test_linked_and_imported_tunes_have_their_trust(page: Page, browser: Browser, server: Server) -> None:
    bring(page, COOLEYS)
    expect(page.locator("#trust")).to_have_text(re.compile(r"Cooley's is a known tune: \d+ bars shared with it"))
    link = share(page)
    context = browser.new_context(base_url=server.url)
    other = context.new_page()
    visit(other, link)
    expect(other.locator("#trust")).to_contain_text("Cooley's is a known tune")
    context.close()


def test_nothing_is_said_of_a_tune_that_is_nobodys(page: Page) -> None:
    with page.expect_response("**/originality"):
        bring(page, PICKUPS)
    expect(page.locator("#trust")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_codes_squares_are_large_enough_or_it_is_said_to_be_too_long(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    bring(page, COOLEYS)
    share(page)
    code = page.locator("#qr svg")
    expect(code).to_be_visible()
    box = code.bounding_box()
    assert box
    squares = float((code.get_attribute("viewBox") or "").split()[2])
    assert box["width"] / squares >= 3
    assert box["x"] + box["width"] <= width
    page.get_by_role("button", name="Close").click()
    page.locator("#change").click()
    page.locator("#abc").fill(COOLEYS + "".join(f"N:{number * 7919 % 100003}\n" for number in range(1100)))
    expect(page.locator("#settings button")).to_have_count(2)
    share(page)
    expect(page.locator("#qr")).to_have_text(
        "This tune is too long for a QR code that a phone can read; send the link."
    )


def test_importing_twice_adds_nothing(page: Page) -> None:
    book = SCALE + "\n" + PICKUPS
    import_book(page, book)
    expect(page.locator("#shelf .name")).to_have_count(2)
    import_book(page, book.replace("X:1", "X:9"))
    expect(page.locator("#message")).to_have_text("0 tunes imported. 2 tunes there already.")
    expect(page.locator("#shelf .name")).to_have_count(2)


def test_an_export_has_each_tune_as_it_stands(page: Page, tmp_path: Path) -> None:
    bring(page, SCALE)
    expect(page.get_by_role("button", name="Export all their settings")).to_be_hidden()
    page.locator("#change").click()
    page.locator("#abc").fill(SCALE.replace("C2D2", "E2D2"))
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Export tunebook").click()
    download.value.save_as(tmp_path / "book.abc")
    assert (tmp_path / "book.abc").read_text() == SCALE.replace("C2D2", "E2D2")


def test_an_export_of_all_settings_comes_back_with_them(page: Page, tmp_path: Path) -> None:
    bring(page, SCALE)
    page.locator("#change").click()
    page.locator("#abc").fill(SCALE.replace("C2D2", "E2D2"))
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    page.locator("#settings button").first.click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export all their settings").click()
    book = tmp_path / "book.abc"
    download.value.save_as(book)
    assert re.findall(r"^X:(\d+)", book.read_text(), re.M) == ["1", "2"]
    assert "E2D2" in book.read_text()
    page.evaluate("() => localStorage.clear()")
    page.reload()
    import_book(page, book.read_text())
    page.locator("#shelf .name").click()
    expect(page.locator("#settings button")).to_have_text(["1 imported", "2 edited"])
    assert "C2D2" in abc_of(page)
    assert "%" not in abc_of(page)


def test_an_embedded_tune_has_our_type_and_shows_all_its_lines(page: Page) -> None:
    bring(page, COOLEYS + COOLEYS[COOLEYS.index("|:") :])
    share(page)
    page.evaluate("() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }")
    page.get_by_role("button", name="Copy code for a web page").click()
    page.wait_for_function("() => window.copied")
    code = page.evaluate("() => window.copied")
    height = re.search(r'height="(\d+)"', code)
    address = re.search(r'src="([^"]+)"', code)
    assert height
    assert address
    page.set_viewport_size({"width": 680, "height": int(height[1])})
    page.goto(address[1])
    expect(page.locator("#score svg")).to_be_visible()
    page.wait_for_function("() => document.fonts.status === 'loaded'")
    assert page.evaluate("() => [...document.fonts].filter(({ status }) => status === 'loaded').length") >= 2
    bottom, dock = page.evaluate(
        """() => ["#score", "#player"].map((part) => document.querySelector(part).getBoundingClientRect())
          .map((box, index) => (index ? box.top : box.bottom))"""
    )
    assert bottom <= dock
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")


def test_a_link_is_left_for_the_tune_that_is_opened_after_it(page: Page) -> None:
    bring(page, COOLEYS)
    share(page)
    expect(page.get_by_label("Link to this tune")).to_have_value(re.compile("#t="))
    link = page.get_by_label("Link to this tune").input_value()
    page.evaluate("() => localStorage.clear()")
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#title")).to_have_text("Cooley's")
    page.reload()
    expect(page.locator("#title")).to_have_text("Cooley's")
    bring(page, SCALE)
    assert page.evaluate("() => location.hash") == ""
    page.reload()
    expect(page.locator("#title")).to_have_text("Scale")


def test_an_address_that_leads_nowhere_says_so_to_people(page: Page) -> None:
    page.goto("/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no page at this address")
    page.get_by_role("link", name="Make a tune").click()
    expect(page.locator("#make-button")).to_be_visible()


def test_a_picture_of_the_first_line_is_saved_or_passed_on(page: Page, tmp_path: Path) -> None:
    bring(page, COOLEYS)
    share(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture of the first line").click()
    download.value.save_as(tmp_path / "card.png")
    assert download.value.suggested_filename == "Cooley's.png"
    data = (tmp_path / "card.png").read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(data[16:20]), int.from_bytes(data[20:24])) == (1200, 630)
    page.evaluate(
        """() => {
          navigator.canShare = ({ files }) => files.length === 1;
          navigator.share = async (what) => { window.passed = what.files[0].name; };
        }"""
    )
    page.get_by_role("button", name="Picture of the first line").click()
    page.wait_for_function('() => window.passed === "Cooley\'s.png"')
