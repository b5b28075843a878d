// Tunes that stay in this browser: every one made here, the kept ones for good.

import { tunesOf } from "./abc.js";
import { recipeOf } from "./recipe.js";

const PREFIX = "lilt.tune.";
const MAX_UNKEPT = 300;

const OPENED = "lilt.opened";

/** The browser's storage; null where it is refused, as some privacy settings do. */
export function browserStorage() {
  try {
    return localStorage;
  } catch {
    return null;
  }
}

/**
 * The tunes of this browser, newest first. A tune is {id, at, kept, recipe, settings: [{abc, how, originality}], now}.
 * `failed` is called once, when a tune could not be stored; it is there until the page is closed.
 */
export class Library {
  constructor(storage, failed) {
    this.storage = storage;
    this.failed = failed;
    this.tunes = new Map();
    for (const key of Object.keys(storage ?? {}).filter((key) => key.startsWith(PREFIX))) {
      const tune = read(storage.getItem(key));
      if (tune) this.tunes.set(tune.id, tune);
      else storage.removeItem(key);
    }
  }

  /** Follows what another tab of this browser has stored under a key, null where it removed it: that tune's id. */
  follow(key, text) {
    if (!key?.startsWith(PREFIX)) return null;
    const id = key.slice(PREFIX.length);
    const tune = read(text);
    if (tune) this.tunes.set(id, tune);
    else this.tunes.delete(id);
    return id;
  }

  all() {
    return [...this.tunes.values()].sort((a, b) => b.at - a.at);
  }

  get(id) {
    return this.tunes.get(id);
  }

  /** The tune that has a text as one of its settings, whatever its number in a book. */
  find(text) {
    const wanted = unnumbered(text);
    return this.all().find(({ settings }) => settings.some(({ abc }) => unnumbered(abc) === wanted));
  }

  /** The tune that was on the bench last. */
  get last() {
    return this.get(this.storage?.getItem(OPENED));
  }

  set last(tune) {
    try {
      this.storage.setItem(OPENED, tune.id);
    } catch {
      // then another one, or none, comes back after a reload
    }
  }

  put(tune) {
    this.tunes.set(tune.id, tune);
    const unkept = this.all().filter(({ kept }) => !kept);
    for (const old of unkept.slice(MAX_UNKEPT)) this.remove(old.id);
    const spare = this.storage ? unkept.slice(1, MAX_UNKEPT).filter(({ id }) => id !== tune.id) : [];
    while (!this.write(tune)) {
      const oldest = spare.pop();
      if (!oldest) {
        if (!this.hasFailed) this.failed();
        this.hasFailed = true;
        return;
      }
      this.storage.removeItem(PREFIX + oldest.id); // it is there until the page is closed
    }
  }

  write(tune) {
    try {
      this.storage.setItem(PREFIX + tune.id, JSON.stringify(tune));
      return true;
    } catch {
      return false;
    }
  }

  remove(id) {
    this.tunes.delete(id);
    this.storage?.removeItem(PREFIX + id);
  }
}

/** A tune as it is stored; null where that is none. */
function read(text) {
  try {
    const tune = JSON.parse(text);
    return tune.settings[tune.now].abc ? tune : null;
  } catch {
    return null;
  }
}

/** `crypto.randomUUID` is there on secure pages only; a classroom's server is reached by plain http. */
function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A tune that has one setting yet. */
export function newTune(abc, how, { recipe = null, originality = null, kept = false, complete = true } = {}) {
  return {
    id: newId(),
    at: Date.now(),
    kept,
    complete,
    recipe,
    settings: [{ abc, how, originality }],
    now: 0,
  };
}

export const settingOf = (tune) => tune.settings[tune.now];

const unnumbered = (abc) => abc.replace(/^X:.*$/m, "").trim();

/**
 * All as one tunebook, numbered anew, with recipes as comments: each tune as it stands, or `hasAllSettings`, which say in
 * comments of their own whose they are.
 */
export function asTunebook(tunes, hasAllSettings = false) {
  const entries = tunes.flatMap((tune) => {
    const recipe = tune.recipe ? `% Lilt: ${JSON.stringify(tune.recipe)}\n` : "";
    if (!hasAllSettings) return { abc: settingOf(tune).abc, comments: recipe };
    return tune.settings.map(({ abc, how }, index) => {
      const setting = { tune: tune.id, how, ...(index === tune.now && { shown: true }) };
      const whose = tune.settings.length > 1 ? `% Lilt setting: ${JSON.stringify(setting)}\n` : "";
      return { abc, comments: recipe + whose };
    });
  });
  let number = 0;
  return entries
    .map(({ abc, comments }, index) => {
      const body = /^X:/m.test(abc) ? abc : `X:${index + 1}\n${abc}`;
      return body.trim().replace("\n", `\n${comments}`);
    })
    .join("\n\n")
    .replaceAll(/^X:.*$/gm, () => `X:${++number}`)
    .concat("\n");
}

/** The tunes of a book, its settings of one tune together, without the comments of `asTunebook`. */
export function fromTunebook(book, how = "imported") {
  const tunes = new Map();
  for (const text of tunesOf(book)) {
    const { rest, value: recipe } = takeComment(text, "Lilt");
    const { rest: abc, value: setting } = takeComment(rest, "Lilt setting");
    const known = setting && tunes.get(setting.tune);
    const tune = known ?? newTune(abc, setting?.how ?? how, { recipe: recipeOf(recipe), kept: true });
    if (known) tune.settings.push({ abc, how: setting.how, originality: null });
    if (setting?.shown) tune.now = tune.settings.length - 1;
    tunes.set(setting?.tune ?? tune.id, tune);
  }
  return [...tunes.values()];
}

/** A tune's text without a comment that we wrote into it, and what that holds. */
function takeComment(text, name) {
  const found = new RegExp(`^% ${name}: (\\{.*\\})\\n`, "m").exec(text);
  try {
    if (found) return { rest: text.replace(found[0], ""), value: JSON.parse(found[1]) };
  } catch {
    // somebody else's comment
  }
  return { rest: text, value: null };
}
