"""What the security headers keep other sites and injected scripts from, in a real browser.

Each is tried without its header too, which somebody in between takes off: what is kept out then comes in.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.servers import ROOT, Server, serving
from tests.web.bench import SCALE, bring, visit
from tests.web.elsewhere import Site, altering, elsewhere

SVG = f"/render?format=svg&abc={quote(SCALE)}"
POLICY = "Content-Security-Policy"
INJECTED = """
<script>document.documentElement.dataset.inline = 1</script>
<img src="data:," onerror="document.documentElement.dataset.handler = 1">
<script src="{site}/script.js"></script>
<img src="{site}/leak.png?secret">
<link rel="stylesheet" href="{site}/leak.css?secret">
<iframe src="{site}/leak.html?secret"></iframe>
<iframe srcdoc="<script>parent.document.documentElement.dataset.framed = 1</script>"></iframe>
"""
INJECTED_SVG = """
<script>document.documentElement.dataset.inline = 1</script>
<image href="{site}/leak.png?secret" width="9" height="9"/>
"""
ASK = """async ([url, options]) => {
  try {
    const answer = await fetch(url, options);
    return [answer.status, answer.headers.get("Lilt-Seed"), await answer.text()];
  } catch (error) {
    return error.name;
  }
}"""
MAKE = {
    "method": "POST",
    "body": '{"seed": 5}',
    "headers": {"Content-Type": "application/json", "Accept": "text/vnd.abc"},
}


@pytest.fixture
def site() -> Iterator[Site]:
    with elsewhere() as site:
        site.pages["/"] = "<!doctype html><title>Another site</title>"
        yield site


@contextmanager
def opened(browser: Browser, url: str) -> Iterator[Page]:
    """A page in a browser that knows nothing."""
    context = browser.new_context(base_url=url)
    yield context.new_page()
    context.close()


def left_by_scripts(page: Page, path: str) -> set[str]:
    """What has run in a document, once all that it asks for has come or been refused."""
    page.goto(path, wait_until="networkidle")
    left: dict[str, str] = page.evaluate("() => ({ ...document.documentElement.dataset })")
    return {"inline", "handler", "elsewhere", "framed"} & left.keys()


@pytest.mark.parametrize("path", ["/", "/embed", "/docs"])
def test_what_is_injected_into_a_page_does_not_run_and_reaches_nobody(
    browser: Browser, server: Server, site: Site, path: str
) -> None:
    injected = INJECTED.format(site=site.url)
    site.pages["/leak.html"] = "<p>elsewhere</p>"
    with altering(server.url, injected=injected) as url, opened(browser, url) as page:
        assert left_by_scripts(page, path) == set()
        assert site.asked == []
    with altering(server.url, injected=injected, without=POLICY) as url, opened(browser, url) as page:
        assert left_by_scripts(page, path) == {"inline", "handler", "elsewhere", "framed"}
        leaks = {asked.partition("?")[0] for asked, _ in site.asked}
        assert leaks >= {"/script.js", "/leak.png", "/leak.css", "/leak.html"}


def test_what_is_injected_into_a_score_does_not_run_and_reaches_nobody(
    browser: Browser, server: Server, site: Site
) -> None:
    injected = INJECTED_SVG.format(site=site.url)
    with altering(server.url, injected=injected) as url, opened(browser, url) as page:
        assert left_by_scripts(page, SVG) == set()
        assert site.asked == []
    with altering(server.url, injected=injected, without=POLICY) as url, opened(browser, url) as page:
        assert left_by_scripts(page, SVG) == {"inline"}
        assert [asked for asked, _ in site.asked] == ["/leak.png?secret"]


def test_an_injected_form_sends_nothing(browser: Browser, server: Server, site: Site) -> None:
    injected = f'<form action="{site.url}/"><input name="a"><button id="injected">Go</button></form>'
    press = "(button) => button.click()"
    with altering(server.url, injected=injected) as url, opened(browser, url) as page:
        page.goto("/")
        with page.expect_console_message(lambda message: "form-action" in message.text):
            page.locator("#injected").evaluate(press)
        assert site.asked == []
    with altering(server.url, injected=injected, without=POLICY) as url, opened(browser, url) as page:
        page.goto("/")
        with page.expect_navigation(url=f"{site.url}/?a="):
            page.locator("#injected").evaluate(press)


def framed(page: Page, site: Site, origin: str, url: str) -> Frame:
    """What another site's page shows of us, once all of it has come or been refused."""
    site.pages["/frames"] = f'<iframe src="{url}" width="900" height="700"></iframe>'
    page.goto(f"{origin}/frames", wait_until="networkidle")
    (frame,) = page.main_frame.child_frames
    return frame


@pytest.mark.parametrize(("path", "word"), [("/", "rhythm"), ("/docs", "generate"), ("/models", "vocab")])
def test_other_sites_cannot_frame_what_is_not_for_it(
    browser: Browser, server: Server, site: Site, path: str, word: str
) -> None:
    with opened(browser, server.url) as page:
        for origin in (site.url, site.neighbour_url):
            with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
                frame = framed(page, site, origin, server.url + path)
            assert word not in frame.evaluate("() => document.body?.innerText ?? ''").lower()
    with altering(server.url, without=POLICY, is_old=True) as url, opened(browser, url) as page:
        frame = framed(page, site, site.neighbour_url, url + path)
        frame.wait_for_function("(word) => document.body?.innerText.toLowerCase().includes(word)", arg=word)


def test_another_site_shows_and_plays_a_tune_in_a_frame(browser: Browser, server: Server, site: Site) -> None:
    with opened(browser, server.url) as page:
        visit(page)
        bring(page, SCALE)
        page.get_by_role("button", name="Share", exact=True).click()
        expect(page.get_by_label("Link to this tune")).to_have_value(re.compile("#t="))
        link = page.get_by_label("Link to this tune").input_value().replace("/#", "/embed#")
        site.pages["/tune"] = f'<iframe src="{link}" width="900" height="700"></iframe>'
        page.goto(f"{site.url}/tune")
        frame = page.frame_locator("iframe")
        expect(frame.locator("h1")).to_have_text("Scale")
        frame.locator("#play").click()
        (inner,) = page.main_frame.child_frames
        inner.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
        look = "() => { try { return window.frames[0].document.title; } catch (error) { return error.name; } }"
        assert page.evaluate(look) == "SecurityError"


@pytest.mark.parametrize("element", ["iframe src", "object data", "embed src"])
def test_another_site_cannot_make_us_work_by_frames(browser: Browser, server: Server, site: Site, element: str) -> None:
    lines = len(server.log)
    site.pages["/busy"] = f"<{element}='{server.url}{SVG}'></{element.split()[0]}>"
    own = "-".join(["busy", *element.split()])  # the log may still be told of requests of pages that were left
    with opened(browser, server.url) as page:
        page.set_extra_http_headers({"X-Request-ID": own})
        page.goto(f"{site.url}/busy", wait_until="networkidle")
    answers = [line for line in server.log[lines:] if '"status"' in line and own in line]
    assert len(answers) == 1
    assert '"status": 403' in answers[0]


def test_what_is_no_script_does_not_run_as_one(browser: Browser, server: Server) -> None:
    load = """(path) => new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = () => resolve("run");
      script.onerror = () => resolve("refused");
      script.src = path;
      document.body.append(script);
    })"""
    with opened(browser, server.url) as page:
        page.goto("/")
        assert page.evaluate(load, "/js/abc.js") == "run"
        assert [page.evaluate(load, path) for path in ("/style.css", "/models", "/openapi.json")] == ["refused"] * 3
    with altering(server.url, without="X-Content-Type-Options") as url, opened(browser, url) as page:
        page.goto("/")
        assert page.evaluate(load, "/style.css") == "run"


def test_who_is_gone_to_does_not_learn_from_where(browser: Browser, server: Server, site: Site) -> None:
    follow = """(url) => { const link = document.createElement("a"); link.href = url; link.click(); }"""

    def told(url: str) -> str | None:
        with opened(browser, url) as page:
            page.goto("/docs")
            with page.expect_navigation(url=f"{site.url}/"):
                page.evaluate(follow, f"{site.url}/")
            assert page.title() == "Another site"
        return next(headers["Referer"] for path, headers in reversed(site.asked) if path == "/")

    assert told(server.url) is None
    with altering(server.url, without="Referrer-Policy") as url:
        assert told(url) == f"{url}/"


def test_who_opens_a_window_on_us_has_no_hold_on_it(browser: Browser, server: Server, site: Site) -> None:
    def is_held(url: str) -> bool:
        with opened(browser, url) as page:
            page.goto(f"{site.url}/")
            with page.expect_popup() as window:
                page.evaluate("(url) => { window.opened = window.open(url); }", f"{url}/docs")
            window.value.wait_for_load_state()
            assert window.value.title() != ""
            held: bool = window.value.evaluate("() => window.opener !== null")
            assert page.evaluate("() => window.opened.closed") is not held
            return held

    assert not is_held(server.url)
    with altering(server.url, without="Cross-Origin-Opener-Policy") as url:
        assert is_held(url)


@pytest.mark.parametrize("origin", ["url", "neighbour_url"])
def test_another_sites_page_reads_nothing_and_makes_nothing(
    browser: Browser, server: Server, site: Site, origin: str
) -> None:
    lines = len(server.log)
    with opened(browser, server.url) as page:
        page.goto(f"{getattr(site, origin)}/")
        assert page.evaluate(ASK, [f"{server.url}/generate", MAKE]) == "TypeError"
        assert page.evaluate(ASK, [f"{server.url}/models", {}]) == "TypeError"
        assert page.evaluate(ASK, [f"{server.url}/models", {"mode": "no-cors"}]) == "TypeError"
        shown = """(url) => new Promise((resolve) => {
          const image = new Image();
          image.onload = () => resolve(true);
          image.onerror = () => resolve(false);
          image.src = url;
        })"""
        assert page.evaluate(shown, f"{server.url}/icon.svg") is False
        page.goto(f"{server.url}/docs")
        assert page.evaluate(shown, f"{server.url}/icon.svg") is True
    assert not any('"POST"' in line and "/generate" in line for line in server.log[lines:])


LOADED = """([tag, url, attributes]) => new Promise((resolve) => {
  const element = document.createElement(tag);
  element.addEventListener("load", () => resolve("loaded"));
  element.addEventListener("canplay", () => resolve("loaded"));
  element.addEventListener("error", () => resolve("refused"));
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.src = url;
  document.body.append(element);
})"""
PLAYED = """(url) => new Promise((resolve) => {
  const audio = new Audio();
  audio.crossOrigin = "anonymous";
  audio.muted = true;
  audio.addEventListener("timeupdate", () => audio.currentTime > 0.2 && resolve(true));
  audio.addEventListener("error", () => resolve(false));
  audio.src = url;
  audio.play().catch(() => resolve(false));
})"""
HEADERS = """async (url) => {
  const { headers } = await fetch(url, { headers: { Range: "bytes=0-99" } });
  return ["ETag", "Content-Disposition", "Content-Range", "Accept-Ranges", "Content-Length"].map((n) => headers.get(n));
}"""
SUBMIT = """([url, method, target]) => {
  const form = Object.assign(document.createElement("form"), { action: url, method, target, enctype: "text/plain" });
  const field = Object.assign(document.createElement("input"), { name: "abc", value: "X:1" });
  form.append(field);
  document.body.append(form);
  form.submit();
}"""
ANONYMOUS = {"crossorigin": "anonymous"}


def answers_to(server: Server, route: str, since: int) -> list[int]:
    """The statuses of a route's answers, from a line of the log on."""
    records = [json.loads(line) for line in list(server.log)[since:] if f'"route": "{route}"' in line or '"unm' in line]
    return [record["status"] for record in records]


def rendered(server: Server) -> float:
    """How many files the service has been asked for and has made or found."""
    with server.client() as client:
        lines = client.get("/metrics").text.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("lilt_render_cache_lookups_total"))


def test_a_page_of_a_named_origin_plays_and_shows_a_tune(browser: Browser, site: Site) -> None:
    with serving(cors_origins=site.url) as server, opened(browser, server.url) as page:
        page.goto(f"{site.url}/")
        tune, score = (f"{server.url}/render?format={kind}&abc={quote(SCALE)}" for kind in ("mp3", "svg"))
        assert page.evaluate(PLAYED, tune) is True
        assert page.evaluate(LOADED, ["img", score, ANONYMOUS]) == "loaded"
        tag, disposition, content_range, ranges, length = page.evaluate(HEADERS, tune)
        assert tag.startswith('"')
        assert disposition.startswith("inline")
        assert content_range.startswith("bytes 0-99/")
        assert (ranges, length) == ("bytes", "100")
        assert page.evaluate("async (url) => (await fetch(url, { method: 'HEAD' })).status", tune) == 200
        keyed = "async (url) => (await fetch(url, { method: 'HEAD', headers: { Authorization: 'Bearer x' } })).status"
        assert page.evaluate(keyed, tune) == 200  # after a preflight for HEAD
        # without `crossorigin` a browser does not say which site's page it is
        assert page.evaluate(LOADED, ["audio", tune, {}]) == "refused"


def test_a_page_of_ones_own_shows_and_plays_a_tune_as_the_docs_have_it(browser: Browser, site: Site) -> None:
    (example,) = re.findall(r"```html\n(.*?)```", (ROOT / "docs" / "api.md").read_text("utf-8"), re.DOTALL)
    with serving(cors_origins=site.url) as server, opened(browser, server.url) as page:
        site.pages["/jig"] = example.replace("http://localhost:8000", server.url)
        page.goto(f"{site.url}/jig")
        expect(page.locator("pre")).to_contain_text("R:jig")
        expect(page.locator("h1")).to_have_text(re.compile(r"\w"))
        page.wait_for_function("() => document.querySelector('img').naturalWidth > 0")
        page.wait_for_function("() => document.querySelector('audio').readyState >= 2")


@pytest.mark.parametrize("origin", ["a site that is not named", "another port of this host"])
def test_a_page_of_no_named_origin_can_make_nothing_be_rendered(browser: Browser, site: Site, origin: str) -> None:
    with elsewhere() as other, serving(cors_origins=site.url) as server, opened(browser, server.url) as page:
        other.pages["/"] = (
            '<!doctype html><title>Not named</title><iframe name="get"></iframe><iframe name="post"></iframe>'
        )
        page.goto(f"{other.url if origin == 'a site that is not named' else other.neighbour_url}/")
        url = server.url + SVG
        for options in ({}, {"mode": "no-cors"}, {"mode": "no-cors", "method": "POST", "body": SCALE}, MAKE):
            assert page.evaluate(ASK, [url, options]) == "TypeError"
        for tag in ("img", "audio", "video"):
            for attributes in ({}, ANONYMOUS):
                assert page.evaluate(LOADED, [tag, url, attributes]) == "refused"
        page.evaluate(LOADED, ["iframe", url, {}])
        for method in ("get", "post"):
            with page.expect_response(lambda response: response.url.startswith(f"{server.url}/render")) as answer:
                page.evaluate(SUBMIT, [url, method, method])
            assert answer.value.status == 403
        with page.expect_navigation(url=url):
            page.evaluate(SUBMIT, [url, "post", "_top"])
        assert rendered(server) == 0
        statuses = answers_to(server, "/render", 0)
        assert len(statuses) >= 14
        assert set(statuses) == {403}


def test_a_site_that_is_named_may_ask_and_no_other(browser: Browser, site: Site) -> None:
    with serving(cors_origins=site.url) as server, opened(browser, server.url) as page:
        page.goto(f"{site.url}/")
        status, seed, abc = page.evaluate(ASK, [f"{server.url}/generate", MAKE])
        assert (status, seed) == (200, "5")
        assert abc.startswith("X:1\n")
        page.goto(f"{site.neighbour_url}/")
        assert page.evaluate(ASK, [f"{server.url}/generate", MAKE]) == "TypeError"
        assert page.evaluate(ASK, [f"{server.url}/models", {}]) == "TypeError"
