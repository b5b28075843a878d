"""`python -m tests.web.measure`: what the page weighs, how soon it sounds; or `--drift`, how the light keeps time."""

import statistics
import sys
from itertools import pairwise
from typing import Any

from playwright.sync_api import Browser, Page

from tests.servers import serving
from tests.web.bench import bring, steps, visit
from tests.web.browser import chromium

TIMES = 30
DRIFT_BARS = 135
"""of 4/4 at 180 quarters a minute: three minutes"""

_WATCH = """() => {
  const score = document.querySelector("#score"), sound = document.querySelector("#sound");
  const player = document.querySelector("#player"), stop = document.querySelector("#stop");
  window.marks = {};
  const since = (name) => { window.marks[name] ??= performance.now() - window.pressed; };
  document.querySelector("#make-button").addEventListener("click", () => {
    window.marks = {}; window.pressed = performance.now(); window.old = score.querySelector("svg");
  }, true);
  document.querySelector("#play").addEventListener("click", () => { window.played = performance.now(); }, true);
  new MutationObserver(() => {
    const svg = score.querySelector("svg");
    if (svg && svg !== window.old && svg.querySelector(".abcjs-note")) since("first bar");
  }).observe(score, { childList: true });
  new MutationObserver(() => { if (stop.hidden) since("whole tune"); }).observe(stop, { attributes: true });
  sound.addEventListener("timeupdate", () => {
    if (sound.currentTime > 0) window.marks["first sound after Play"] ??=
      performance.now() - window.played - 1000 * sound.currentTime;
  });
}"""

_WHOLE = """async (seed) => {
  const begun = performance.now();
  const answer = await fetch("/generate", { method: "POST", body: JSON.stringify({ seed }),
    headers: { "Content-Type": "application/json" } });
  const { abc } = await answer.json();
  const paper = document.createElement("div");
  document.body.append(paper);
  window.ABCJS.renderAbc(paper, abc);
  paper.remove();
  return performance.now() - begun;
}"""

_LIGHTS = """() => {
  const sound = document.querySelector("#sound"), score = document.querySelector("#score");
  [window.lights, window.frames] = [[], []];
  const notes = [...score.querySelectorAll(".abcjs-note")];
  new MutationObserver((changes) => {
    const lit = changes.findLast(({ target }) => target.classList.contains("sounding"));
    if (!lit) return;
    const light = { note: notes.indexOf(lit.target.closest(".abcjs-note")), drawn: sound.currentTime };
    window.lights.push(light);
    requestAnimationFrame(() => { light.seen = sound.currentTime; });
  }).observe(score, { subtree: true, attributes: true, attributeFilter: ["class"] });
  const frame = () => { window.frames.push(performance.now()); requestAnimationFrame(frame); };
  document.querySelector("#play").addEventListener("click", frame, { once: true });
}"""
"""A light is drawn in one frame, and seen when the next one begins."""


def main() -> None:
    """Print every figure."""
    with serving() as server, chromium() as browser:
        _weight(browser, server.url)
        page = browser.new_page(base_url=server.url, viewport={"width": 1280, "height": 900})
        visit(page)
        if "--drift" in sys.argv:
            _drift(page)
        else:
            _presses(page)


def _weight(browser: Browser, url: str) -> None:
    page = browser.new_page(base_url=url)
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) "
        "window.shift += entry.value; }).observe({ type: 'layout-shift', buffered: true });"
    )
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    visit(page)
    page.wait_for_timeout(500)
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    found: dict[str, Any] = page.evaluate(
        """() => {
          const all = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
          return { bytes: all.reduce((sum, { transferSize }) => sum + transferSize, 0), files: all.length,
            paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, shift: window.shift,
            ready: performance.getEntriesByName(location.origin + "/models")[0].responseEnd };
        }"""
    )
    print(f"page weight {found['bytes'] / 1024:.0f} KiB in {found['files']} files")
    print(f"first contentful paint {found['paint']:.0f} ms; menus filled about {found['ready']:.0f} ms")
    print(f"script time {1000 * metrics['ScriptDuration']:.0f} ms, layout {1000 * metrics['LayoutDuration']:.0f} ms")
    print(f"layout shift {found['shift']:.4f}")
    page.close()


def _presses(page: Page) -> None:
    page.evaluate(_WATCH)
    found: dict[str, list[float]] = {}
    for seed in range(TIMES):
        page.locator("#more").evaluate("(more) => { more.open = true; }")
        page.locator("#seed").fill(str(seed))
        page.locator("#make-button").click()
        page.wait_for_function("() => 'whole tune' in window.marks")
        page.locator("#play").click()
        page.wait_for_function("() => 'first sound after Play' in window.marks")
        page.locator("#play").click()
        for name, value in page.evaluate("() => window.marks").items():
            found.setdefault(name, []).append(value)
        found.setdefault("whole answer, then drawn", []).append(page.evaluate(_WHOLE, seed))
    for name, values in found.items():
        print(f"{name}: median {statistics.median(values):.0f} ms, worst {max(values):.0f} ms, of {len(values)}")


def _drift(page: Page) -> None:
    body = "|\n".join(
        "|".join("CDEFGABc" if bar % 2 else "cBAGFEDC" for bar in range(5)) for _ in range(DRIFT_BARS // 5)
    )
    abc = f"X:1\nT:Long\nM:4/4\nL:1/8\nQ:1/4=180\nK:C\n{body}|]\n"
    bring(page, abc)
    expected = [step["at"] for step in steps(page, abc)]
    page.evaluate(_LIGHTS)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').ended", timeout=300_000)
    lights, frames = page.evaluate("() => [window.lights, window.frames]")
    for moment in ("drawn", "seen"):
        late = [1000 * (light[moment] - expected[light["note"]]) for light in lights]
        print(
            f"drift over {expected[-1]:.0f} s: {len(late)} of {len(expected)} notes lit; {moment} after their sound "
            f"began: median {statistics.median(late):.0f} ms, worst {max(late):.0f} ms, earliest {min(late):.0f} ms, "
            f"last fifty {statistics.median(late[-50:]):.0f} ms"
        )
    gaps = [after - before for before, after in pairwise(frames)]
    print(f"the browser's own frames: one in {statistics.median(gaps):.0f} ms, at worst {max(gaps):.0f} ms")


if __name__ == "__main__":
    main()
