// Plays a tune in the service's sound, in step with its score: through, or round and round, from any place, at any tempo.

import { post, Told } from "./api.js";
import { LoopPlayer } from "./loop_player.js";
import { addClicks, beatsOf, wavOf } from "./metronome.js";
import { SoundControls } from "./sound_controls.js";
import { inStep, noteAt, placeAt, read, timeOf, writtenNotes } from "./timing.js";

const LONGEST_ADDRESS = 6000;
const SLOW_LINK_MBIT = 3;
const LEAD_S = 0.025; // a frame is seen when the next one begins, and a note begins half a frame before it, as a rule
const ROUNDING_S = 0.002; // a browser's seek may end a little before the moment that it was sent to
const AHEAD_S = 0.2; // how far ahead another sound waits for the one that is heard
const WIDE = "(min-width: 62rem)"; // where the tempo has room in the bar
const FASTER = 0.05; // of the whole speed, each time round
const MIN_TEMPO = 20; // quarter notes a minute that the service plays

const MARKUP = `
  <div class="bar">
    <button id="play" class="main" type="button"><span class="sign" aria-hidden="true"></span><span class="word">Play</span></button>
    <input id="place" type="range" min="0" max="1" step="any" value="0" aria-label="Place in the tune">
    <output id="time" for="place">0:00 / 0:00</output>
    <button id="mix" class="quiet" type="button" aria-expanded="false" aria-controls="mixer">Sound</button>
  </div>
  <p id="player-message" class="hint" role="status"></p>
  <div id="mixer" class="mixer" hidden></div>
  <audio id="sound" preload="none"></audio>`;

/** One player in `root`, for the tune that `load` gave it and the score that shows it. */
export class Player {
  constructor(root, score) {
    root.innerHTML = MARKUP;
    new ResizeObserver(() => {
      document.documentElement.style.setProperty("--player-height", `${root.offsetHeight}px`);
    }).observe(root);
    this.root = root;
    this.score = score;
    this.controls = new SoundControls(this.part("mixer"), {
      changed: () => this.changed(),
      moved: () => this.setRate(),
      restarted: () => this.restart(),
    });
    this.steps = [];
    this.looper = new LoopPlayer();
    this.rounding = null; // the loop under way, an object of its own
    this.swapping = null; // the sound that is about to take the place of what is heard
    this.chosen = null; // the numbers of the bars that are looped
    this.source = "";
    this.kept = null; // the sound that was decoded last, and as what it was asked for
    this.follows = true; // whether the page is scrolled to what sounds
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("place").addEventListener("input", () => this.seek(Number(this.part("place").value)));
    this.part("mix").addEventListener("click", () => {
      const isOpen = this.part("mixer").toggleAttribute("hidden");
      this.part("mix").setAttribute("aria-expanded", !isOpen);
    });
    this.adopt(this.part("sound"));
    const wide = matchMedia(WIDE);
    const placeTempo = () => {
      if (wide.matches) this.part("mix").before(this.controls.tempo);
      else this.part("mixer").prepend(this.controls.tempo);
    };
    wide.addEventListener("change", placeTempo);
    placeTempo();
  }

  /** Plays by this element from now on. */
  adopt(audio) {
    this.audio = audio;
    const isOwn = (action) => () => this.audio === audio && action();
    for (const name of ["play", "playing", "pause", "waiting", "ended"])
      audio.addEventListener(
        name,
        isOwn(() => this.show()),
      );
    audio.addEventListener(
      "timeupdate",
      isOwn(() => this.tick()),
    );
    audio.addEventListener(
      "error",
      isOwn(() => this.source && this.fallBack()),
    );
  }

  part(id) {
    return this.root.querySelector(`#${id}`);
  }

  /** Takes a tune; what played before stops. One that `isOther` is played at its own tempo. */
  load(abc, isOther = true) {
    if (abc === this.abc) return;
    this.stop();
    this.steps = [];
    this.kept = null;
    this.abc = abc;
    this.quarters = null;
    this.chosen = null;
    this.root.hidden = false;
    this.controls.load(abc, isOther);
    this.prepared = this.prepare();
  }

  stop() {
    this.silence();
    this.score.light(null);
    this.part("place").value = 0;
    this.show();
  }

  silence() {
    this.endRounds();
    this.falling = null;
    this.swapping = null;
    this.say("");
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.source = "";
    this.startAt = 0;
  }

  /** What /render is asked for, but the format. */
  wanted() {
    return this.controls.wanted();
  }

  format() {
    const isSlow = navigator.connection?.saveData || navigator.connection?.downlink < SLOW_LINK_MBIT;
    if (!isSlow) return "wav"; // begins soonest, and its length is known
    return this.audio.canPlayType('audio/ogg; codecs="vorbis"') ? "ogg" : "mp3";
  }

  /** When each note sounds; asked for as soon as a tune is there, so that nothing is left to do when it is played. */
  async prepare() {
    const wanted = this.wanted();
    const asked = JSON.stringify(wanted);
    this.asked = asked;
    try {
      const performance = await this.performance(wanted);
      if (this.asked === asked) this.take(performance);
    } catch (error) {
      this.steps = [];
      if (!(error instanceof Told)) throw error;
    }
  }

  /** From now on this is when each note sounds. */
  take({ steps, quarters, length }) {
    Object.assign(this, { steps, quarters, length });
    this.controls.suggest(quarters);
    this.tick();
  }

  /** When each note sounds, played as wanted. */
  async performance(wanted) {
    const response = await post("/render", { ...wanted, format: "midi" }, { accept: "*/*" });
    const { notes, quarters, length } = read(await response.arrayBuffer());
    return { steps: inStep(notes, writtenNotes(this.score.tune)), quarters, length };
  }

  isPlaying() {
    return this.rounding ? !this.looper.isPaused : !this.audio.paused;
  }

  /** From a press: the sound must begin in it, or phones stay silent. */
  toggle() {
    if (this.isPlaying()) this.pause();
    else this.play();
  }

  pause() {
    if (this.rounding) this.looper.pause();
    this.audio.pause();
    this.show();
  }

  /** The page follows what sounds, but where it is played from another place of it. */
  play({ follows = true } = {}) {
    if (this.isPlaying()) return;
    this.follows = follows;
    if (this.rounding) this.looper.resume();
    else if (this.chosen || this.controls.isRound) this.goRound();
    else this.playThrough();
    this.show();
  }

  playThrough() {
    if (!this.source) this.begin();
    if (this.startAt) this.audio.currentTime = this.startAt;
    this.startAt = 0;
    this.setRate();
    this.audio.play().catch(() => {});
    this.say("");
  }

  /** What is heard is played as fast as is chosen, at its own pitch, whatever the tempo it was made at. */
  setRate() {
    const { quarters } = this.controls;
    const moved = quarters && this.quarters ? quarters / this.quarters : 1;
    this.audio.playbackRate = this.controls.rate * moved;
  }

  /** Loops the chosen bars, or the tune: each time round faster, up to full speed. What plays goes on until it begins. */
  async goRound(rate = this.controls.rate) {
    this.looper.resume();
    const own = {};
    this.rounding = own;
    this.say("Fetching the sound…");
    this.show();
    try {
      await this.prepared;
      let pass = await this.pass(rate);
      if (this.rounding === own) {
        const isHeard = this.spot() || !this.audio.paused;
        this.looper.begin(pass, isHeard ? this.offsetOf(pass, this.place()) : 0);
        this.audio.pause();
      }
      while (this.rounding === own) {
        this.say(pass.rate < 1 ? `${Math.round(pass.rate * 100)} % of the speed` : "");
        if (pass.rate === 1) return;
        pass = await this.pass(Math.min(1, Math.round(100 * (pass.rate + FASTER)) / 100));
        if (this.rounding === own) await this.looper.follow(pass);
      }
    } catch (error) {
      if (this.rounding !== own) return;
      if (!this.spot()) this.endRounds(); // what sounds already, goes on as it is
      this.show();
      this.say(error.message);
      if (!(error instanceof Told)) throw error;
    }
  }

  /** A stretch of the tune at a part of its speed, and what sounds when in it. */
  async pass(rate) {
    const wanted = this.wanted();
    if (rate < 1) wanted.tempo = Math.max(MIN_TEMPO, rate * (wanted.tempo ?? this.quarters));
    const isPrepared = rate === 1 && this.steps.length > 0;
    const [{ steps, length }, sound] = await Promise.all([
      isPrepared ? this : this.performance(wanted),
      this.sound(wanted),
    ]);
    const { from, to } = this.stretch(this.chosen, steps) ?? { from: 0, to: length };
    return { rate, steps, from, buffer: this.looper.cut(sound, from, to) };
  }

  /** The tune's sound, decoded, with the metronome's clicks; the last one is kept, so that other bars of it loop at once. */
  sound(wanted) {
    const { hasMetronome } = this.controls;
    const asked = JSON.stringify({ ...wanted, hasMetronome });
    if (this.kept?.asked === asked) return this.kept.sound;
    const decoded = post("/render", { ...wanted, format: this.format() }, { accept: "*/*" })
      .then((answer) => answer.arrayBuffer())
      .then((encoded) => this.looper.decode(encoded));
    const sound = hasMetronome ? this.clicked(decoded, wanted) : decoded;
    this.kept = { asked, sound };
    sound.catch(() => {
      if (this.kept?.sound === sound) this.kept = null;
    });
    return sound;
  }

  async clicked(decoded, wanted) {
    const [sound, { steps, quarters }] = await Promise.all([decoded, this.performance(wanted)]);
    const beat = (60 / quarters) * this.controls.quartersPerBeat;
    return addClicks(
      sound,
      beatsOf(steps, ({ from }) => this.score.byPlace.get(from)?.bar.number, beat),
    );
  }

  /** Gets the sound of a loop that is likely to be asked for, where the link is quick. */
  async fetchAhead() {
    if (this.format() !== "wav" || this.rounding) return;
    await this.prepared;
    this.sound(this.wanted());
  }

  endRounds() {
    if (this.rounding) this.say("");
    this.rounding = null;
    this.looper.stop();
  }

  begin() {
    const address = this.address(this.wanted());
    if (!address) {
      this.fallBack();
      return;
    }
    this.source = address;
    this.audio.src = address;
  }

  /** Where the sound is as a stream; null where it must be fetched whole. */
  address(wanted) {
    const address = `/render?${new URLSearchParams({ ...wanted, format: this.format() })}`;
    return this.controls.hasMetronome || address.length > LONGEST_ADDRESS ? null : address;
  }

  /** The address of the whole file. */
  async whole(wanted) {
    if (this.controls.hasMetronome) return URL.createObjectURL(wavOf(await this.sound(wanted)));
    const response = await post("/render", { ...wanted, format: "mp3" }, { accept: "*/*" });
    return URL.createObjectURL(await response.blob());
  }

  /** The whole file, where it cannot be had as a stream; a refusal says why. */
  async fallBack() {
    const was = this.source;
    this.source = "";
    if (was.startsWith("blob:")) {
      this.say("This browser cannot play the sound. Try to download it instead (Share).");
      return;
    }
    this.say("Fetching the sound…");
    const own = {};
    this.falling = own;
    try {
      const source = await this.whole(this.wanted());
      if (this.falling !== own) return;
      this.source = source;
      this.audio.src = source;
      this.audio.currentTime = this.startAt;
      this.startAt = 0;
      this.setRate();
      await this.audio.play();
      this.say("");
    } catch (error) {
      this.say(error.name === "NotAllowedError" ? "The sound is here: press Play again." : error.message);
    }
  }

  /** Plays on as is wanted now: what is heard goes on until the other sound is at the same place of the music. */
  async swap() {
    const own = {};
    this.swapping = own;
    const wanted = this.wanted();
    const next = new Audio();
    next.preload = "auto";
    try {
      const [performance, source] = await Promise.all([
        this.performance(wanted),
        this.address(wanted) ?? this.whole(wanted),
      ]);
      if (this.swapping !== own) return;
      next.src = source;
      await happens(next, "canplay");
      const place = placeAt(this.steps, this.audio.currentTime + AHEAD_S * this.audio.playbackRate);
      next.currentTime = timeOf(performance.steps, place);
      await happens(next, "seeked");
      while (this.swapping === own && !this.audio.paused && this.place() < place) await nextFrame();
      if (this.swapping !== own) return;
      const wasPlaying = !this.audio.paused;
      if (wasPlaying) await next.play();
      this.exchange(next, source, performance);
      if (wasPlaying) this.show();
    } catch (error) {
      if (this.swapping === own) this.startAgain(error);
    }
  }

  /** Another element sounds in the place of the one that did. */
  exchange(next, source, performance) {
    const old = this.audio;
    this.asked = JSON.stringify(this.wanted());
    next.id = old.id;
    old.replaceWith(next);
    this.adopt(next);
    old.pause();
    old.removeAttribute("src");
    this.source = source;
    this.swapping = null;
    this.take(performance);
    this.setRate();
  }

  /** The other sound from the same place, after a pause, where it could not be had while this one went on. */
  async startAgain(error) {
    if (error instanceof Told) this.say(error.message);
    const place = this.place();
    this.silence();
    this.prepared = this.prepare();
    this.play({ follows: this.follows });
    await this.prepared;
    if (this.steps.length) this.seek(timeOf(this.steps, place));
  }

  /** The pass of the loop that is heard and how far it is, some seconds from now; null where no loop sounds. */
  spot(ahead = 0) {
    return this.rounding && this.looper.where(this.looper.isPaused ? ROUNDING_S : ahead);
  }

  /** The moment of the tune that is heard. */
  time() {
    return this.spot() ? timeOf(this.steps, this.place()) : this.audio.currentTime;
  }

  /** What is heard, as a place among the notes. */
  place() {
    const spot = this.spot();
    if (spot) return placeAt(spot.pass.steps, spot.pass.from + spot.offset);
    return placeAt(this.steps, this.source ? this.audio.currentTime : this.startAt);
  }

  /** How far a place among the notes is in a pass; 0 where it is not in it. */
  offsetOf({ steps, from, buffer }, place) {
    const offset = timeOf(steps, place) - from;
    return offset > 0 && offset < buffer.duration ? offset : 0;
  }

  seek(seconds) {
    const spot = this.spot();
    if (spot) this.looper.begin(spot.pass, this.offsetOf(spot.pass, placeAt(this.steps, seconds)));
    else if (this.source) this.audio.currentTime = seconds;
    else this.startAt = seconds;
    this.tick();
  }

  /** Play from a place in the text, in its first time through. */
  seekTo(place) {
    const step = this.steps.find(({ from }) => from === place);
    if (step) this.seek(step.at);
  }

  /** Another way to play: the same moment of the music, played so. What sounds goes on until the other is there. */
  async changed() {
    const wasPlaying = this.isPlaying();
    const [place, spot] = [this.place(), this.spot()];
    if (this.score.options.transpose !== this.controls.transposed) {
      this.score.options.transpose = this.controls.transposed;
      this.score.draw(this.abc);
    }
    if (this.rounding && wasPlaying) {
      this.prepared = this.prepare();
      this.goRound(spot?.pass.rate);
    } else if (wasPlaying && this.steps.length) await this.swap();
    else {
      this.silence();
      this.steps = [];
      this.prepared = this.prepare();
      await this.prepared;
      if (place > 0 && this.steps.length) this.seek(timeOf(this.steps, place));
    }
  }

  /** Goes on as is chosen now: once through or round and round, at what speed. */
  restart(at = this.time()) {
    const [wasPlaying, wasRounding] = [this.isPlaying(), this.rounding];
    if (wasPlaying && (this.chosen || this.controls.isRound)) {
      this.goRound();
      return;
    }
    this.endRounds();
    if (wasPlaying) this.playThrough();
    if (wasRounding) this.seek(at);
    this.show();
  }

  /** Loops bars of the score, given by number, from a part of their speed on; null ends it. */
  setLoop(numbers, rate) {
    const at = this.time();
    this.chosen = numbers?.length ? numbers : null;
    if (this.chosen) this.goRound(rate);
    else if (this.rounding) this.restart(at);
  }

  /** When bars sound one after the other: in the first time through that has the most of them, as a repeat may part them. */
  stretch(numbers, steps) {
    if (!numbers?.length) return null;
    const barOf = ({ from }) => this.score.byPlace.get(from)?.bar.number;
    const runs = [];
    steps.forEach((step, index) => {
      const number = barOf(step);
      if (!numbers.includes(number)) return;
      if (runs.at(-1)?.last !== index - 1) runs.push({ first: index, bars: new Set() });
      runs.at(-1).last = index;
      runs.at(-1).bars.add(number);
    });
    if (!runs.length) return null;
    const { first, last } = runs.reduce((best, run) => (run.bars.size > best.bars.size ? run : best));
    return { from: steps[first].at, to: steps[last + 1]?.at ?? steps[last].until };
  }

  tick() {
    const place = this.sounding();
    const note = this.score.light(place);
    if (note && this.isPlaying()) this.keepInView(note);
    const time = this.time();
    const length = Number.isFinite(this.audio.duration) ? this.audio.duration : (this.length ?? 1);
    const slider = this.part("place");
    slider.max = length;
    slider.value = time;
    slider.ariaValueText = `${clock(time)} of ${clock(length)}`;
    this.part("time").value = `${clock(time)} / ${clock(length)}`;
  }

  /** The place in the text of the note that sounds when what is drawn now is seen. */
  sounding() {
    const spot = this.spot(LEAD_S);
    if (!spot && !this.source) return null;
    const lead = this.audio.paused ? ROUNDING_S : LEAD_S * this.audio.playbackRate;
    const time = spot ? spot.pass.from + spot.offset : this.audio.currentTime + lead;
    const steps = spot?.pass.steps ?? this.steps;
    const step = steps[noteAt(steps, time)];
    return step && time < step.until + 0.25 ? step.from : null;
  }

  keepInView(note) {
    if (this.follows && note.line !== this.seenLine) this.score.reveal(note);
    this.seenLine = note.line;
  }

  show() {
    const isPlaying = this.isPlaying();
    this.part("play").classList.toggle("playing", isPlaying);
    this.part("play").querySelector(".word").textContent = isPlaying ? "Pause" : "Play";
    this.root.dispatchEvent(new Event("state"));
    if (!isPlaying || this.isFollowing) return;
    this.isFollowing = true;
    const follow = () => {
      this.tick();
      this.isFollowing = this.isPlaying();
      if (this.isFollowing) requestAnimationFrame(follow);
    };
    requestAnimationFrame(follow);
  }

  say(words) {
    this.part("player-message").textContent = words;
  }
}

function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** Resolves when something happens to an element, rejects when it fails instead. */
function happens(element, type) {
  return new Promise((resolve, reject) => {
    element.addEventListener(type, resolve, { once: true });
    element.addEventListener("error", () => reject(new Error(`no ${type}`)), { once: true });
  });
}

const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
