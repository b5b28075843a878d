// The chosen bars, or the tune, round and round: from a part of the speed, each time round a little faster.

import { Told } from "./api.js";
import { LoopPlayer } from "./loop_player.js";
import { placeAt, ROUNDING_S, timeOf } from "./timing.js";

const FASTER = 0.05; // of the whole speed, each time round
const MIN_TEMPO = 20; // quarter notes a minute that the service plays

/**
 * `wanted` gives what is asked for, `prepared` resolves to the performance at full speed, `heard` gives the place among
 * the notes that sounds otherwise, null where none does; `began` is called when the loop takes over, `shown` when it
 * begins or ends; `said` takes words for the user.
 */
export class Looping {
  constructor(score, how) {
    this.score = score;
    Object.assign(this, how);
    this.looper = new LoopPlayer(() => this.shown());
    this.chosen = null; // the numbers of the bars that are looped; null for the whole tune
    this.rounding = null; // the loop under way, an object of its own
  }

  get isOn() {
    return this.rounding !== null;
  }

  get isPlaying() {
    return this.isOn && !this.looper.isPaused;
  }

  pause() {
    if (this.isOn) this.looper.pause();
  }

  resume() {
    this.looper.resume();
  }

  end() {
    if (this.rounding) this.said("");
    this.rounding = null;
    this.looper.stop();
  }

  /** What plays goes on until the loop begins. */
  async begin(source, rate) {
    this.looper.resume();
    const own = {};
    this.rounding = own;
    this.said("Fetching the sound…");
    this.shown();
    try {
      let pass = await this.pass(source, rate);
      if (this.rounding === own) {
        const place = this.place() ?? this.heard();
        this.looper.begin(pass, place === null ? 0 : offsetOf(pass, place));
        this.began();
      }
      while (this.rounding === own) {
        this.said(pass.rate < 1 ? `${Math.round(pass.rate * 100)} % of the speed` : "");
        if (pass.rate === 1) return;
        pass = await this.pass(source, Math.min(1, Math.round(100 * (pass.rate + FASTER)) / 100));
        if (this.rounding === own) await this.looper.follow(pass);
      }
    } catch (error) {
      if (this.rounding !== own) return;
      if (!this.spot()) this.end(); // what sounds already, goes on as it is
      this.shown();
      this.said(error.message);
      if (!(error instanceof Told)) throw error;
    }
  }

  /** What is asked for at a part of the speed of a performance. */
  wantedAt(rate, { quarters }) {
    const wanted = this.wanted();
    if (rate < 1) wanted.tempo = Math.max(MIN_TEMPO, rate * (wanted.tempo ?? quarters));
    return wanted;
  }

  /** A stretch of the tune at a part of its speed, and what sounds when in it. */
  async pass(source, rate) {
    const whole = await this.prepared();
    const wanted = this.wantedAt(rate, whole);
    const isPrepared = rate === 1 && whole.steps.length > 0;
    const [{ steps, length }, sound] = await Promise.all([
      isPrepared ? whole : source.performance(wanted),
      source.sound(wanted),
    ]);
    const { from, to } = this.stretch(steps) ?? { from: 0, to: length };
    return { rate, steps, from, buffer: this.looper.cut(sound, from, to) };
  }

  /** When the chosen bars sound one after the other: in the first time through that has the most of them, as a repeat may part them. */
  stretch(steps) {
    if (!this.chosen) return null;
    const barOf = ({ from }) => this.score.byPlace.get(from)?.bar.number;
    const runs = [];
    steps.forEach((step, index) => {
      const number = barOf(step);
      if (!this.chosen.includes(number)) return;
      if (runs.at(-1)?.last !== index - 1) runs.push({ first: index, bars: new Set() });
      runs.at(-1).last = index;
      runs.at(-1).bars.add(number);
    });
    if (!runs.length) return null;
    const { first, last } = runs.reduce((best, run) => (run.bars.size > best.bars.size ? run : best));
    return { from: steps[first].at, to: steps[last + 1]?.at ?? steps[last].until };
  }

  /** The pass that is heard and how far it is, some seconds from now; null where no loop sounds. */
  spot(ahead = 0) {
    return this.rounding && this.looper.where(this.looper.isPaused ? ROUNDING_S : ahead);
  }

  /** What is heard, as a place among the notes; null where no loop sounds. */
  place() {
    const spot = this.spot();
    return spot && placeAt(spot.pass.steps, spot.pass.from + spot.offset);
  }

  /** Goes to a place among the notes, where it is in what sounds. */
  seek(place) {
    const { pass } = this.spot();
    this.looper.begin(pass, offsetOf(pass, place));
  }
}

/** How far a place among the notes is in a pass; 0 where it is not in it. */
function offsetOf({ steps, from, buffer }, place) {
  const offset = timeOf(steps, place) - from;
  return offset > 0 && offset < buffer.duration ? offset : 0;
}
