"""What sounds on the page, how it loops, and what is lit as it does."""

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.servers import Server
from tests.web.bench import SCALE, bring, make, select_bars, steps, unfold, visit


def test_what_is_lit_is_what_sounds(page: Page) -> None:
    """The pitch of the samples that the player gives out is that of the lit note."""
    bring(page, SCALE)
    page.evaluate(LISTEN)
    page.locator("#mix").click()
    page.locator("#program").select_option("78")
    page.locator("#play").click()
    page.wait_for_function("() => window.heard.length > 8 && document.querySelector('#sound').currentTime > 4")
    heard = page.evaluate("() => window.heard")
    named = {"C": 60, "D": 62, "E": 64, "F": 65, "G": 67, "A": 69, "B": 71, "c": 72}
    assert max(sound["level"] for sound in heard) > 0.02
    judged = [(sound["pitch"] % 12, named[SCALE[sound["place"]]] % 12) for sound in heard if sound["pitch"]]
    assert len(judged) > 5
    assert [pair for pair in judged if pair[0] != pair[1]] == []


LISTEN = """() => {
  const audio = document.querySelector("#sound");
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 8192 });
  context.createMediaElementSource(audio).connect(analyser).connect(context.destination);
  const samples = new Float32Array(8192);
  window.heard = [];
  window.lights = [];
  const score = document.querySelector("#score");
  let [last, since] = [null, 0];
  setInterval(() => {
    const lit = score.querySelector(".sounding");
    if (lit !== last) { last = lit; since = performance.now(); return; }
    if (!lit || audio.paused || performance.now() - since < 320) return;
    analyser.getFloatTimeDomainData(samples);
    const level = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
    window.heard.push({ level, pitch: level > 0.01 ? pitchOf(samples, context.sampleRate) : null,
      place: window.placeOf(lit) });
    since = performance.now() + 1e6;
  }, 15);
  window.placeOf = (lit) => {
    const notes = [...score.querySelectorAll(".abcjs-note")];
    const at = notes.indexOf(lit.closest(".abcjs-note"));
    const abc = document.querySelector("#abc").value;
    const body = abc.indexOf("|:");
    return [...abc.matchAll(/[A-Ga-g]2/g)].map(({ index }) => index).filter((index) => index > body)[at];
  };
  function pitchOf(samples, rate) {
    const likenesses = [];
    const from = samples.length - 3000;
    for (let lag = Math.floor(rate / 2200); lag < rate / 200; lag++) {
      let [sum, energy] = [0, 0];
      for (let i = from; i < samples.length - 300; i++) { sum += samples[i] * samples[i - lag];
        energy += samples[i - lag] ** 2; }
      likenesses[lag] = sum / Math.sqrt(energy + 1e-9);
    }
    const most = Math.max(...likenesses.filter(Number.isFinite));
    const best = likenesses.findIndex(
      (x, lag) => x > 0.95 * most && x >= likenesses[lag - 1] && x > likenesses[lag + 1]);
    return Math.round(69 + 12 * Math.log2(rate / best / 440));
  }
}"""


def test_steps_follow_repeats_and_endings(page: Page) -> None:
    found = steps(page, SCALE)
    assert "".join(SCALE[step["from"]] for step in found) == "CDEFGABcCDEFGABccBAGFEDC"
    assert [round(step["at"] * 1.5, 2) for step in found] == [float(beat) for beat in range(24)]


def test_steps_are_the_tunes_alone_where_others_accompany_it(page: Page) -> None:
    found = page.evaluate(
        """async (abc) => {
          const { read } = await import("/js/timing.js");
          const heard = async (backing) => {
            const body = JSON.stringify({ abc, backing, format: "midi" });
            const headers = { "Content-Type": "application/json" };
            const answer = await fetch("/render", { method: "POST", headers, body });
            const { notes } = read(await answer.arrayBuffer());
            return notes.filter(({ channel }) => channel === notes[0].channel).map(({ at, pitch }) => [at, pitch]);
          };
          return [await heard("none"), await heard("session")];
        }""",
        SCALE,
    )
    assert len(found[0]) > 8
    assert found[0] == found[1]


def test_bars_loop_and_practice_speeds_up(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#tempo").fill("280")
    page.locator("#tempo").press("Tab")
    page.locator("#slow").select_option("0.5")
    page.locator("#score").click(position={"x": 300, "y": 50})
    page.locator("#first-bar").fill("1")
    page.locator("#last-bar").fill("1")
    page.locator("#last-bar").press("Tab")
    expect(page.locator("#score rect.chosen-bar")).to_have_count(1)
    page.evaluate(WATCH_LOOPS)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.rounds.at(-1) < 0.9 && window.lit.size === 4")
    expect(page.locator("#player-message")).to_have_text("")
    rounds = page.evaluate("() => window.rounds")
    assert [round(4 * 60 / 280 / length, 2) for length in rounds] == [round(0.5 + 0.05 * step, 2) for step in range(11)]
    assert page.evaluate("() => [...window.lit].sort()") == [0, 1, 2, 3]


WATCH_LOOPS = """() => {
  const { start } = AudioBufferSourceNode.prototype;
  const notes = [...document.querySelectorAll("#score .abcjs-note")];
  window.rounds = [];
  window.offsets = [];
  window.lit = new Set();
  AudioBufferSourceNode.prototype.start = function (...when) {
    window.rounds.push(this.buffer.duration);
    window.offsets.push(when[1]);
    start.apply(this, when);
  };
  new MutationObserver((changes) => {
    for (const { target } of changes) if (target.matches(".sounding"))
      window.lit.add(notes.indexOf(target.closest(".abcjs-note")));
  }).observe(document.querySelector("#score"), { subtree: true, attributes: true, attributeFilter: ["class"] });
}"""
"""Writes down how long each pass is, and the notes that are lit."""


def test_chosen_bars_loop_slowly_at_first_at_one_press(page: Page) -> None:
    bring(page, SCALE)
    page.evaluate(WATCH_LOOPS)
    page.locator("#score .abcjs-note").nth(5).click(force=True)
    page.get_by_role("button", name="One bar more").click()
    expect(page.locator("#score rect.chosen-bar")).to_have_count(2)
    page.get_by_role("button", name="Loop, slow first").click()
    page.wait_for_function("() => window.rounds.length === 1")
    assert page.evaluate("() => 8 / 1.5 / window.rounds[0]") == pytest.approx(0.6, abs=0.01)
    page.get_by_role("button", name="Loop, slow first").click()
    page.wait_for_function("() => !document.querySelector('#sound').paused")


def test_a_transposed_score_is_drawn_and_sounds_so(page: Page, requests: list[Request]) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#transpose").select_option("2")
    expect(page.locator("#score .abcjs-key-signature path")).to_have_count(2 * page.locator(".abcjs-staff").count())
    page.evaluate(WATCH_LOOPS)
    page.locator("#play").click()
    page.wait_for_function("() => window.lit.has(1)")
    assert page.evaluate("() => [...window.lit]") == [0, 1]
    sounds = [request.url for request in requests if "/render?" in request.url]
    assert "transpose=2" in sounds[-1]
    page.locator("#score .abcjs-note").nth(1).click(force=True)
    page.keyboard.type("e2")
    page.locator("#play").click()
    assert page.locator("#abc").input_value() == SCALE.replace("D2E2", "e2E2", 1)


def test_a_count_in_comes_before_the_first_note(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#count-in").check()
    page.evaluate(WATCH_LOOPS)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 1.5")
    assert page.evaluate("() => [...window.lit]") == []
    page.wait_for_function("() => window.lit.size > 0")
    assert page.evaluate("() => [...window.lit]") == [0]
    assert 4 / 1.5 - 0.05 < page.evaluate("() => document.querySelector('#sound').currentTime") < 5 / 1.5


def test_a_loop_of_bars_has_no_count_in(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#count-in").check()
    page.evaluate(WATCH_LOOPS)
    page.locator("#score .abcjs-note").nth(0).click(force=True)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.rounds.length === 1")
    assert page.evaluate("() => window.rounds[0]") == pytest.approx(4 / 1.5, abs=0.001)


TAP = """registerProcessor("tap", class extends AudioWorkletProcessor {
  process([[samples]]) {
    if (samples) this.port.postMessage(samples.slice());
    return true;
  }
});"""
LISTEN_TO_LOOPS = """(tap) => {
  const { connect } = AudioNode.prototype;
  const module = URL.createObjectURL(new Blob([tap], { type: "text/javascript" }));
  window.heard = [];
  AudioNode.prototype.connect = function (to, ...rest) {
    if (this instanceof AudioBufferSourceNode) {
      window.source = this;
      this.context.audioWorklet.addModule(module).then(() => {
        const tap = new AudioWorkletNode(this.context, "tap");
        tap.port.onmessage = ({ data }) => window.heard.push(data);
        connect.call(this, tap);
      });
    }
    return connect.call(this, to, ...rest);
  };
}"""
JUDGED = """() => {
  const { heard, source: { buffer } } = window;
  const all = Float32Array.from(heard.flatMap((samples) => [...samples]));
  const sound = all.subarray(all.findIndex((x) => x !== 0));
  let [silence, longest, differs] = [0, 0, 0];
  sound.forEach((x, i) => {
    silence = Math.abs(x) > 1e-3 ? 0 : silence + 1;
    longest = Math.max(longest, silence);
    if (i + buffer.length < sound.length) differs = Math.max(differs, Math.abs(x - sound[i + buffer.length]));
  });
  return {
    rounds: sound.length / buffer.length,
    seconds: buffer.duration,
    silence: longest / buffer.sampleRate,
    loudest: sound.reduce((most, x) => Math.max(most, Math.abs(x)), 0),
    differs,
  };
}"""


def test_a_loop_has_no_gap(browser: Browser, server: Server) -> None:
    """Every round is the one before it again, sample for sample, and lasts as long as its bars."""
    context = browser.new_context(base_url=server.url, bypass_csp=True)
    page = context.new_page()
    visit(page)
    bring(page, SCALE)
    page.evaluate(LISTEN_TO_LOOPS, TAP)
    page.locator("#score").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.heard.length * 128 > 2.5 * window.source?.buffer.length")
    heard = page.evaluate(JUDGED)
    context.close()
    assert heard["rounds"] > 2
    assert abs(heard["seconds"] - 4 / 1.5) < 0.001
    assert heard["loudest"] > 0.05
    assert heard["silence"] < 0.01
    assert heard["differs"] < 1e-6


def test_a_card_plays_where_it_is_and_says_so(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    unfold(page, "temperature")
    page.locator('input[name="count"][value="4"]').check(force=True)
    make(page, rhythm="reel")
    play = page.locator("#candidates .main").first
    expect(page.locator("#candidates .main")).to_have_count(4)
    play.scroll_into_view_if_needed()
    page.evaluate("() => { window.before = scrollY; }")
    play.click()
    expect(play).to_have_text("Pause")
    page.wait_for_function("() => document.querySelector('#score .sounding')")
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 1")
    assert page.evaluate("() => scrollY - window.before") == 0
    play.click()
    expect(play).to_have_text("Play")
    assert page.evaluate("() => document.querySelector('#sound').paused")
    page.locator("#candidates .main").nth(1).click()
    expect(page.locator("#candidates .main").nth(1)).to_have_text("Pause")
    expect(play).to_have_text("Play")


LIT = """() => [...document.querySelectorAll("#score .abcjs-note")].findIndex((note) => note.matches(".sounding"))"""


def test_a_click_on_a_note_after_a_pause_lights_that_note(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 0.3")
    page.locator("#play").click()
    for note in range(1, 8):
        page.locator("#score .abcjs-note").nth(note).click(force=True)
        page.wait_for_function("() => !document.querySelector('#sound').seeking")
        page.wait_for_function(f"() => ({LIT})() >= 0")
        assert page.evaluate(LIT) == note


def test_a_loop_over_a_repeat_sign_loops_all_of_it(page: Page) -> None:
    bring(page, SCALE)
    select_bars(page, 2, 3)
    page.evaluate(WATCH_LOOPS)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.rounds.length === 1")
    assert page.evaluate("() => window.rounds[0]") == pytest.approx(8 / 1.5, abs=0.001)


def test_other_bars_loop_without_another_request(page: Page, requests: list[Request]) -> None:
    bring(page, SCALE)
    select_bars(page, 1, 1)
    page.evaluate(WATCH_LOOPS)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.rounds.length === 1")
    page.get_by_role("button", name="Loop", exact=True).click()
    page.locator("#play").click()
    asked = len([request for request in requests if request.method == "POST" and request.url.endswith("/render")])
    select_bars(page, 2, 3)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.rounds.length === 2")
    assert page.evaluate("() => window.rounds[1]") == pytest.approx(8 / 1.5, abs=0.001)
    again = len([request for request in requests if request.method == "POST" and request.url.endswith("/render")])
    assert again == asked


def test_another_instrument_goes_on_in_the_middle_of_a_loop(page: Page) -> None:
    bring(page, SCALE)
    select_bars(page, 1, 2)
    page.evaluate(WATCH_LOOPS)
    page.get_by_role("button", name="Loop", exact=True).click()
    page.wait_for_function("() => window.lit.has(4)")
    page.evaluate("() => { window.lit.clear(); }")
    page.locator("#mix").click()
    page.locator("#program").select_option("78")
    page.wait_for_function("() => window.rounds.length === 2")
    assert 0 < page.evaluate("() => window.offsets[1]") < 8 / 1.5
    expect(page.locator("#player-message")).to_have_text("")


def test_the_word_of_fetching_goes_when_the_loop_is_given_up(page: Page) -> None:
    bring(page, SCALE)
    page.route("**/render", lambda _: None)
    select_bars(page, 1, 2)
    page.get_by_role("button", name="Loop", exact=True).click()
    expect(page.locator("#player-message")).to_have_text("Fetching the sound…")
    page.locator("#play").click()
    page.locator("#unchoose").click()
    expect(page.locator("#player-message")).to_have_text("")


def test_a_loop_that_the_system_silences_is_paused_and_goes_on_by_a_press(page: Page) -> None:
    page.add_init_script(
        "{ const Own = AudioContext; window.contexts = [];"
        " window.AudioContext = class extends Own { constructor() { super(); window.contexts.push(this); } }; }"
    )
    visit(page)
    bring(page, SCALE)
    page.locator("#mix").click()
    page.get_by_label("Loop the tune").check()
    page.locator("#play").click()
    page.wait_for_function("() => document.querySelector('#score .sounding')")
    page.evaluate("() => window.contexts[0].suspend()")  # as by a phone call
    expect(page.locator("#play .word")).to_have_text("Play")
    page.locator("#score .abcjs-note").nth(5).click(force=True)  # whose sound does not wake the loop
    expect(page.locator("#bars-abc")).to_be_focused()
    assert page.evaluate("() => window.contexts.map(({ state }) => state)") == ["suspended", "running"]
    page.locator("#play").click()
    expect(page.locator("#play .word")).to_have_text("Pause")
    page.wait_for_function("() => window.contexts[0].state === 'running'")


def test_the_system_is_told_what_plays(page: Page) -> None:
    bring(page, SCALE)
    page.locator("#play").click()
    page.wait_for_function("() => navigator.mediaSession.playbackState === 'playing'")
    assert page.evaluate("() => navigator.mediaSession.metadata.title") == "Scale"
    page.locator("#play").click()
    page.wait_for_function("() => navigator.mediaSession.playbackState === 'paused'")
