// What the service makes of a tune as it is to be played: when its notes sound, its sound as a stream or whole.

import { post } from "./api.js";
import { addClicks, beatsOf, wavOf } from "./metronome.js";
import { inStep, read, writtenNotes } from "./timing.js";

const LONGEST_ADDRESS = 6000;
const SLOW_LINK_MBIT = 3;

const isOggPlayed = () => new Audio().canPlayType('audio/ogg; codecs="vorbis"') !== "";

/** Which file is asked for: the one that begins soonest and has a known length, or a small one where the link is slow. */
export function format() {
  const isSlow = navigator.connection?.saveData || navigator.connection?.downlink < SLOW_LINK_MBIT;
  if (!isSlow) return "wav";
  return isOggPlayed() ? "ogg" : "mp3";
}

/** `wanted`, as all of it is asked for, is what `SoundControls` gives; `decode` makes an AudioBuffer of a file. */
export class SoundSource {
  constructor(score, controls, decode) {
    Object.assign(this, { score, controls, decode });
    this.kept = null; // the sound that was decoded last, and as what it was asked for
  }

  forget() {
    this.kept = null;
  }

  /** When each note sounds: {steps, quarters, length}. */
  async performance(wanted) {
    const response = await post("render", { ...wanted, format: "midi" }, { accept: "*/*" });
    const { notes, quarters, length } = read(await response.arrayBuffer());
    return { steps: inStep(notes, writtenNotes(this.score.tune)), quarters, length };
  }

  /** Where the sound is as a stream; null where it must be fetched whole. */
  address(wanted) {
    const address = `render?${new URLSearchParams({ ...wanted, format: format() })}`;
    return this.controls.hasMetronome || address.length > LONGEST_ADDRESS ? null : address;
  }

  /** The address of the whole file. */
  async whole(wanted) {
    if (this.controls.hasMetronome) return URL.createObjectURL(wavOf(await this.sound(wanted)));
    const response = await post("render", { ...wanted, format: "mp3" }, { accept: "*/*" });
    return URL.createObjectURL(await response.blob());
  }

  /** The sound, decoded, with the metronome's clicks; the last one is kept, so that other bars of it loop at once. */
  sound(wanted) {
    const { hasMetronome } = this.controls;
    const asked = JSON.stringify({ ...wanted, hasMetronome });
    if (this.kept?.asked === asked) return this.kept.sound;
    const decoded = post("render", { ...wanted, format: format() }, { accept: "*/*" })
      .then((answer) => answer.arrayBuffer())
      .then((encoded) => this.decode(encoded));
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
}
