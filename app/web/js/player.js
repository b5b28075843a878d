// Plays a tune in the service's sound, in step with its score: through, or round and round, from any place, at any tempo.

import { Told } from "./api.js";
import { Looping } from "./looping.js";
import { MediaKeys } from "./media_keys.js";
import { SoundControls } from "./sound_controls.js";
import { format, SoundSource } from "./sound_source.js";
import { SoundStream } from "./sound_stream.js";
import { noteAt, placeAt, ROUNDING_S, timeOf } from "./timing.js";

const LEAD_S = 0.025; // a frame is seen when the next one begins, and a note begins half a frame before it, as a rule
const LIGHT_AFTER_S = 0.25; // for which a note is lit after its end, where no other begins
const WIDE = "(min-width: 62rem)"; // where the tempo has room in the bar
const UNKNOWN = { steps: [], quarters: null, length: null };

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
    this.performance = UNKNOWN; // when each note sounds, as it is played now
    this.follows = true; // whether the page is scrolled to what sounds
    const shown = () => this.show();
    const said = (words) => this.say(words);
    this.controls = new SoundControls(this.part("mixer"), {
      changed: () => this.changed(),
      moved: () => this.setRate(),
      restarted: () => this.restart(),
    });
    this.looping = new Looping(score, {
      wanted: () => this.wanted(),
      prepared: async () => {
        await this.prepared;
        return this.performance;
      },
      heard: () => (this.stream.isPlaying ? this.place() : null),
      began: () => this.stream.pause(),
      shown,
      said,
    });
    this.source = new SoundSource(score, this.controls, (file) => this.looping.looper.decode(file));
    this.stream = new SoundStream(this.part("sound"), this.source, { shown, said, ticked: () => this.tick() });
    this.keys = new MediaKeys(this);
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("place").addEventListener("input", () => this.seek(Number(this.part("place").value)));
    this.part("mix").addEventListener("click", () => {
      const isOpen = this.part("mixer").toggleAttribute("hidden");
      this.part("mix").setAttribute("aria-expanded", !isOpen);
    });
    const wide = matchMedia(WIDE);
    const placeTempo = () => {
      if (wide.matches) this.part("mix").before(this.controls.tempo);
      else this.part("mixer").prepend(this.controls.tempo);
    };
    wide.addEventListener("change", placeTempo);
    placeTempo();
  }

  part(id) {
    return this.root.querySelector(`#${id}`);
  }

  /** What other sounds on the page are played through, so that a paused loop stays silent. */
  get context() {
    this.tones ??= new AudioContext();
    return this.tones;
  }

  /** Takes a tune; what played before stops. One that `isOther` is played at its own tempo. */
  load(abc, isOther = true) {
    if (abc === this.abc) return;
    this.stop();
    this.source.forget();
    this.abc = abc;
    this.performance = UNKNOWN;
    this.looping.chosen = null;
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
    this.looping.end();
    this.stream.silence();
    this.say("");
  }

  /** What /render is asked for, but the format. */
  wanted() {
    return this.controls.wanted();
  }

  /** When each note sounds; asked for as soon as a tune is there, so that nothing is left to do when it is played. */
  async prepare() {
    const wanted = this.wanted();
    const asked = JSON.stringify(wanted);
    this.asked = asked;
    try {
      const performance = await this.source.performance(wanted);
      if (this.asked === asked) this.take(performance);
    } catch (error) {
      this.performance = UNKNOWN;
      if (!(error instanceof Told)) throw error;
    }
  }

  /** From now on this is when each note sounds. */
  take(performance) {
    this.performance = performance;
    this.controls.suggest(performance.quarters);
    this.tick();
  }

  get isKnown() {
    return this.performance.steps.length > 0;
  }

  isPlaying() {
    return this.looping.isOn ? this.looping.isPlaying : this.stream.isPlaying;
  }

  /** From a press: the sound must begin in it, or phones stay silent. */
  toggle() {
    if (this.isPlaying()) this.pause();
    else this.play();
  }

  pause() {
    this.looping.pause();
    this.stream.pause();
    this.show();
  }

  /** The page follows what sounds, but where it is played from another place of it. */
  play({ follows = true } = {}) {
    if (this.isPlaying()) return;
    this.follows = follows;
    if (this.looping.isOn) this.looping.resume();
    else if (this.looping.chosen || this.controls.isRound) this.goRound();
    else this.playThrough();
    this.show();
  }

  playThrough() {
    this.setRate();
    this.stream.play(this.wanted());
  }

  /** What is heard is played as fast as is chosen, at its own pitch, whatever the tempo it was made at. */
  setRate() {
    const { quarters } = this.controls;
    const own = this.performance.quarters;
    this.stream.setRate(this.controls.rate * (quarters && own ? quarters / own : 1));
  }

  goRound(rate = this.controls.rate) {
    this.looping.begin(this.source, rate);
  }

  /** Gets the sound of a loop that is likely to be asked for, where the link is quick. */
  async fetchAhead(rate = 1) {
    if (format() !== "wav" || this.looping.isOn) return;
    await this.prepared;
    if (!this.isKnown) return;
    this.source.sound(this.looping.wantedAt(rate, this.performance)).catch(() => {}); // who asks for it is told
  }

  /** The moment of the tune that is heard. */
  time() {
    return this.looping.spot() ? timeOf(this.performance.steps, this.place()) : this.stream.time;
  }

  /** What is heard, as a place among the notes. */
  place() {
    return this.looping.place() ?? placeAt(this.performance.steps, this.stream.time);
  }

  seek(seconds) {
    if (this.looping.spot()) this.looping.seek(placeAt(this.performance.steps, seconds));
    else this.stream.seek(seconds);
    this.tick();
  }

  /** Play from a place in the text, in its first time through. */
  seekTo(place) {
    const step = this.performance.steps.find(({ from }) => from === place);
    if (step) this.seek(step.at);
  }

  /** Another way to play: the same moment of the music, played so. What sounds goes on until the other is there. */
  async changed() {
    const wasPlaying = this.isPlaying();
    const [place, spot] = [this.place(), this.looping.spot()];
    if (this.score.options.transpose !== this.controls.transposed) {
      this.score.options.transpose = this.controls.transposed;
      this.score.draw(this.abc);
    }
    if (this.looping.isOn && wasPlaying) {
      this.prepared = this.prepare();
      this.goRound(spot?.pass.rate);
    } else if (wasPlaying && this.isKnown) await this.swap();
    else await this.prepareAt(place);
  }

  /** The other sound in the place of what is heard, without a gap; from the same place where it cannot be had so. */
  async swap() {
    const wanted = this.wanted();
    try {
      const performance = await this.stream.swap(wanted, this.performance.steps);
      if (!performance) return;
      this.asked = JSON.stringify(wanted);
      this.take(performance);
      this.setRate();
    } catch (error) {
      if (error instanceof Told) this.say(error.message);
      const place = this.place();
      const prepared = this.prepareAt(place);
      this.play({ follows: this.follows });
      await prepared;
    }
  }

  /** Silence, and what is wanted now from a place among the notes. */
  async prepareAt(place) {
    this.silence();
    this.performance = UNKNOWN;
    this.prepared = this.prepare();
    await this.prepared;
    if (place > 0 && this.isKnown) this.seek(timeOf(this.performance.steps, place));
  }

  /** Goes on as is chosen now: once through or round and round, at what speed. */
  restart(at = this.time()) {
    const [wasPlaying, wasRounding] = [this.isPlaying(), this.looping.isOn];
    if (wasPlaying && (this.looping.chosen || this.controls.isRound)) {
      this.goRound();
      return;
    }
    this.looping.end();
    if (wasPlaying) this.playThrough();
    if (wasRounding) this.seek(at);
    this.show();
  }

  get isLoopChosen() {
    return this.looping.chosen !== null;
  }

  /** Loops bars of the score, given by number, from a part of their speed on; null ends it. */
  setLoop(numbers, rate) {
    const at = this.time();
    this.looping.chosen = numbers?.length ? numbers : null;
    if (this.isLoopChosen) this.goRound(rate);
    else if (this.looping.isOn) this.restart(at);
  }

  tick() {
    const place = this.sounding();
    const note = this.score.light(place);
    if (note && this.isPlaying()) this.keepInView(note);
    const time = this.time();
    const length = this.stream.length ?? this.performance.length ?? 1;
    const slider = this.part("place");
    slider.max = length;
    slider.value = time;
    slider.ariaValueText = `${clock(time)} of ${clock(length)}`;
    this.part("time").value = `${clock(time)} / ${clock(length)}`;
  }

  /** The place in the text of the note that sounds when what is drawn now is seen. */
  sounding() {
    const spot = this.looping.spot(LEAD_S);
    if (!spot && !this.stream.address) return null;
    const lead = this.stream.isPlaying ? LEAD_S * this.stream.rate : ROUNDING_S;
    const time = spot ? spot.pass.from + spot.offset : this.stream.time + lead;
    const steps = spot?.pass.steps ?? this.performance.steps;
    const step = steps[noteAt(steps, time)];
    return step && time < step.until + LIGHT_AFTER_S ? step.from : null;
  }

  keepInView(note) {
    if (this.follows && note.line !== this.seenLine) this.score.reveal(note);
    this.seenLine = note.line;
  }

  show() {
    const isPlaying = this.isPlaying();
    this.part("play").classList.toggle("playing", isPlaying);
    this.part("play").querySelector(".word").textContent = isPlaying ? "Pause" : "Play";
    this.keys.show();
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
