"""The page while the service is away: it opens, with its tunes, their scores and what was heard."""

from urllib.parse import urlencode

from playwright.sync_api import Browser, expect

from tests.servers import serving
from tests.web.bench import abc_of, is_made, make, visit

UNTIL_KEPT = """async () => {
  const cache = await caches.open("lilt-sounds-1");
  while (!(await cache.keys()).some(({ url }) => url.includes("/render?")))
    await new Promise((resolve) => setTimeout(resolve, 50));
}"""


def test_the_page_opens_and_plays_what_was_heard_without_the_service(browser: Browser) -> None:
    with serving() as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        visit(page)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.reload()
        page.wait_for_function("() => navigator.serviceWorker.controller")
        make(page, seed="4", rhythm="jig")
        is_made(page)
        made = abc_of(page)
        page.get_by_role("button", name="Keep", exact=True).click()
        page.locator("#play").click()
        page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
        page.evaluate(UNTIL_KEPT)
        server.process.kill()
        server.process.wait()
        page.goto("/")
        is_made(page)
        assert abc_of(page) == made
        expect(page.locator("#message")).to_contain_text("Lilt is away")
        page.locator("#play").click()
        page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
        expect(page.locator("#score .sounding").first).to_be_attached()
        page.locator("#make-button").click()
        expect(page.locator("#message")).to_contain_text("does not answer")
        context.close()


def test_a_score_comes_from_the_service_with_its_policy_where_the_sound_was_kept(browser: Browser) -> None:
    with serving() as server:
        page = browser.new_page(base_url=server.url)
        visit(page)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.reload()
        page.wait_for_function("() => navigator.serviceWorker.controller")
        address = "/render?" + urlencode({"abc": "X:1\nL:1/8\nM:6/8\nK:D\nDFA d2f|afd D3|\n", "tempo": 400})
        page.evaluate("(address) => { new Audio(address).play(); }", f"{address}&format=mp3")
        page.evaluate(UNTIL_KEPT)
        score = page.goto(f"{address}&format=svg")
        assert score is not None
        assert score.headers["content-type"] == "image/svg+xml"
        assert "sandbox" in score.headers["content-security-policy"]
        page.close()


def test_the_page_can_be_installed(browser: Browser) -> None:
    with serving() as server:
        page = browser.new_page(base_url=server.url)
        visit(page)
        session = page.context.new_cdp_session(page)
        manifest = session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert '"start_url": "/"' in manifest["data"]
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [error["errorId"] for error in found] == ["in-incognito"]  # as the pages of all tests are
        page.close()
