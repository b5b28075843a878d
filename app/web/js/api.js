// The service, as the page speaks to it: JSON in; JSON, files or streams of events out; every failure in plain words.

const PATIENCE_MS = 30_000;
const FIRST_WAIT_MS = 400;

const ADVICE = {
  "urn:lilt:problem:unknown-character": "Take it out, or write it another way.",
  "urn:lilt:problem:busy": "It is tried again in a moment.",
  "urn:lilt:problem:deadline": "Ask for a shorter tune, or try again.",
  "urn:lilt:problem:render": "Press Edit to mend the ABC.",
  "urn:lilt:problem:notation": "Press Edit to mend the ABC.",
  "urn:lilt:problem:request": "Choose something else, or leave it open.",
};

/** What is told to the user as it stands. */
export class Told extends Error {}

/** What the service refused, and why. */
export class Refusal extends Told {
  constructor(problem, status) {
    const words = sentence(problem.detail || problem.title || `The service answered ${status}.`);
    super([words, ADVICE[problem.type]].filter(Boolean).join(" "));
    this.words = words; // without advice
    this.status = status;
    this.faults = problem.errors ?? [];
  }
}

/** The service cannot be reached, or went away in the middle. */
export class Away extends Told {
  constructor() {
    super("Lilt does not answer. Is it running? What you have made is safe in this browser.");
  }
}

function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?]$/.test(words) ? "" : ".");
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away();
  }
  if (response.ok) return response;
  const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const refusal = new Refusal(isProblem ? await response.json() : {}, response.status);
  refusal.retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  throw refusal;
}

export const get = (path) => ask(path);

export function post(path, body, { accept = "application/json", signal } = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(body),
    signal,
  });
}

/** Sends a file as it is. */
export const upload = (path, file) =>
  ask(path, { method: "POST", headers: { Accept: "application/json" }, body: file });

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs an action, again while the service restarts or is too busy; `waiting` is told what is being waited for. */
export async function patiently(action, waiting = () => {}) {
  const until = Date.now() + PATIENCE_MS;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, 4000)) {
    try {
      return await action();
    } catch (error) {
      const isBusy = error instanceof Refusal && error.status === 503;
      if (!(error instanceof Away || isBusy) || Date.now() + wait > until) throw error;
      waiting(isBusy ? "Lilt is busy. Trying again…" : "Lilt does not answer; perhaps it restarts. Trying again…");
      await sleep(isBusy && error.retryAfterS ? error.retryAfterS * 1000 : wait);
    }
  }
}

/** The events of a text/event-stream answer, as {event, data}. Throws Away where it is cut off. */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  while (true) {
    let part;
    try {
      part = await reader.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Away();
    }
    if (part.done) return;
    buffer += part.value;
    const blocks = buffer.split("\n\n");
    buffer = blocks.pop();
    for (const block of blocks) {
      const found = /^event: (.*)\ndata: (.*)$/m.exec(block);
      if (found) yield { event: found[1], data: JSON.parse(found[2]) };
    }
  }
}

/** Makes a tune; `grown` gets the text so far. Resolves to the whole answer. */
export async function generate(body, grown, signal) {
  const response = await post("generate", body, { accept: "text/event-stream", signal });
  let text = body.abc === undefined ? body.start_string : "";
  for await (const { event, data } of events(response)) {
    if (event === "done") return data;
    if (event === "error") throw new Refusal(data, data.status);
    if (event !== "chunk") continue; // "start" tells what the done one tells again
    text += data.text;
    grown(text);
  }
  throw new Away();
}
