// A tune's sound once through, by an audio element: streamed, or fetched whole; another one takes its place while it plays.

import { placeAt, timeOf } from "./timing.js";

const AHEAD_S = 0.2; // how far ahead another sound waits for the one that is heard

const FRAME_MS = 50; // at most, as a tab in the background draws none

const nextFrame = () =>
  new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, FRAME_MS);
  });

/** Resolves when something happens to an element, rejects when it fails instead. */
function happens(element, type) {
  return new Promise((resolve, reject) => {
    element.addEventListener(type, resolve, { once: true });
    element.addEventListener("error", () => reject(new Error(`no ${type}`)), { once: true });
  });
}

/** `shown` is called when it begins to sound or stops, `ticked` as it goes on; `said` takes words for the user. */
export class SoundStream {
  constructor(audio, source, { shown, ticked, said }) {
    Object.assign(this, { source, shown, ticked, said });
    this.address = ""; // of what sounds
    this.startAt = 0; // seconds, until there is something to seek in
    this.rate = 1;
    this.falling = null; // the whole file that is fetched, an object of its own
    this.swapping = null; // the sound that is about to take the place of what is heard
    this.adopt(audio);
  }

  /** Plays by this element from now on. */
  adopt(audio) {
    this.audio = audio;
    const own = (name, action) => audio.addEventListener(name, () => this.audio === audio && action());
    for (const name of ["play", "playing", "pause", "waiting", "ended"]) own(name, () => this.shown());
    own("timeupdate", () => this.ticked());
    own("error", () => this.address && this.fallBack());
  }

  get isPlaying() {
    return !this.audio.paused;
  }

  /** The moment that is heard, or at which it is to begin, in seconds. */
  get time() {
    return this.address ? this.audio.currentTime : this.startAt;
  }

  /** The whole length in seconds; null where it is not known yet. */
  get length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : null;
  }

  /** From a press: the sound must begin in it, or phones stay silent. */
  play(wanted) {
    if (!this.address) this.begin(wanted);
    if (this.startAt) this.audio.currentTime = this.startAt;
    this.startAt = 0;
    this.setRate(this.rate);
    this.audio.play().catch(() => {});
    this.said("");
  }

  pause() {
    this.audio.pause();
  }

  seek(seconds) {
    if (this.address) this.audio.currentTime = seconds;
    else this.startAt = seconds;
  }

  silence() {
    this.falling = null;
    this.swapping = null;
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.address = "";
    this.startAt = 0;
  }

  /** What is heard is played so much faster, at its own pitch. */
  setRate(rate) {
    this.rate = rate;
    this.audio.playbackRate = rate;
  }

  begin(wanted) {
    this.wanted = wanted;
    const address = this.source.address(wanted);
    if (!address) {
      this.fallBack();
      return;
    }
    this.address = address;
    this.audio.src = address;
  }

  /** The whole file, where it cannot be had as a stream; a refusal says why. */
  async fallBack() {
    const was = this.address;
    this.address = "";
    if (was.startsWith("blob:")) {
      this.said("This browser cannot play the sound. Try to download it instead (Share).");
      return;
    }
    this.said("Fetching the sound…");
    const own = {};
    this.falling = own;
    try {
      const address = await this.source.whole(this.wanted);
      if (this.falling !== own) return;
      this.address = address;
      this.audio.src = address;
      this.audio.currentTime = this.startAt;
      this.startAt = 0;
      this.setRate(this.rate);
      await this.audio.play();
      this.said("");
    } catch (error) {
      this.said(error.name === "NotAllowedError" ? "The sound is here: press Play again." : error.message);
    }
  }

  /**
   * Plays on as is wanted now: what is heard, whose notes are `steps`, goes on until the other sound is at the same place
   * of the music. Resolves to the other's performance; to null where something else was wanted meanwhile.
   */
  async swap(wanted, steps) {
    const own = {};
    this.swapping = own;
    const next = new Audio();
    next.preload = "auto";
    try {
      const [performance, address] = await Promise.all([
        this.source.performance(wanted),
        this.source.address(wanted) ?? this.source.whole(wanted),
      ]);
      if (this.swapping !== own) return null;
      next.src = address;
      await happens(next, "canplay");
      const place = placeAt(steps, this.audio.currentTime + AHEAD_S * this.audio.playbackRate);
      next.currentTime = timeOf(performance.steps, place);
      await happens(next, "seeked");
      const isBefore = () => placeAt(steps, this.audio.currentTime) < place;
      while (this.swapping === own && this.isPlaying && isBefore()) await nextFrame();
      if (this.swapping !== own) return null;
      const wasPlaying = this.isPlaying;
      if (wasPlaying) await next.play();
      this.exchange(next, address, wanted);
      if (wasPlaying) this.shown();
      return performance;
    } catch (error) {
      if (this.swapping !== own) return null;
      throw error;
    }
  }

  /** Another element sounds in the place of the one that did. */
  exchange(next, address, wanted) {
    const old = this.audio;
    next.id = old.id;
    old.replaceWith(next);
    this.adopt(next);
    old.pause();
    old.removeAttribute("src");
    this.address = address;
    this.wanted = wanted;
    this.swapping = null;
  }
}
