// Plays a tune in the service's sound, in step with its score: loops, slow practice, tempo, instrument, transposition.

import { post, Told } from "./api.js";
import { inStep, noteAt, read, writtenNotes } from "./timing.js";

const LONGEST_ADDRESS = 6000;
const SLOW_LINK_MBIT = 3;
const LEAD_S = 0.025; // a frame is seen when the next one begins, and a note begins half a frame before it, as a rule
const INSTRUMENTS = {
  40: "fiddle",
  73: "flute",
  78: "whistle",
  21: "accordion",
  23: "concertina",
  46: "harp",
  15: "dulcimer",
  105: "banjo",
  24: "guitar",
  109: "pipes",
  0: "piano",
  42: "cello",
};

const CONTROLS = `
  <div class="bar">
    <button id="play" class="main" type="button"><span class="sign" aria-hidden="true"></span><span class="word">Play</span></button>
    <input id="place" type="range" min="0" max="1" step="any" value="0" aria-label="Place in the tune">
    <output id="time" for="place">0:00</output>
    <button id="practise" class="quiet" type="button" aria-expanded="false" aria-controls="practice">Practise</button>
  </div>
  <p id="player-message" class="hint" role="status"></p>
  <div id="practice" class="practice" hidden>
    <div><label for="tempo">Beats a minute</label><input id="tempo" type="number" min="20" max="300" step="5"></div>
    <div><label for="program">Instrument</label><select id="program"></select></div>
    <div><label for="transpose">Transpose</label><select id="transpose"></select></div>
    <div><label for="slow">Start at</label><select id="slow">
      <option value="1">full speed</option><option value="0.8">80 %</option><option value="0.65">65 %</option>
      <option value="0.5">half speed</option></select></div>
    <label class="check"><input id="count-in" type="checkbox"> Count in</label>
    <label class="check"><input id="round" type="checkbox"> Round and round</label>
    <p class="hint">From a slow start, each time round is a little faster, up to full speed. No sound on a phone? See whether its mute
      switch is on.</p>
  </div>
  <audio id="sound" preload="none"></audio>`;

/** One player in `root`, for the tune that `load` gave it and the score that shows it. */
export class Player {
  constructor(root, score) {
    root.innerHTML = CONTROLS;
    this.root = root;
    this.score = score;
    this.audio = this.part("sound");
    this.steps = [];
    this.loop = null;
    this.source = "";
    for (const [program, name] of Object.entries(INSTRUMENTS)) this.part("program").append(new Option(name, program));
    this.part("program").prepend(new Option("as usual", "", true, true));
    for (let by = 12; by >= -12; by--) {
      const words = by ? `${Math.abs(by)} ${by > 0 ? "up" : "down"}` : "as written";
      this.part("transpose").append(new Option(words, by, !by, !by));
    }
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("place").addEventListener("input", () => this.seek(Number(this.part("place").value)));
    this.part("practise").addEventListener("click", () => {
      const isOpen = this.part("practice").toggleAttribute("hidden");
      this.part("practise").setAttribute("aria-expanded", !isOpen);
    });
    for (const id of ["tempo", "program", "transpose", "count-in"]) {
      this.part(id).addEventListener("change", () => this.changed());
    }
    this.part("slow").addEventListener("change", () => this.slowDown());
    for (const name of ["play", "playing", "pause", "waiting"]) this.audio.addEventListener(name, () => this.show());
    this.audio.addEventListener("ended", () => this.ended());
    this.audio.addEventListener("timeupdate", () => this.tick());
    this.audio.addEventListener("error", () => this.source && this.fallBack());
  }

  part(id) {
    return this.root.querySelector(`#${id}`);
  }

  /** Takes a tune; what played before stops. */
  load(abc) {
    if (abc === this.abc) return;
    this.stop();
    this.abc = abc;
    this.quarters = null;
    this.setLoop(null);
    this.root.hidden = false;
    this.prepare();
  }

  stop() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.source = "";
    this.steps = [];
    this.score.light(null);
    this.part("place").value = 0;
    this.show();
  }

  /** What /render is asked for, but the format. */
  wanted() {
    const wanted = { abc: this.abc };
    const tempo = this.part("tempo").valueAsNumber;
    if (tempo >= 20) wanted.tempo = Math.min(400, Math.max(20, tempo * this.quartersPerBeat()));
    if (this.part("program").value) wanted.program = Number(this.part("program").value);
    if (Number(this.part("transpose").value)) wanted.transpose = Number(this.part("transpose").value);
    if (this.part("count-in").checked) wanted.click = true;
    return wanted;
  }

  quartersPerBeat() {
    return /^M:\s*(6|9|12)\/8/m.test(this.abc) ? 1.5 : 1;
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
      const response = await post("/render", { ...wanted, format: "midi" }, { accept: "*/*" });
      const performance = read(await response.arrayBuffer());
      if (this.asked !== asked) return;
      this.steps = inStep(performance.notes, writtenNotes(this.score.tune));
      if (!wanted.tempo) {
        this.quarters = performance.quarters;
        this.part("tempo").placeholder = Math.round(performance.quarters / this.quartersPerBeat());
      }
      this.length = performance.length;
      this.loop = this.stretch(this.chosen);
    } catch (error) {
      if (!(error instanceof Told)) throw error;
    }
  }

  /** From a press: the sound must begin in it, or phones stay silent. */
  toggle() {
    if (!this.audio.paused) {
      this.audio.pause();
      return;
    }
    if (!this.source) this.begin();
    this.audio.playbackRate = this.rate ?? Number(this.part("slow").value);
    if (this.loop && !this.isInLoop(this.audio.currentTime)) this.seek(this.loop.from);
    this.audio.play().catch(() => {});
    this.say("");
  }

  play() {
    if (this.audio.paused) this.toggle();
  }

  begin() {
    const address = `/render?${new URLSearchParams({ ...this.wanted(), format: this.format() })}`;
    this.rate = Number(this.part("slow").value);
    if (address.length > LONGEST_ADDRESS) {
      this.fallBack();
      return;
    }
    this.source = address;
    this.audio.src = address;
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
    try {
      const response = await post("/render", { ...this.wanted(), format: "mp3" }, { accept: "*/*" });
      this.source = URL.createObjectURL(await response.blob());
      this.audio.src = this.source;
      await this.audio.play();
      this.say("");
    } catch (error) {
      this.say(error.name === "NotAllowedError" ? "The sound is here: press Play again." : error.message);
    }
  }

  seek(seconds) {
    this.audio.currentTime = seconds;
    this.tick();
  }

  /** Play from a place in the text, in its first time through. */
  seekTo(place) {
    const step = this.steps.find(({ from }) => from === place);
    if (step && this.source) this.seek(step.at);
  }

  /** Another way to play: the same moment of the music, played so. */
  async changed() {
    const wasPlaying = !this.audio.paused;
    const index = noteAt(this.steps, this.audio.currentTime);
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.source = "";
    this.score.options.transpose = Number(this.part("transpose").value);
    this.score.draw(this.abc);
    if (wasPlaying) {
      this.begin();
      this.audio.play().catch(() => {});
    }
    await this.prepare();
    if (wasPlaying && index > 0 && this.steps[index]) this.seek(this.steps[index].at);
  }

  slowDown() {
    this.rate = Number(this.part("slow").value);
    this.audio.playbackRate = this.rate;
    if (this.rate < 1) this.part("round").checked = true;
  }

  /** Loop bars of the score, given by number; null ends it. */
  setLoop(numbers) {
    this.chosen = numbers;
    this.loop = this.stretch(numbers);
  }

  /** When bars sound, in their first time through. */
  stretch(numbers) {
    if (!numbers?.length) return null;
    const inside = ({ from }) => numbers.includes(this.score.byPlace.get(from)?.bar.number);
    const first = this.steps.findIndex(inside);
    if (first < 0) return null;
    let last = first;
    while (last + 1 < this.steps.length && inside(this.steps[last + 1])) last++;
    return { from: this.steps[first].at, to: this.steps[last + 1]?.at ?? this.steps[last].until };
  }

  isInLoop(time) {
    return time >= this.loop.from - 0.05 && time < this.loop.to;
  }

  tick() {
    const time = this.audio.currentTime;
    if (this.loop && !this.audio.paused && time >= this.loop.to) {
      this.faster();
      this.audio.currentTime = this.loop.from;
      return;
    }
    const lead = this.audio.paused ? 0 : LEAD_S * this.audio.playbackRate;
    const step = this.steps[noteAt(this.steps, time + lead)];
    const note = this.score.light(step && this.source && time < step.until + 0.25 ? step.from : null);
    if (note && !this.audio.paused) this.keepInView(note);
    const length = Number.isFinite(this.audio.duration) ? this.audio.duration : (this.length ?? 1);
    const place = this.part("place");
    place.max = length;
    place.value = time;
    place.ariaValueText = `${clock(time)} of ${clock(length)}`;
    this.part("time").value = clock(time);
  }

  keepInView(note) {
    if (note.line === this.seenLine) return;
    this.seenLine = note.line;
    const box = note.elements[0]?.getBoundingClientRect();
    const room = innerHeight - this.root.offsetHeight;
    if (!box || (box.top > 60 && box.bottom < room - 40)) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: box.top - room / 3, behavior: isCalm ? "instant" : "smooth" });
  }

  faster() {
    this.rate = Math.min(1, (this.rate ?? 1) + 0.05);
    this.audio.playbackRate = this.rate;
    if (this.rate < 1) this.say(`${Math.round(this.rate * 100)} % of the speed`);
    else this.say("");
  }

  ended() {
    if (this.part("round").checked) {
      this.faster();
      this.audio.currentTime = 0;
      this.audio.play();
    }
    this.show();
  }

  show() {
    const isPlaying = !this.audio.paused;
    this.part("play").classList.toggle("playing", isPlaying);
    this.part("play").querySelector(".word").textContent = isPlaying ? "Pause" : "Play";
    if (!isPlaying || this.isFollowing) return;
    this.isFollowing = true;
    const follow = () => {
      this.tick();
      this.isFollowing = !this.audio.paused;
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
