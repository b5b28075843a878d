// Plays stretches of sound round and round through Web Audio, without a gap: one follows where a round of another ends.

const SOON_S = 0.03; // as far ahead as a start must be told to be kept to the sample
const FADE_S = 0.003; // at both ends, so that the cuts do not click

/** One stretch at a time sounds; `wake` must be called in a press, or phones keep it silent. */
export class LoopPlayer {
  /** `interrupted` is called where a phone call, or another app, silenced what sounded. */
  constructor(interrupted = () => {}) {
    this.interrupted = interrupted;
    this.passes = []; // what sounds, and what follows it
    this.isPaused = false;
  }

  wake() {
    if (navigator.audioSession) navigator.audioSession.type = "playback"; // an iPhone's mute switch does not silence it
    return this.open().resume();
  }

  /** The context, which is silent until it is woken. */
  open() {
    if (!this.context) {
      this.context = new AudioContext();
      this.context.addEventListener("statechange", () => this.changed());
    }
    return this.context;
  }

  /** Sound that stops by itself is as if it were paused: it goes on by a press alone. */
  changed() {
    if (this.context.state === "running" || this.isPaused || !this.passes.length) return;
    this.isPaused = true;
    this.interrupted();
  }

  decode(encoded) {
    return this.open().decodeAudioData(encoded);
  }

  /** The stretch of a sound between two times. */
  cut(whole, from, to) {
    const rate = whole.sampleRate;
    const [first, last] = [from, to].map((seconds) => Math.min(whole.length, Math.round(seconds * rate)));
    const stretch = new AudioBuffer({
      length: Math.max(1, last - first),
      numberOfChannels: whole.numberOfChannels,
      sampleRate: rate,
    });
    for (let channel = 0; channel < whole.numberOfChannels; channel++) {
      const samples = whole.getChannelData(channel).slice(first, last);
      const fade = Math.min(Math.round(FADE_S * rate), samples.length >> 1);
      for (let i = 0; i < fade; i++) {
        samples[i] *= i / fade;
        samples[samples.length - 1 - i] *= i / fade;
      }
      stretch.copyToChannel(samples, channel);
    }
    return stretch;
  }

  /** Begins a pass, {buffer, from} and whatever else its owner wants to know of it, instead of what sounds. */
  begin(pass, offset = 0) {
    this.clear();
    this.passes = [this.schedule(pass, this.context.currentTime + SOON_S, offset)];
  }

  /** Lets a pass follow where the round ends that sounds now. Resolves when it does, or when all is stopped. */
  follow(pass) {
    const sounding = this.passes.at(-1);
    const { buffer } = sounding.pass;
    const rounds = Math.ceil((this.context.currentTime + SOON_S - sounding.begun) / buffer.duration);
    const end = sounding.begun + Math.max(1, rounds) * buffer.duration;
    sounding.source.stop(end);
    this.passes = [sounding, this.schedule(pass, end)];
    return new Promise((resolve) => {
      sounding.source.onended = resolve;
    });
  }

  schedule(pass, at, offset = 0) {
    const source = new AudioBufferSourceNode(this.context, { buffer: pass.buffer, loop: true });
    source.connect(this.context.destination);
    source.start(at, offset);
    return { pass, source, begun: at - offset };
  }

  pause() {
    this.isPaused = true;
    return this.context?.suspend();
  }

  resume() {
    this.isPaused = false;
    return this.wake();
  }

  stop() {
    this.clear();
    this.isPaused = false;
    this.context?.suspend();
  }

  clear() {
    for (const { source } of this.passes) source.stop();
    this.passes = [];
  }

  /** The pass that is heard and how far it is, some seconds from now; null where nothing is. */
  where(ahead = 0) {
    const time = this.heard() + ahead;
    const found = this.passes.findLast(({ begun }) => begun <= time) ?? this.passes[0];
    if (!found) return null;
    return { pass: found.pass, offset: Math.max(0, time - found.begun) % found.pass.buffer.duration };
  }

  /** The moment of the context's time that is at the loudspeaker now. */
  heard() {
    if (!this.context) return 0;
    const { contextTime, performanceTime } = this.context.getOutputTimestamp();
    if (contextTime > 0 && !this.isPaused) return contextTime + (performance.now() - performanceTime) / 1000;
    return this.context.currentTime - (this.context.outputLatency || 0);
  }
}
