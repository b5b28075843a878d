// A metronome in the sound itself: clicks mixed into a performance where its beats are, to the sample.

const CLICK_S = 0.03;
const SHORT = 0.92; // of a bar
const NEAR = 0.12; // beats by which a bar may be played longer or shorter than it is written
const [STRONG, WEAK] = [
  { hertz: 1760, level: 0.5 },
  { hertz: 1175, level: 0.3 },
];

/**
 * When the beats of a performance are, as {at, isStrong}: each bar as played, from its first note to the next one's,
 * is parted into as many beats as fit. `barOf` gives a step's bar, `beat` is how long one lasts in seconds.
 */
export function beatsOf(steps, barOf, beat) {
  const bars = joined(barsAsPlayed(steps, barOf));
  return bars.flatMap(({ at, length }, index) => {
    const isPickup = index === 0 && length < SHORT * (bars[1]?.length ?? 0);
    const count = isPickup ? Math.floor(length / beat + 0.1) : Math.max(1, Math.round(length / beat));
    if (isPickup) return Array.from({ length: count }, (_, i) => ({ at: at + length - (count - i) * beat }));
    const isWhole = Math.abs(length / beat - count) < NEAR; // the last note may end before its bar does
    const step = isWhole ? length / count : beat;
    return Array.from({ length: count }, (_, i) => ({ at: at + i * step, isStrong: i === 0 }));
  });
}

function barsAsPlayed(steps, barOf) {
  const bars = [];
  for (const step of steps) {
    const bar = barOf(step);
    const isAgain = bars.at(-1)?.bar === bar && step.from < bars.at(-1).last; // a bar that is played twice in a row
    if (bars.at(-1)?.bar !== bar || isAgain) bars.push({ bar, at: step.at });
    bars.at(-1).last = step.from;
  }
  const end = steps.at(-1)?.until ?? 0;
  return bars.map(({ at }, index) => ({ at, length: (bars[index + 1]?.at ?? end) - at }));
}

/** A part's last bar and the pickup that completes it are one. */
function joined(bars) {
  const usual = bars.map(({ length }) => length).sort((a, b) => a - b)[bars.length >> 1];
  const made = [];
  for (const { at, length } of bars) {
    const before = made.at(-1);
    if (made.length > 1 && before.length < SHORT * usual && before.length + length < usual / SHORT)
      before.length += length;
    else made.push({ at, length });
  }
  return made;
}

/** Adds a click at each beat to an AudioBuffer. */
export function addClicks(sound, beats) {
  const rate = sound.sampleRate;
  const clicks = [STRONG, WEAK].map(({ hertz, level }) =>
    Float32Array.from({ length: Math.round(CLICK_S * rate) }, (_, i) => {
      const time = i / rate;
      return level * Math.exp(-time / (CLICK_S / 5)) * Math.sin(2 * Math.PI * hertz * time);
    }),
  );
  for (let channel = 0; channel < sound.numberOfChannels; channel++) {
    const samples = sound.getChannelData(channel);
    for (const { at, isStrong } of beats) {
      const from = Math.round(at * rate);
      const click = clicks[isStrong ? 0 : 1];
      for (let i = 0; i < click.length && from + i < samples.length; i++)
        samples[from + i] = Math.max(-1, Math.min(1, samples[from + i] + click[i]));
    }
  }
  return sound;
}

/** An AudioBuffer as a WAV file of 16 bits. */
export function wavOf(sound) {
  const { numberOfChannels: channels, sampleRate, length } = sound;
  const view = new DataView(new ArrayBuffer(44 + 2 * channels * length));
  const write = (at, text) => {
    for (let i = 0; i < text.length; i++) view.setUint8(at + i, text.charCodeAt(i));
  };
  write(0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, 2 * channels * sampleRate, true);
  view.setUint16(32, 2 * channels, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, view.byteLength - 44, true);
  const samples = new Int16Array(view.buffer, 44);
  for (let channel = 0; channel < channels; channel++)
    sound.getChannelData(channel).forEach((sample, i) => {
      samples[i * channels + channel] = Math.round(32_767 * sample);
    });
  return new Blob([view], { type: "audio/wav" });
}
