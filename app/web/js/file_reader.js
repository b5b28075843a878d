// Files from outside as tunes: ABC as it is, MIDI and MusicXML as the service reads them, all else refused in words.

import { Told, upload } from "./api.js";
import { fromTunebook } from "./library.js";

const HEAD = 512; // bytes that tell what a file is
const MAX_NAME = 200; // characters of a name that the service takes
const MUSIC = [
  /^MThd/,
  /^RIFF....RMID/,
  /^PK/, // a packed file, as compressed MusicXML is
  /^(\xEF\xBB\xBF)?\s*<(\?xml|!DOCTYPE score|score-)/,
  /^(\xFF\xFE|\xFE\xFF)/, // text of two bytes a character, as some XML is
];
const OTHERS = [
  [/^%PDF/, "is a PDF"],
  [/^(\x89PNG|\xFF\xD8\xFF|GIF8)/, "is a picture"],
  [/^(ID3|OggS|fLaC|RIFF|\xFF[\xFA-\xFB])/, "is sound"],
];

export const TAKEN = "Lilt opens ABC, MIDI (.mid) and MusicXML (.musicxml, .mxl, .xml).";

/** The tunes of a file, each with where it is from where the service made ABC of it. Throws Told for what is no tune. */
export async function tunesOfFile(file, how) {
  const head = await headOf(file);
  if (MUSIC.some((pattern) => pattern.test(head))) return [await imported(file, how)];
  const other = OTHERS.find(([pattern]) => pattern.test(head));
  if (other) throw new Told(`${file.name} ${other[1]}. ${TAKEN}`);
  return tunesOfText(await file.text(), how);
}

/** The tunes of a text: of a book, or a single one without a number. */
export function tunesOfText(text, how) {
  const isNumbered = /^\s*X:/m.test(text);
  const book = isNumbered || !/^K:/m.test(text) ? text : `X:1\n${text.trim().replaceAll(/\n\s*\n/g, "\n")}`;
  return fromTunebook(book, how);
}

async function imported(file, how) {
  const name = encodeURIComponent(file.name.slice(0, MAX_NAME));
  try {
    const answer = await (await upload(`import?name=${name}`, file)).json();
    const [tune] = fromTunebook(answer.abc, how);
    const origin = { file: file.name, kind: answer.kind, leftOut: answer.left_out };
    return Object.assign(tune, { origin });
  } catch (error) {
    throw error.words ? new Told(`${file.name}: ${error.words}`) : error;
  }
}

/** A file's first bytes as characters of the same numbers. */
async function headOf(file) {
  const bytes = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  return String.fromCharCode(...bytes);
}
