// The short sound of one note, for the ear while it is being changed; it needs no service.

const ATTACK_S = 0.008;
const LASTS_S = 0.35;
const LEVEL = 0.25;

/** Sounds a MIDI pitch through a Web Audio context. */
export async function sound(context, pitch) {
  await context.resume();
  const now = context.currentTime;
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(LEVEL, now + ATTACK_S);
  gain.gain.exponentialRampToValueAtTime(0.001, now + LASTS_S);
  const tone = new OscillatorNode(context, { type: "triangle", frequency: 440 * 2 ** ((pitch - 69) / 12) });
  tone.connect(gain).connect(context.destination);
  tone.start(now);
  tone.stop(now + LASTS_S);
}
