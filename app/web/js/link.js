// A tune and its recipe in the fragment of a link: compressed, so that no server keeps anything.

import { Told } from "./api.js";

const LONGEST = 8000;
const NAME = "#t=";

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** The fragment for a tune; null where a link would be too long to be passed on whole. */
export async function fragmentOf({ abc, recipe }) {
  const bytes = new TextEncoder().encode(JSON.stringify(recipe ? { abc, recipe } : { abc }));
  const packed = await through(bytes, new CompressionStream("deflate-raw"));
  const text = btoa(String.fromCharCode(...packed))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return text.length > LONGEST ? null : NAME + text;
}

/** What a fragment holds, {abc, recipe}; null where there is no tune in it. Throws where it is damaged. */
export async function tuneIn(fragment) {
  if (!fragment.startsWith(NAME)) return null;
  try {
    const text = fragment.slice(NAME.length).replaceAll("-", "+").replaceAll("_", "/");
    const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const found = JSON.parse(new TextDecoder().decode(await through(packed, new DecompressionStream("deflate-raw"))));
    if (typeof found.abc === "string") return found;
  } catch {
    // told below
  }
  throw new Told("This link is damaged; perhaps its end was cut off. Ask for it again.");
}
