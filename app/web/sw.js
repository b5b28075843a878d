// Keeps the page, and what was heard of its tunes, for when the service is away. The service is asked first for all but
// sounds: the same address is the same sound.

const PAGE = "lilt-page-1";
const SOUNDS = "lilt-sounds-1";
const MAX_SOUNDS = 24;
const MAX_NOTES = 200;
const MAX_BYTES = 12_000_000; // of one sound
const PARTS = "/pages.json"; // what the page is made of

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
  if (request.method === "GET" && url.pathname === "/render" && isPlayed) event.respondWith(soundOf(event));
  else if (request.method === "POST" && url.pathname === "/render") event.respondWith(notesOf(request));
  else if (request.method === "GET") event.respondWith(pageOf(request));
});

async function keepPage() {
  const cache = await caches.open(PAGE);
  const parts = await (await fetch(PARTS)).json();
  await cache.addAll([...parts, "/models"]);
}

async function dropOld() {
  const names = (await caches.keys()).filter((name) => ![PAGE, SOUNDS].includes(name));
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
  if (kept) return part(await kept.arrayBuffer(), kept.headers.get("Content-Type"), request.headers.get("Range"));
  const answer = await fetch(request);
  if (answer.ok && !navigator.connection?.saveData) event.waitUntil(keepSound(cache, request.url));
  return answer;
}

async function keepSound(cache, url) {
  if (await cache.match(nameOf(url))) return;
  const answer = await fetch(url, { headers: { Accept: "*/*" } });
  const sound = await answer.arrayBuffer();
  if (answer.status === 200 && sound.byteLength <= MAX_BYTES)
    await cache.put(
      nameOf(url),
      new Response(sound, { headers: { "Content-Type": answer.headers.get("Content-Type") } }),
    );
  await trim(cache, "/render", MAX_SOUNDS);
}

/** A sound is the same in any format: which one is asked for depends on how quick the link is. */
function nameOf(address) {
  const url = new URL(address);
  url.searchParams.delete("format");
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

/** When each note of a tune sounds, which the page asks for as MIDI. */
async function notesOf(request) {
  const body = await request.clone().text();
  if (!body.includes('"format":"midi"')) return fetch(request);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body));
  const name = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const cache = await caches.open(SOUNDS);
  try {
    const answer = await fetch(request);
    if (answer.ok) await cache.put(`/notes/${name}`, answer.clone());
    await trim(cache, "/notes/", MAX_NOTES);
    return answer;
  } catch (error) {
    const kept = await cache.match(`/notes/${name}`, { ignoreVary: true });
    if (!kept) throw error;
    return kept;
  }
}
