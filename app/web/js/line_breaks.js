// Where the lines of a score break: each part begins one, four bars stand in each where they fit, two or one where not.

const PER_LINE = [4, 2, 1];
const CLEF = 48; // pixels before the first note of a line, and more for each sharp or flat
const ACCIDENTAL = 9;
const NOTE = 17; // what a note and the space behind it take at least
const BAR_LINE = 14;
const PART_END = /right_repeat|dbl_repeat|thin_thi/;
const ENDING = /\[?\d[\d,.-]*$/;

/**
 * The text with other line breaks, and from which place of the text each of its places is; null where the lines are to
 * stay as they are: in tunes of several voices or with words under the notes.
 */
export function breakLines(abc, parsed, width) {
  const staffs = parsed.lines.filter(({ staff }) => staff);
  const isPlain = staffs.every(({ staff }) => staff.length === 1 && staff[0].voices.length === 1);
  if (!staffs.length || !isPlain || /^([wsV]:|%%(score|staves|barsperstaff))|\\$|!$/m.test(abc)) return null;
  const parts = partsOf(staffs.flatMap(({ staff }) => staff[0].voices[0]));
  const head = CLEF + ACCIDENTAL * (parsed.getKeySignature().accidentals?.length ?? 0);
  const lines = parts.flatMap((part) => linesOf(part, width - head));
  const breaks = lines.slice(1).map(([first]) => first);
  return rewrite(abc, breaks);
}

/** Parts as lists of bars, {line: the bar line before it, notes, isShort, ending}. */
function partsOf(elements) {
  const parts = [[]];
  let [before, notes, ending, isPartEnd] = [null, [], 0, false];
  const close = () => {
    if (!notes.length) return;
    const beats = notes.reduce((sum, { duration }) => sum + duration, 0);
    if (isPartEnd && parts.at(-1).length) parts.push([]);
    parts.at(-1).push({ line: before, notes: notes.length, beats, ending });
    [notes, isPartEnd] = [[], false];
  };
  for (const element of elements) {
    if (element.el_type === "note") notes.push(element);
    if (element.el_type !== "bar") continue;
    close();
    if (element.endEnding) ending = 0;
    if (element.startEnding) ending = Number.parseInt(element.startEnding, 10) || 1;
    const goesOn = element.startEnding && ending > 1;
    const isSameSpot = before && !parts.at(-1).length;
    isPartEnd = !goesOn && (isPartEnd || PART_END.test(element.type) || element.type === "bar_left_repeat");
    if (!isSameSpot || element.type !== "bar_thin") before = element;
  }
  close();
  return withPickups(parts.filter((part) => part.length));
}

/** A pickup before a repeat sign is no part of its own. */
function withPickups(parts) {
  const whole = Math.max(...parts.flat().map(({ beats }) => beats));
  const isPickup = ([bar, ...more]) => !more.length && bar.beats < whole - 1e-6;
  const made = [];
  for (const part of parts) {
    if (made.length && isPickup(made.at(-1))) made.at(-1).push(...part);
    else made.push(part);
  }
  return made;
}

function linesOf(part, room) {
  const whole = Math.max(...part.map(({ beats }) => beats));
  const widest = (line) => line.reduce((sum, { notes }) => sum + notes * NOTE + BAR_LINE, 0);
  for (const count of PER_LINE) {
    for (const keepsEndings of [true, false]) {
      const lines = chunks(part, count, whole, keepsEndings);
      if (count === 1 || lines.every((line) => widest(line) <= room)) return lines;
    }
  }
}

/** So many bars a line; a pickup goes with the bar behind it, and later endings with the first, where they are kept together. */
function chunks(part, count, whole, keepsEndings) {
  const lines = [[]];
  let full = 0;
  part.forEach((bar, index) => {
    const isPickup = index === 0 && bar.beats < whole - 1e-6;
    const isLater = bar.ending > 1 && keepsEndings;
    const beginsEnding = bar.ending > 1 && part[index - 1]?.ending !== bar.ending && !keepsEndings;
    if (lines.at(-1).length && !isLater && (full >= count || beginsEnding)) {
      lines.push([]);
      full = 0;
    }
    lines.at(-1).push(bar);
    if (!isPickup && !isLater) full++;
  });
  return lines;
}

/** The text with its music's lines joined, and broken before some bars. */
function rewrite(abc, bars) {
  const insertions = bars.map(({ line }) => insertionAt(abc, line)).filter(Boolean);
  const key = /^K:.*$/m.exec(abc);
  const body = key.index + key[0].length + 1;
  const isMusic = (line) => line && !/^([A-Za-z+]:|%)/.test(line) && !line.includes("%");
  let text = abc.slice(0, body);
  const lines = abc.slice(body).split("\n");
  lines.forEach((line, index) => {
    const joins = isMusic(line) && isMusic(lines[index + 1] ?? "");
    text += line + (index === lines.length - 1 ? "" : joins ? " " : "\n");
  });
  const pieces = [];
  const shifts = []; // {from: a place in the new text, by: what was put in before it}
  let [at, put] = [0, 0];
  for (const { place, piece: wanted } of insertions) {
    if (place < at) continue;
    const isBroken = text[place - 1] === "\n" || (wanted === "\n" && /^ *\n/.test(text.slice(place)));
    const piece = isBroken ? wanted.replace(/^\n/, "") : wanted; // an empty line would end the tune
    pieces.push(text.slice(at, place), piece);
    put += piece.length;
    at = place;
    shifts.push({ from: place + put, by: put });
  }
  pieces.push(text.slice(at));
  return {
    text: pieces.join(""),
    placeOf: (place) => place - (shifts.findLast(({ from }) => from <= place)?.by ?? 0),
  };
}

/** What to put in, and where, so that a line begins with what a bar line begins: an ending, or a repeat. */
function insertionAt(abc, line) {
  if (!line) return null;
  const sign = abc.slice(line.startChar, line.endChar);
  const ending = line.startEnding && ENDING.exec(sign);
  if (ending) return { place: line.startChar + ending.index, piece: ending[0].startsWith("[") ? "\n" : "\n[" };
  if (line.type === "bar_left_repeat") return { place: line.startChar, piece: "\n" };
  if (line.type === "bar_dbl_repeat") {
    const middle = Math.ceil(sign.trimEnd().length / 2);
    return { place: line.startChar + middle, piece: sign.includes("|") ? "\n|" : "|\n|" };
  }
  return { place: line.startChar + sign.trimEnd().length, piece: "\n" };
}
