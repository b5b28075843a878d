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
LOOPED_BARS, LOOPED_NOTES = 2, 100

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
  const { start } = AudioBufferSourceNode.prototype;
  let loop = null;
  AudioBufferSourceNode.prototype.start = function (at, offset) {
    loop = { at: at - offset, context: this.context, length: this.buffer.duration };
    start.call(this, at, offset);
  };
  const heard = () => {
    if (!loop) return sound.currentTime;
    const { contextTime, performanceTime } = loop.context.getOutputTimestamp();
    return (contextTime + (performance.now() - performanceTime) / 1000 - loop.at) % loop.length;
  };
  const notes = [...score.querySelectorAll(".abcjs-note")];
  new MutationObserver((changes) => {
    const lit = changes.findLast(({ target }) => target.classList.contains("sounding"));
    if (!lit) return;
    const before = window.frames.findLast(({ began }) => began < document.timeline.currentTime);
    const light = {
      note: notes.indexOf(lit.target.closest(".abcjs-note")),
      drawn: heard(),
      since: performance.now() - (before?.at ?? 0),
    };
    window.lights.push(light);
    requestAnimationFrame(() => { light.seen = heard(); });
  }).observe(score, { subtree: true, attributes: true, attributeFilter: ["class"] });
  const frame = (began) => {
    window.frames.push({ began, at: performance.now() });
    requestAnimationFrame(frame);
  };
  frame(0);
}"""
"""A light is drawn in one frame, and seen when the next one begins; a loop keeps the time of Web Audio."""


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
    _tell_drift(page, expected, f"over {expected[-1]:.0f} s")
    page.locator("#score .abcjs-note").first.click(force=True)
    page.locator("#last-bar").fill(str(LOOPED_BARS))
    page.locator("#last-bar").press("Tab")
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.lights.length > 0")
    page.evaluate("() => { window.lights = []; window.frames = []; }")
    page.wait_for_function(f"() => window.lights.length >= {LOOPED_NOTES}", timeout=300_000)
    _tell_drift(page, expected, "in a loop", expected[8 * LOOPED_BARS] - expected[0])


def _tell_drift(page: Page, expected: list[float], where: str, length: float = float("inf")) -> None:
    """How late notes are lit; in a loop of some length, by the nearest of its rounds."""
    lights, frames = page.evaluate("() => [window.lights, window.frames]")
    for moment in ("drawn", "seen"):
        found = [light for light in lights if moment in light]
        late = [_late_ms(light, moment, expected, length) for light in found]
        print(
            f"drift {where}, {len(late)} notes; {moment} after their sound began: median "
            f"{statistics.median(late):.0f} ms, worst {max(late):.0f} ms, earliest {min(late):.0f} ms, "
            f"last fifty {statistics.median(late[-50:]):.0f} ms"
        )
    gaps = [after["at"] - before["at"] for before, after in pairwise(frames)]
    missed = sum(_late_ms(light, "drawn", expected, length) > light["since"] for light in lights)
    print(
        f"the browser's own frames: one in {statistics.median(gaps):.0f} ms, at worst {max(gaps):.0f} ms, "
        f"{sum(gap > 50 for gap in gaps)} of {len(gaps)} over 50 ms; {missed} notes not lit in their first frame"
    )


def _late_ms(light: dict[str, float], moment: str, expected: list[float], length: float) -> float:
    late = light[moment] - expected[int(light["note"])]
    return 1000 * min(late - length, late, late + length, key=abs)


if __name__ == "__main__":
    main()
