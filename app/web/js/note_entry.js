// A pitch put in the place of a written note: spelt as the key and the bar have it, and so that the bar's other notes stay.

import { noteIn, withPitch } from "./note_text.js";
import { writtenNotes } from "./timing.js";

const OCTAVE = 12; // semitones
const NATURALS = { C: 0, D: 2, E: 4, F: 5, G: 7, A: 9, B: 11 };
const MIDDLE_C = 60;

/** The sounding pitch of each place in a text, in its first time through. */
function pitchesOf(abc) {
  const pitches = new Map();
  for (const { from, pitch } of writtenNotes(window.ABCJS.parseOnly(abc)[0]))
    if (!pitches.has(from)) pitches.set(from, pitch);
  return pitches;
}

/** The ways to write a pitch, as {accidental, letter, octave}, simplest first: as the key has it, natural, altered. */
function spellings(pitch, isFlat) {
  const found = [];
  for (const [letter, natural] of Object.entries(NATURALS)) {
    const octave = Math.round((pitch - MIDDLE_C - natural) / OCTAVE);
    const off = pitch - MIDDLE_C - natural - OCTAVE * octave;
    if (Math.abs(off) <= 1) found.push({ letter, octave, off });
  }
  const rank = ({ off }) => (off === 0 ? 0 : off > 0 === isFlat ? 2 : 1);
  found.sort((a, b) => rank(a) - rank(b));
  const signs = { "-1": "_", 0: "=", 1: "^" };
  return [
    ...found.map(({ letter, octave }) => ({ accidental: "", letter, octave })),
    ...found.map(({ letter, octave, off }) => ({ accidental: signs[off], letter, octave })),
  ];
}

/** Whether a tune's key has flats. */
function isInFlats(abc) {
  const { accidentals = [] } = window.ABCJS.parseOnly(abc)[0].getKeySignature();
  return accidentals.some(({ acc }) => acc === "flat");
}

/** A text with a note written so that it sounds at a pitch; null where its place holds no single note. */
function spelt(abc, place, pitch, isFlat) {
  const note = noteIn(abc, place);
  if (!note) return null;
  for (const way of spellings(pitch, isFlat)) {
    const made = abc.slice(0, note.at) + withPitch(note, way) + abc.slice(note.end);
    if (pitchesOf(made).get(place.from) === pitch) return made;
  }
  return null;
}

/**
 * A tune's text with a pitch in the place of one of a bar's notes, {from, to} each. The notes behind it that it would
 * alter are written with accidentals of their own. Null where a place holds no single note.
 */
export function entered(abc, notes, index, pitch) {
  const before = pitchesOf(abc);
  const isFlat = isInFlats(abc);
  let made = spelt(abc, notes[index], pitch, isFlat);
  for (const { from, to } of made === null ? [] : notes.slice(index + 1)) {
    const shift = made.length - abc.length;
    const place = { from: from + shift, to: to + shift };
    const wanted = before.get(from);
    if (wanted === undefined || pitchesOf(made).get(place.from) === wanted) continue;
    made = spelt(made, place, wanted, isFlat) ?? made;
  }
  return made;
}
