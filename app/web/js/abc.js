// ABC as text: header fields, titles, names of rhythms and keys, tunes of a book.

const FIELD = /^([A-Za-z+]):\s*(.*?)\s*$/;
const CHORD = /"(?![\^_<>@])[^"\n]+"/g;
const MODES = {
  "": "major",
  maj: "major",
  ion: "major",
  m: "minor",
  min: "minor",
  aeo: "minor",
  dor: "Dorian",
  mix: "Mixolydian",
  lyd: "Lydian",
  phr: "Phrygian",
  loc: "Locrian",
};

/** The header's fields by letter, each with its first value; `K` is the last. */
export function headerOf(text) {
  const fields = {};
  for (const line of text.split("\n")) {
    const found = FIELD.exec(line);
    if (!found) continue;
    fields[found[1]] ??= found[2].replace(/\s*%.*/, "");
    if (found[1] === "K") break;
  }
  return fields;
}

/** A tune's title; a set's are all of them. */
export function titleOf(text) {
  const tunes = isSet(text) ? tunesOf(text) : [text];
  return tunes.map((tune) => headerOf(tune).T || "Untitled").join(" / ");
}

/** Whether a text is several tunes, which are played as one. */
export const isSet = (text) => (text.match(/^X:/gm)?.length ?? 0) > 1;

/** A text with another title. */
export function withTitle(text, title) {
  const line = `T:${title.replaceAll(/\s+/g, " ")}`;
  if (/^T:/m.test(text)) return text.replace(/^T:.*$/m, () => line);
  return text.replace(/^X:.*$/m, (number) => `${number}\n${line}`);
}

/** Whether the header's last line, the key, is written to its end. */
export const hasWholeHeader = (text) => /^K:.*\n/m.test(text);

/** `Ador` as people say it: A Dorian. */
export function keyName(key) {
  const found = /^([A-G][#b]?)\s*(maj|min|ion|aeo|dor|mix|lyd|phr|loc|m(?![a-z]))?/i.exec(key ?? "");
  if (!found) return key ?? "";
  return `${found[1].replace("b", "♭").replace("#", "♯")} ${MODES[(found[2] ?? "").toLowerCase()]}`;
}

/** Rhythm, key and metre, as far as the header has them; a score knows its key, which may be transposed. */
export function facts(abc, key = null) {
  if (isSet(abc)) return setFacts(tunesOf(abc));
  const { R, K, M } = headerOf(abc);
  return [R, key ?? keyName(K), M].filter(Boolean).join(" · ");
}

function setFacts(tunes) {
  const all = (letter, name = (value) => value) => [
    ...new Set(tunes.map((tune) => name(headerOf(tune)[letter])).filter(Boolean)),
  ];
  return [`set of ${tunes.length}`, all("R").join(", "), all("K", keyName).join(", ")].filter(Boolean).join(" · ");
}

/** A text without its chord symbols, which stand in quotes among the notes; annotations stay. */
export const withoutChords = (text) =>
  splitAtKey(text)
    .map((part, index) => (index ? part.replaceAll(CHORD, "") : part))
    .join("");

export const hasChords = (text) => splitAtKey(text)[1].search(CHORD) >= 0;

/** A text from a place on that is counted without the chords before it. */
export function fromPlaceWithoutChords(text, place) {
  let at = place;
  for (const { index, 0: chord } of text.matchAll(CHORD)) {
    if (index < text.length - splitAtKey(text)[1].length) continue;
    if (index >= at) break;
    at += chord.length;
  }
  return text.slice(at);
}

function splitAtKey(text) {
  const begins = /^K:.*(\n|$)/m.exec(text);
  const at = begins ? begins.index + begins[0].length : 0;
  return [text.slice(0, at), text.slice(at)];
}

/** A form in words, short enough for a menu: the parts as they are played, and how long each is. */
export function formName(form) {
  const [, letters, bars] = /^([A-H]+)(\d+)$/.exec(form);
  return `${letters} · ${bars} bars`;
}

/** The tunes of a book, parted by blank lines. */
export function tunesOf(book) {
  return book
    .replaceAll(/\r\n?/g, "\n")
    .split(/\n\s*\n/)
    .map((block) => `${block.trim()}\n`)
    .filter((block) => /^X:/m.test(block) && /^K:/m.test(block));
}

/** As much of a growing tune as is whole bars; "" before there is one. */
export function wholeBars(text) {
  const key = /^K:.*\n/m.exec(text);
  if (!key) return "";
  const end = text.lastIndexOf("|");
  return end > key.index + key[0].length ? text.slice(0, end + 1) : "";
}

/** The service counts characters, the page counts UTF-16 code units. */
export const codeUnits = (text, characters) => [...text].slice(0, characters).join("").length;

/** Where a 1-based line and column are in a text. */
export function offsetOf(text, line, column = 1) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
  return Math.min(before + codeUnits(lines[line - 1] ?? "", column - 1), text.length);
}
