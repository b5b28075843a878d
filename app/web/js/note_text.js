// One note in ABC as text: found in what an engraver calls a note, moved up and down, made longer and shorter.

const BEFORE = /^(?:\s|"[^"]*"|![^!\n]*!|\{[^}]*\}|[~.uvHLMOPSTJR](?=[~.uvHLMOPSTJR({"!^_=A-Ga-gzx])|\((?!\d))*/;
const NOTE = /^(\^\^?|__?|=)?([A-Ga-gz])([,']*)(\d*(?:\/+\d*)?)/;
const LETTERS = "CDEFGAB";
const OCTAVE = 7;
const MAX_OCTAVES = 3; // below and above the letters

/** The note written between two places: {at, end, accidental, letter, octave, length}; null for chords and tuplets. */
export function noteIn(abc, { from, to }) {
  const text = abc.slice(from, to);
  const at = from + BEFORE.exec(text)[0].length;
  const found = NOTE.exec(abc.slice(at, to));
  if (!found) return null;
  const [all, accidental = "", letter, marks, length] = found;
  const octave = (/[a-g]/.test(letter) ? 1 : 0) + [...marks].reduce((sum, mark) => sum + (mark === "'" ? 1 : -1), 0);
  return { at, end: at + all.length, accidental, letter, octave, length: asNumber(length) };
}

/** Where a note's chord symbol is, {from, to, name}; an empty place before the note where it has none. */
export function chordOf(abc, place) {
  const note = noteIn(abc, place);
  const found = /"(?![\^_<>@])([^"]*)"/.exec(abc.slice(place.from, note?.at ?? place.to));
  const from = place.from + (found?.index ?? /^\s*/.exec(abc.slice(place.from, place.to))[0].length);
  return { from, to: from + (found?.[0].length ?? 0), name: found?.[1] ?? "" };
}

/** The note some steps of the scale higher; what sharpened or flattened it stays behind. Null for rests. */
export function moved(note, steps) {
  if (note.letter === "z") return null;
  const from = LETTERS.indexOf(note.letter.toUpperCase()) + OCTAVE * note.octave;
  const to = from + steps;
  const octave = Math.floor(to / OCTAVE);
  if (octave < -MAX_OCTAVES || octave > MAX_OCTAVES) return null;
  return written({ ...note, accidental: "", letter: LETTERS[to - OCTAVE * octave], octave });
}

/** A note's text with another pitch, {accidental, letter, octave}, as long as it was. */
export const withPitch = (note, pitch) => written({ ...note, ...pitch });

function written({ accidental, letter, octave, length }) {
  const isHigh = octave > 0 && letter !== "z";
  const marks = letter === "z" ? "" : isHigh ? "'".repeat(octave - 1) : ",".repeat(-octave);
  return `${accidental}${isHigh ? letter.toLowerCase() : letter}${marks}${asText(length)}`;
}

/** Two notes that follow each other as one, of the first's pitch; null where something stands between them. */
export function joined(abc, note, next) {
  if (!next || !/^\s*$/.test(abc.slice(note.end, next.at))) return null;
  return { from: note.at, to: next.end, text: written({ ...note, length: note.length + next.length }) };
}

/** A note as two of half its length. */
export function split(note) {
  const half = written({ ...note, length: note.length / 2 });
  return { from: note.at, to: note.end, text: half + half };
}

/** `3/2`, `/` and `//` as numbers. */
function asNumber(text) {
  const [, over, lines, under] = /^(\d*)(\/*)(\d*)$/.exec(text);
  const below = under ? Number(under) : 2 ** lines.length;
  return (over ? Number(over) : 1) / (lines ? below : 1);
}

function asText(length) {
  let [over, under] = [length, 1];
  while (!Number.isInteger(over) && under < 64) [over, under] = [over * 2, under * 2];
  if (under === 1) return over === 1 ? "" : String(over);
  return `${over === 1 ? "" : over}/${under === 2 ? "" : under}`;
}
