// What the page knows, with one owner: the tunes of this browser, the one on the bench, and what can be undone.

import { withTitle } from "./abc.js";
import { settingOf } from "./library.js";

const MAX_UNDONE = 100;

/**
 * Tells of what has changed by events: `open` (another tune, or setting, is on the bench), `change` (the open tune's text),
 * `keep` (whether tunes are kept), `library` (which tunes there are, or are listed) and `undo` (what can be undone).
 */
export class Store extends EventTarget {
  constructor(library, example) {
    super();
    this.library = library;
    this.example = example; // what is on the bench where nothing else is
    this.opened = null;
    this.showsHistory = false;
    this.done = []; // what can be undone, as `step` gives it
  }

  tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  on(type, listener) {
    this.addEventListener(type, ({ detail }) => listener(detail));
  }

  /** The setting of the open tune that is shown. */
  get setting() {
    return this.opened && settingOf(this.opened);
  }

  /** The tunes that are listed, newest first. */
  listed() {
    return this.library.all().filter(({ kept }) => kept || this.showsHistory);
  }

  list(showsHistory) {
    this.showsHistory = showsHistory;
    this.tell("library");
  }

  /** Whether the open tune is nobody's yet: once it is kept or changed, it is one of the others. */
  get isExample() {
    return this.opened !== null && !this.library.get(this.opened.id);
  }

  /** Puts a tune on the bench; the example where there is none. */
  open(tune, isMovedTo = false) {
    const was = this.opened;
    this.opened = tune ?? this.example;
    this.tell("open", { was, isMovedTo });
    if (!this.isExample) this.library.last = this.opened; // once it is drawn: what hangs the page is not opened by itself
  }

  put(tune) {
    this.library.put(tune);
    this.tell("library");
  }

  /** Follows what another tab of this browser did; what plays here goes on, where its text is the same. */
  follow(key, text) {
    const id = this.library.follow(key, text);
    if (!id) return;
    const tune = this.library.get(id);
    if (tune && id === this.opened?.id) {
      const isSame = settingOf(tune).abc === this.setting.abc;
      if (isSame) this.opened = tune;
      else this.open(tune);
      this.tell("keep");
    }
    this.tell("library");
  }

  /** One thing that can be undone: how each of its tunes was before, null where it was not there, and what was open. */
  step(text) {
    return { text, before: new Map(), shown: this.opened?.id };
  }

  /** Takes a tune that was not there before, in a step that may have more of them. */
  add(tune, step) {
    step.before.set(tune.id, null);
    if (!this.done.includes(step)) this.push(step);
    this.put(tune);
  }

  remove(tune, text) {
    this.remember(text, tune);
    this.library.remove(tune.id);
    if (this.opened?.id === tune.id) this.open(null);
    this.tell("library");
  }

  /** A change of the open tune becomes a new setting under the others. */
  addSetting(abc, how, originality = null) {
    this.remember(how, this.opened);
    this.opened.settings.push({ abc, how, originality });
    this.opened.now = this.opened.settings.length - 1;
    this.opened.complete = true;
    this.put(this.opened);
  }

  showSetting(index) {
    this.remember("changing the setting", this.opened);
    this.opened.now = index;
    this.put(this.opened);
    this.open(this.opened);
  }

  /** The open tune's text as it was edited; one stretch of editing is one setting. */
  edit(abc) {
    if (this.setting.how === "edited") {
      this.remember("typing", this.opened);
      this.setting.abc = abc;
      this.setting.originality = null;
      this.put(this.opened);
    } else this.addSetting(abc, "edited");
    this.tell("change");
  }

  /** Changes what is known of a tune beside its text: a star, tags. */
  change(tune, what, words) {
    this.remember(words, tune);
    this.put(Object.assign(tune, what));
  }

  /** Gives all settings of a tune another title. */
  rename(tune, title) {
    this.remember("renaming", tune);
    for (const setting of tune.settings) setting.abc = withTitle(setting.abc, title);
    this.put(tune);
    if (tune.id === this.opened?.id) this.open(tune);
  }

  keep(tune, isKept) {
    this.remember(isKept ? "keeping" : "not keeping", tune);
    tune.kept = isKept;
    this.put(tune);
    this.tell("keep");
  }

  /** Remembers how a tune was, before it is changed or removed. */
  remember(text, tune) {
    const step = this.step(text);
    step.before.set(tune.id, structuredClone(tune));
    this.push(step);
  }

  push(step) {
    this.done.push(step);
    if (this.done.length > MAX_UNDONE) this.done.shift();
    this.tell("undo");
  }

  /** Undoes the last thing; what that was, in words, or nothing. */
  undo() {
    const last = this.done.pop();
    if (!last) return null;
    let shown = null;
    for (const [id, tune] of last.before) {
      if (tune) this.library.put(tune);
      else this.library.remove(id);
      shown = tune ?? shown;
    }
    this.open(shown ?? this.library.get(this.opened?.id) ?? this.library.get(last.shown));
    this.tell("undo");
    this.tell("library");
    return last.text;
  }
}
