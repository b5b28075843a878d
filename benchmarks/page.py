"""`python -m benchmarks.page [weight | presses | tempo | drift | memory]`: what the page weighs, how soon it answers.

In Chromium before a service of its own. `weight`: bytes, paints, shifts and long tasks of a first visit. `presses`:
from Make to the score and from Play to sound. `tempo`: from the slider to the new tempo. `drift`: the lit note against
the sound with backing and feel, over a whole tune and in a loop, and the sound against the times that the page is
told. `memory`: heap and nodes as tunes are made. Without a name, all of them.
"""

import argparse
import io
import statistics
from itertools import pairwise
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page
from scipy.signal import butter, sosfilt

from tests.servers import serving
from tests.web.bench import COOLEYS, bring, steps, visit
from tests.web.browser import chromium

PARTS = ("weight", "presses", "tempo", "drift", "memory")
VISITS = 5
TIMES = 20
TUNES = 200
"""made for `memory`, which is looked at so many times on the way"""
LOOKS = 8
LOOPED_BARS, LOOPED_NOTES = 2, 100
HOW = {"backing": "session", "feel": 0.5}
"""how the tune of `drift` is played; that much feel is the usual one"""
ONSET_WINDOW_S = 0.06

_OBSERVE = """
  window.shift = 0; window.tasks = []; window.largest = 0;
  const watch = (type, look) => new PerformanceObserver((list) => list.getEntries().forEach(look))
    .observe({ type, buffered: true });
  watch("layout-shift", ({ value }) => { window.shift += value; });
  watch("longtask", ({ duration }) => window.tasks.push(duration));
  watch("largest-contentful-paint", ({ startTime }) => { window.largest = startTime; });
  addEventListener("DOMContentLoaded", () => {
    const look = () => {
      const isUseful = document.querySelector("#score .abcjs-note") &&
        document.querySelector("#rhythm option + option");
      if (isUseful) window.useful ??= performance.now();
      else requestAnimationFrame(look);
    };
    look();
  });
"""

_VISITED = """() => {
  const all = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
  return {
    "KiB sent": all.reduce((sum, { transferSize }) => sum + transferSize, 0) / 1024,
    "files": all.length,
    "first contentful paint, ms": performance.getEntriesByName("first-contentful-paint")[0].startTime,
    "largest contentful paint, ms": window.largest,
    "useful (a score, and menus to make another), ms": window.useful,
    "layout shift": window.shift,
    "long tasks": window.tasks.length,
    "their time over 50 ms, ms": window.tasks.reduce((sum, duration) => sum + duration - 50, 0),
  };
}"""

_WATCH = """() => {
  const score = document.querySelector("#score");
  const player = document.querySelector("#player"), stop = document.querySelector("#stop");
  window.marks = {};
  const since = (name) => { window.marks[name] ??= performance.now() - window.pressed; };
  document.querySelector("#make-button").addEventListener("click", () => {
    window.marks = {}; window.pressed = performance.now(); window.old = score.querySelector("svg");
  }, true);
  document.querySelector("#play").addEventListener("click", () => { window.played = performance.now(); }, true);
  new MutationObserver(() => {
    const svg = score.querySelector("svg");
    if (svg && svg !== window.old && svg.querySelector(".abcjs-note")) since("Make to the first bar");
  }).observe(score, { childList: true });
  new MutationObserver(() => { if (stop.hidden) since("Make to the whole tune"); }).observe(stop, { attributes: true });
  document.querySelector("#sound").addEventListener("timeupdate", ({ target }) => {
    if (target.currentTime > 0) window.marks["Play to sound"] ??=
      performance.now() - window.played - 1000 * target.currentTime;
  });
}"""

_MOVE_TEMPO = """async ([tempo, rate]) => {
  const slider = document.querySelector("#tempo");
  const sound = () => document.querySelector("#sound");
  const old = sound();
  const before = sound().playbackRate;
  const began = performance.now();
  slider.value = tempo;
  slider.dispatchEvent(new Event("input"));
  slider.dispatchEvent(new Event("change"));
  const moved = { "slider to the new tempo in what plays": null, "slider to sound made at it": null };
  let [time, at] = [old.currentTime, performance.now()];
  while (sound() === old) {
    await new Promise(requestAnimationFrame);
    const [now, reads] = [performance.now(), old.currentTime];
    if (now - at < 60) continue;
    const pace = (reads - time) / ((now - at) / 1000);
    if (Math.abs(pace - rate) < Math.abs(pace - before)) moved["slider to the new tempo in what plays"] ??= at - began;
    [time, at] = [reads, now];
    if (now - began > 20000) return null;
  }
  moved["slider to sound made at it"] = performance.now() - began;
  moved["slider to the new tempo in what plays"] ??= moved["slider to sound made at it"];
  return moved;
}"""

_LIGHTS = """() => {
  const score = document.querySelector("#score");
  [window.lights, window.frames] = [[], []];
  const { start } = AudioBufferSourceNode.prototype;
  let loop = null;
  AudioBufferSourceNode.prototype.start = function (at, offset) {
    loop = { at: at - offset, context: this.context, length: this.buffer.duration };
    start.call(this, at, offset);
  };
  const heard = () => {
    if (!loop) return document.querySelector("#sound").currentTime;
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
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parts = parser.parse_args().parts or PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there is {', '.join(PARTS)}")
    measures = {"presses": _presses, "tempo": _tempo, "drift": _drift, "memory": _memory}
    with serving() as server, chromium() as browser:
        for part in parts:
            if part == "weight":
                _weight(browser, server.url)
                continue
            context = browser.new_context(base_url=server.url, viewport={"width": 1280, "height": 900})
            page = context.new_page()
            visit(page)
            measures[part](page)
            context.close()


def _weight(browser: Browser, url: str) -> None:
    found: dict[str, list[float]] = {}
    for _ in range(VISITS):
        context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900}, service_workers="block")
        page = context.new_page()
        page.add_init_script(_OBSERVE)
        visit(page)
        page.wait_for_function("() => window.useful")
        page.wait_for_timeout(500)
        for name, value in page.evaluate(_VISITED).items():
            found.setdefault(name, []).append(value)
        context.close()
    for name, values in found.items():
        print(f"{name}: median {statistics.median(values):.4g}, worst {max(values):.4g}, of {VISITS} first visits")


def _presses(page: Page) -> None:
    page.evaluate(_WATCH)
    found: dict[str, list[float]] = {}
    page.locator("#more").evaluate("(more) => { more.open = true; }")
    for seed in range(TIMES):
        page.locator("#seed").fill(str(seed))
        page.locator("#make-button").click()
        page.wait_for_function("() => 'Make to the whole tune' in window.marks")
        page.locator("#play").click()
        page.wait_for_function("() => 'Play to sound' in window.marks")
        page.locator("#play").click()
        for name, value in page.evaluate("() => window.marks").items():
            found.setdefault(name, []).append(value)
    _tell_times(found)


def _tempo(page: Page) -> None:
    bring(page, COOLEYS)
    found: dict[str, list[float]] = {}
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 1")
    usual = int(page.locator("#tempo").input_value())
    last = usual
    for turn in range(8):
        tempo = usual - 40 + 10 * turn if turn % 2 else usual + 40 + turn
        if moved := page.evaluate(_MOVE_TEMPO, [tempo, tempo / last]):
            for name, value in moved.items():
                found.setdefault(name, []).append(value)
        last = tempo
        page.wait_for_timeout(400)
    _tell_times(found)


def _tell_times(found: dict[str, list[float]]) -> None:
    for name, values in found.items():
        print(f"{name}: median {statistics.median(values):.0f} ms, worst {max(values):.0f} ms, of {len(values)}")


def _drift(page: Page) -> None:
    bring(page, COOLEYS)
    expected = [(step["at"], step["from"]) for step in steps(page, COOLEYS, **HOW)]
    _tell_onsets(page, [at for at, _ in expected])
    page.locator("#mix").click()
    page.locator("#backing").select_option(str(HOW["backing"]))
    page.wait_for_function("() => document.querySelector('#play')")
    page.evaluate(_LIGHTS)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').ended", timeout=300_000)
    places = sorted({place for _, place in expected})
    sounding: dict[int, list[float]] = {}
    for at, place in expected:
        sounding.setdefault(places.index(place), []).append(at)
    _tell_drift(page, sounding, f"with backing and feel over {expected[-1][0]:.0f} s")
    page.locator("#score .abcjs-note").first.click(force=True)
    page.locator("#last-bar").fill(str(LOOPED_BARS))
    page.locator("#last-bar").press("Tab")
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.lights.length > 0")
    page.evaluate("() => { window.lights = []; window.frames = []; }")
    page.wait_for_function(f"() => window.lights.length >= {LOOPED_NOTES}", timeout=300_000)
    bars = page.evaluate("() => [...document.querySelectorAll('#bars-abc')].map(({ value }) => value)")[0]
    looped = {place for place in places if COOLEYS.index(bars) <= place < COOLEYS.index(bars) + len(bars)}
    first = min(at for at, place in expected if place in looped)
    until = next(at for at, place in expected if at > first and place not in looped)
    in_loop = {note: [at - first for at in times] for note, times in sounding.items() if places[note] in looped}
    _tell_drift(page, in_loop, "in a loop", until - first)


def _tell_onsets(page: Page, expected: list[float]) -> None:
    """How far the attacks in the sound itself are from where the page is told that notes begin."""
    sound = page.request.post("/render", data={"abc": COOLEYS, **HOW, "format": "wav"}).body()
    samples, rate = soundfile.read(io.BytesIO(sound), always_2d=True)
    found = np.array([_onset(samples[:, 0], rate, at) for at in expected])
    late = 1000 * (found - np.array(expected))
    quarter = len(late) // 4
    print(
        f"attacks in the sound after the times that the page is told, {len(late)} notes: "
        f"median {np.median(late):.0f} ms; "
        f"first quarter {np.median(late[:quarter]):.0f} ms, last quarter {np.median(late[-quarter:]):.0f} ms"
    )


def _onset(samples: NDArray[np.float64], rate: int, near: float) -> float:
    """When the sound's higher part grows most, near a moment."""
    first = max(0, int((near - ONSET_WINDOW_S) * rate))
    piece = samples[first : int((near + ONSET_WINDOW_S) * rate)]
    high = sosfilt(butter(2, 1500, "highpass", fs=rate, output="sos"), piece)
    hop = rate // 500
    energy = np.add.reduceat(high**2, np.arange(0, len(high), hop))
    growth = np.diff(np.log(energy + 1e-8))
    return (first + (int(growth[2:].argmax()) + 3) * hop) / rate


def _tell_drift(page: Page, sounding: dict[int, list[float]], where: str, length: float = float("inf")) -> None:
    """How late notes are lit, by the nearest time that each sounds; in a loop of some length, in any of its rounds."""
    lights, frames = page.evaluate("() => [window.lights, window.frames]")
    for moment in ("drawn", "seen"):
        found = [light for light in lights if moment in light]
        late = [_late_ms(light, moment, sounding, length) for light in found]
        print(
            f"drift {where}, {len(late)} notes; {moment} after their sound began: median "
            f"{statistics.median(late):.0f} ms, worst {max(late):.0f} ms, earliest {min(late):.0f} ms, "
            f"last fifty {statistics.median(late[-50:]):.0f} ms"
        )
    gaps = [after["at"] - before["at"] for before, after in pairwise(frames)]
    missed = sum(_late_ms(light, "drawn", sounding, length) > light["since"] for light in lights)
    print(
        f"the browser's own frames: one in {statistics.median(gaps):.0f} ms, at worst {max(gaps):.0f} ms, "
        f"{sum(gap > 50 for gap in gaps)} of {len(gaps)} over 50 ms; {missed} notes not lit in their first frame"
    )


def _late_ms(light: dict[str, float], moment: str, sounding: dict[int, list[float]], length: float) -> float:
    rounds = (0.0,) if length == float("inf") else (-length, 0.0, length)
    late = [light[moment] - at + shift for at in sounding[int(light["note"])] for shift in rounds]
    return 1000 * min(late, key=abs)


def _memory(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.locator("#best-of").select_option("1")
    for made in range(TUNES + 1):
        if made % (TUNES // LOOKS) == 0:
            _tell_memory(session, made)
        if made == TUNES:
            break
        page.locator("#make-button").click()
        page.wait_for_function(
            "(made) => document.querySelector('#stop').hidden && !document.querySelector('#tune.growing')"
            " && Object.keys(localStorage).filter((key) => key.startsWith('lilt.tune.')).length > made",
            arg=made,
        )


def _tell_memory(session: Any, made: int) -> None:  # noqa: ANN401
    session.send("HeapProfiler.collectGarbage")
    metrics = {entry["name"]: entry["value"] for entry in session.send("Performance.getMetrics")["metrics"]}
    print(
        f"{made} tunes made: heap {metrics['JSHeapUsedSize'] / 2**20:.1f} MiB, {metrics['Nodes']:.0f} nodes, "
        f"{metrics['JSEventListeners']:.0f} listeners",
        flush=True,
    )


if __name__ == "__main__":
    main()
