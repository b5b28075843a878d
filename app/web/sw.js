// Keeps the page, and what was heard of its tunes, for when the service is away. The service is asked first for all; of a
// sound it is asked only whether it would be another one now.

const HOME = new URL("./", location).pathname; // "/", or the path that a proxy serves all under
const PLACE = HOME.slice(0, -1);
const PAGE = `lilt-page-2${PLACE}`; // other pages of this host have caches too
const SOUNDS = `lilt-sounds-2${PLACE}`;
const MAX_SOUNDS = 24;
const MAX_NOTES = 200;
const MAX_BYTES = 12_000_000; // of one sound
const PATIENCE_MS = 1500; // for the word that a sound is still the same
const PARTS = "pages.json"; // what the page is made of
const RENDER = `${HOME}render`;
const NOTES = `${HOME}notes/`; // names of what is kept
const ADDRESS = "Lilt-Address"; // header of a kept sound: where the service has it
const HEARD = ["wav", "mp3", "ogg"]; // formats in which a player asks for sound

self.addEventListener("install", (event) => {
  event.waitUntil(keepPage().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(dropOld().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== location.origin) return;
  const isPlayed = request.destination === "audio"; // not a score, which the service alone sends with its policy
  if (request.method === "GET" && url.pathname === RENDER && isPlayed) event.respondWith(soundOf(event));
  else if (request.method === "POST" && url.pathname === RENDER) event.respondWith(fileOf(request));
  else if (request.method === "GET") event.respondWith(pageOf(request));
  if (request.mode === "navigate") event.waitUntil(keepParts().catch(() => {})); // as soon as the service is there again
});

async function keepPage() {
  const cache = await caches.open(PAGE);
  await cache.addAll(await partsNow());
}

/** The paths of what the page is made of. */
async function partsNow() {
  const parts = [...(await (await fetch(PARTS)).json()), "models"];
  return parts.map((part) => new URL(part, location).pathname);
}

/** Keeps the parts that another version of the page has, and forgets those that it no longer has. */
async function keepParts() {
  const cache = await caches.open(PAGE);
  const parts = await partsNow();
  const kept = (await cache.keys()).map(({ url }) => new URL(url).pathname);
  await cache.addAll(parts.filter((part) => !kept.includes(part)));
  await Promise.all(kept.filter((part) => !parts.includes(part)).map((part) => cache.delete(part)));
}

async function dropOld() {
  const ours = (name) => name.replace(/^lilt-[a-z]+-\d+/, "") === PLACE && name.startsWith("lilt-");
  const names = (await caches.keys()).filter((name) => ours(name) && ![PAGE, SOUNDS].includes(name));
  return Promise.all(names.map((name) => caches.delete(name)));
}

/** A part of the page as the service has it, or as it was had before. */
async function pageOf(request) {
  const cache = await caches.open(PAGE);
  try {
    const answer = await fetch(request);
    if (answer.ok && (await cache.match(request, { ignoreSearch: true }))) await cache.put(request, answer.clone());
    return answer;
  } catch (error) {
    const kept = await cache.match(request, { ignoreSearch: true });
    if (!kept) throw error;
    return marked(kept);
  }
}

/** An answer that says of itself that it was kept. */
function marked(kept) {
  const headers = new Headers(kept.headers);
  headers.set("Lilt-Kept", "1");
  return new Response(kept.body, { status: kept.status, headers });
}

/** A tune's sound; it is kept in the background, whole, as a player asks for parts of it. */
async function soundOf(event) {
  const { request } = event;
  const cache = await caches.open(SOUNDS);
  const kept = await cache.match(nameOf(request.url));
  if (kept && (await isCurrent(kept)))
    return part(await kept.arrayBuffer(), kept.headers.get("Content-Type"), request.headers.get("Range"));
  const answer = await fetch(request);
  if (answer.ok && !navigator.connection?.saveData) event.waitUntil(keepSound(cache, request.url));
  return answer;
}

/** Whether the service would make the same sound now; taken for granted where it does not say so soon. */
async function isCurrent(kept) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const now = await fetch(kept.headers.get(ADDRESS), { method: "HEAD", cache: "no-store", signal });
    return !now.ok || now.headers.get("ETag") === kept.headers.get("ETag");
  } catch {
    return true;
  }
}

/** Keeps a sound as it was asked for, or smaller where that is too large. */
async function keepSound(cache, address) {
  const isKept = (await keepFile(cache, address)) || (await keepFile(cache, inFormat(address, "mp3")));
  if (isKept) await trim(cache, RENDER, MAX_SOUNDS);
}

async function keepFile(cache, address) {
  const answer = await fetch(address, { headers: { Accept: "*/*" } });
  const sound = await answer.arrayBuffer();
  if (answer.status !== 200 || sound.byteLength > MAX_BYTES) return false;
  const headers = { [ADDRESS]: address };
  for (const name of ["Content-Type", "ETag"]) headers[name] = answer.headers.get(name);
  await cache.put(nameOf(address), new Response(sound, { headers }));
  return true;
}

function inFormat(address, format) {
  const url = new URL(address);
  url.searchParams.set("format", format);
  return url.href;
}

/** A sound is the same in any format: which one is asked for depends on how quick the link is. */
function nameOf(address) {
  const url = new URL(address, location);
  url.searchParams.delete("format");
  url.searchParams.sort();
  return url.href;
}

/** Forgets the oldest of a kind. */
async function trim(cache, path, most) {
  const kept = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith(path));
  await Promise.all(kept.slice(0, Math.max(0, kept.length - most)).map((old) => cache.delete(old)));
}

/** The bytes that a player asks for. */
function part(sound, type, range) {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const headers = { "Content-Type": type, "Accept-Ranges": "bytes" };
  if (first === undefined) return new Response(sound, { headers });
  const end = Math.min(last ? Number(last) + 1 : sound.byteLength, sound.byteLength);
  const bytes = sound.slice(Number(first), end);
  headers["Content-Range"] = `bytes ${first}-${end - 1}/${sound.byteLength}`;
  return new Response(bytes, { status: 206, headers });
}

/** What the page asks for as a file: when each note sounds, as MIDI, or a sound that is to be looped. */
async function fileOf(request) {
  const body = await request.clone().text();
  let wanted = {};
  try {
    wanted = JSON.parse(body) ?? {};
  } catch {
    // the service says what is wrong with it
  }
  if (wanted.format === "midi") return notesOf(request, body);
  try {
    return await fetch(request);
  } catch (error) {
    const kept = HEARD.includes(wanted.format) && (await heard(wanted));
    if (!kept) throw error;
    return kept;
  }
}

/** A sound that was heard, in the format that is wanted. */
async function heard(wanted) {
  const cache = await caches.open(SOUNDS);
  const kept = await cache.match(nameOf(`render?${new URLSearchParams(wanted)}`));
  const format = kept && new URL(kept.headers.get(ADDRESS)).searchParams.get("format");
  return format === wanted.format ? kept : null;
}

async function notesOf(request, body) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  const name = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const cache = await caches.open(SOUNDS);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(`${NOTES}${name}`, answer.clone());
    await trim(cache, NOTES, MAX_NOTES);
    return answer;
  } catch (error) {
    const kept = await cache.match(`${NOTES}${name}`, { ignoreVary: true });
    if (!kept) throw error;
    return kept;
  }
}
