// A tune and its recipe in the fragment of a link: compressed, so that no server keeps anything.

import { Told } from "./api.js";
import { recipeOf } from "./recipe.js";

const LONGEST = 8000;
const MAX_UNPACKED = 32_768; // bytes, as the service takes of a tune: a few characters could hold a text without end
const NAME = "#t=";
const TOO_LONG = "The tune in this link is too long to be opened.";

async function through(bytes, stream, most = Number.POSITIVE_INFINITY) {
  const reader = new Blob([bytes]).stream().pipeThrough(stream).getReader();
  const pieces = [];
  let size = 0;
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    size += read.value.length;
    if (size > most) {
      await reader.cancel();
      throw new RangeError(`more than ${most} bytes`);
    }
    pieces.push(read.value);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

/** The fragment for a tune; null where a link would be too long to be passed on whole. */
export async function fragmentOf({ abc, recipe }) {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe ? { abc, recipe } : { abc }));
  if (bytes.length > MAX_UNPACKED) return null;
  const packed = await through(bytes, new CompressionStream("deflate-raw"));
  const text = btoa(String.fromCharCode(...packed))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return text.length > LONGEST ? null : NAME + text;
}

/** What a fragment holds, {abc, recipe}; null where there is no tune in it. Throws where it is damaged, or too large. */
export async function tuneIn(fragment) {
  if (!fragment.startsWith(NAME)) return null;
  if (fragment.length > NAME.length + LONGEST) throw new Told(TOO_LONG);
  try {
    const text = fragment.slice(NAME.length).replaceAll("-", "+").replaceAll("_", "/");
    const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const unpacked = await through(packed, new DecompressionStream("deflate-raw"), MAX_UNPACKED);
    const { abc, recipe } = JSON.parse(new TextDecoder().decode(unpacked));
    if (typeof abc === "string") return { abc, recipe: recipeOf(recipe) };
  } catch (error) {
    if (error instanceof RangeError) throw new Told(TOO_LONG);
  }
  throw new Told("This link is damaged; perhaps its end was cut off. Ask for it again.");
}
