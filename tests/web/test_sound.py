"""How a tune sounds, as it is chosen under the player."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.web.bench import PICKUPS, SCALE, bring

LOG = """() => {
  window.log = [];
  for (const name of ["play", "pause"]) {
    const own = HTMLMediaElement.prototype[name];
    HTMLMediaElement.prototype[name] = function () {
      window.log.push([name, new URL(this.src || location.href).searchParams.get("tempo")]);
      return own.call(this);
    };
  }
}"""
"""Writes down which sound is played and paused, by its tempo."""
PLAYS = "() => document.querySelector('#sound').currentTime > 0.3"


def asked(requests: list[Request]) -> dict[str, list[str]]:
    """What the last sound was asked for as."""
    sounds = [request.url for request in requests if "/render?" in request.url]
    return parse_qs(urlsplit(sounds[-1]).query)


def test_the_tempo_moves_while_a_tune_plays_without_a_gap(page: Page, requests: list[Request]) -> None:
    bring(page, SCALE)
    expect(page.locator("#tempo-shown")).to_have_text("90")
    page.locator("#play").click()
    page.wait_for_function(PLAYS)
    page.evaluate(LOG)
    rate = page.locator("#tempo").evaluate(
        """(tempo) => {
          tempo.value = 135;
          tempo.dispatchEvent(new Event("input"));
          return document.querySelector("#sound").playbackRate;
        }"""
    )
    assert rate == pytest.approx(1.5, abs=0.001)
    expect(page.locator("#tempo-shown")).to_have_text("135")
    page.locator("#tempo").dispatch_event("change")
    page.wait_for_function("() => window.log.length === 2")
    assert page.evaluate("() => window.log") == [["play", "135"], ["pause", None]]
    assert page.evaluate("() => document.querySelector('#sound').playbackRate") == pytest.approx(1, abs=0.001)
    assert asked(requests)["tempo"] == ["135"]
    page.wait_for_function("() => document.querySelector('#sound').currentTime > 1")
    expect(page.locator("#score .sounding").first).to_be_attached()
    bring(page, PICKUPS)
    expect(page.locator("#tempo-shown")).not_to_have_text("135")


def test_backing_and_feel_are_heard_muted_and_downloaded(page: Page, requests: list[Request]) -> None:
    bring(page, SCALE)
    page.locator("#mix").click()
    page.locator("#backing").select_option("session")
    page.locator("#feel").fill("0.8")
    page.locator("#play").click()
    page.wait_for_function(PLAYS)
    found = asked(requests)
    assert (found["backing"], found["feel"]) == (["session"], ["0.8"])
    page.get_by_role("button", name="Share", exact=True).click()
    with page.expect_request("**/render") as download:
        page.locator("#downloads button", has_text="MIDI").click()
    body = download.value.post_data_json
    assert body
    assert body["backing"] == "session"
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Mute the backing").click()
    page.wait_for_function("() => !document.querySelector('#sound').src.includes('backing')")
    page.get_by_role("button", name="Mute the feel").click()
    page.wait_for_function("() => document.querySelector('#sound').src.includes('feel=0')")
    assert page.evaluate("() => !document.querySelector('#sound').paused")
    page.get_by_role("button", name="Mute the backing").click()
    page.wait_for_function("() => document.querySelector('#sound').src.includes('backing=session')")


def test_a_tune_is_moved_to_a_key_by_its_name(page: Page, requests: list[Request]) -> None:
    bring(page, PICKUPS)
    page.locator("#mix").click()
    names = page.locator("#transpose optgroup").first.locator("option").all_inner_texts()
    assert len(names) == 11
    assert {"E Dorian", "G Dorian", "B Dorian"} < set(names)
    page.locator("#transpose").select_option(label="E Dorian")
    expect(page.locator("#facts")).to_contain_text("E Dorian")
    page.locator("#play").click()
    page.wait_for_function(PLAYS)
    assert asked(requests)["transpose"] == ["-5"]


KEEP_BLOBS = """() => {
  window.blobs = [];
  const { createObjectURL } = URL;
  URL.createObjectURL = (blob) => {
    window.blobs.push(blob);
    return createObjectURL(blob);
  };
}"""


def test_a_metronome_clicks_on_every_beat_of_every_bar(page: Page) -> None:
    bring(page, PICKUPS.replace("E|:A2A", "|:E|A2A"))
    page.locator("#mix").click()
    page.locator("#feel").fill("0")
    page.evaluate(KEEP_BLOBS)
    page.evaluate(
        "() => Object.defineProperty(navigator.connection, 'downlink', { value: 10 })"
    )  # nothing is lost in WAV
    page.locator("#metronome").check()
    page.locator("#play").click()
    page.wait_for_function(PLAYS)
    found = page.evaluate(
        """async () => {
          const context = new OfflineAudioContext(1, 1, 44100);
          const decode = async (answer) => context.decodeAudioData(await answer.arrayBuffer());
          const body = JSON.stringify({ abc: document.querySelector("#abc").value, feel: 0, format: "wav" });
          const [clicked, plain] = [await decode(window.blobs.at(-1)), await decode(await fetch("/render",
            { method: "POST", body, headers: { "Content-Type": "application/json" } }))];
          const [a, b] = [clicked.getChannelData(0), plain.getChannelData(0)];
          const beats = [];
          for (let i = 0; i < Math.min(a.length, b.length); i++)
            if (Math.abs(a[i] - b[i]) > 0.05 && i / 44100 > (beats.at(-1) ?? -1) + 0.1) beats.push(i / 44100);
          return { beats, length: plain.duration };
        }"""
    )
    gaps = [later - sooner for sooner, later in zip(found["beats"], found["beats"][1:], strict=False)]
    assert len(found["beats"]) == 2 * (4 + 4) * 2  # two beats a bar; both parts are played twice
    assert max(gaps) - min(gaps) < 0.02
