"""The page while the service is away: it opens, with its tunes, their scores and what was heard, and nothing else."""

from urllib.parse import urlencode

from playwright.sync_api import Browser, Page, expect

from tests.servers import serving
from tests.web.bench import abc_of, is_made, make, select_bars, visit


def visit_till_kept(page: Page) -> None:
    """Open the page twice: from then on its service worker answers."""
    visit(page)
    page.evaluate("async () => { await navigator.serviceWorker.ready; }")
    page.reload()
    page.wait_for_function("() => navigator.serviceWorker.controller")


UNTIL_KEPT = """async () => {
  const cache = await caches.open("lilt-sounds-2");
  while (!(await cache.keys()).some(({ url }) => url.includes("/render?")))
    await new Promise((resolve) => setTimeout(resolve, 50));
}"""


def test_the_page_opens_and_plays_what_was_heard_without_the_service(browser: Browser) -> None:
    with serving() as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        visit_till_kept(page)
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
        page.locator("#play").click()
        select_bars(page, 1, 2)
        page.get_by_role("button", name="Loop", exact=True).click()
        expect(page.locator("#player-message")).to_be_empty()
        expect(page.locator("#play .word")).to_have_text("Pause")
        page.locator("#unchoose").click()
        page.locator("#make-button").click()
        expect(page.locator("#message")).to_contain_text("does not answer")
        page.locator("#tempo").fill("61")  # which was not heard: nothing is played in its place
        page.locator("#play").click()
        expect(page.locator("#player-message")).to_contain_text("does not answer")
        assert page.evaluate("() => document.querySelector('#sound').currentTime") == 0
        context.close()


REPLACE_KEPT = """async (count) => {
  const cache = await caches.open("lilt-sounds-2");
  const [{ url }] = (await cache.keys()).filter(({ url }) => url.includes("/render?"));
  const kept = await cache.match(url);
  const headers = { ...Object.fromEntries(kept.headers), etag: '"of another version"' };
  await cache.put(url, new Response("another sound", { headers }));
  for (let i = 0; i < count; i++) await cache.put(`/render?abc=${i}`, new Response("old", { headers }));
}"""
"""Other sounds are kept under the address that was heard, and under more addresses than there is room for."""
KEPT = """async () => {
  const cache = await caches.open("lilt-sounds-2");
  const kept = await cache.matchAll();
  return kept.filter((answer) => answer.headers.has("Lilt-Address")).map((answer) => answer.headers.get("etag"));
}"""


def test_a_kept_sound_that_the_service_would_make_otherwise_is_not_played_and_few_are_kept(browser: Browser) -> None:
    with serving() as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        visit_till_kept(page)
        page.locator("#play").click()
        page.evaluate(UNTIL_KEPT)
        page.evaluate(REPLACE_KEPT, 30)
        page.reload()
        page.locator("#play").click()
        page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
        page.wait_for_function(f"async () => (await ({KEPT})()).length <= 24")
        assert any(tag != '"of another version"' for tag in page.evaluate(KEPT))
        context.close()


def test_what_another_version_of_the_page_is_made_of_is_kept_at_the_next_visit(browser: Browser) -> None:
    with serving() as server:
        context = browser.new_context(base_url=server.url)
        page = context.new_page()
        visit(page)
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        page.evaluate(
            """async () => {
              const cache = await caches.open("lilt-page-2");
              await cache.delete("/js/player.js");
              await cache.put("/js/gone.js", new Response(""));
            }"""
        )
        page.reload()
        page.wait_for_function(
            """async () => {
              const cache = await caches.open("lilt-page-2");
              return (await cache.match("/js/player.js")) && !(await cache.match("/js/gone.js"));
            }"""
        )
        context.close()


def test_a_score_comes_from_the_service_with_its_policy_where_the_sound_was_kept(browser: Browser) -> None:
    with serving() as server:
        page = browser.new_page(base_url=server.url)
        visit_till_kept(page)
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
        assert '"start_url": "./"' in manifest["data"]
        page.evaluate("async () => { await navigator.serviceWorker.ready; }")
        found = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert [error["errorId"] for error in found] == ["in-incognito"]  # as the pages of all tests are
        page.close()
