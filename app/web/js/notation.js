// What stands over and under the notes: chord symbols, on or off, found by the service where there are none; tablature.

import { hasChords } from "./abc.js";
import { post } from "./api.js";
import { element } from "./elements.js";
import { complain, say } from "./messages.js";

const HIDDEN = "without-chords";

export class Notation {
  constructor(store, { score, storage }) {
    Object.assign(this, { store, score, storage });
    this.button = element("chords");
    this.menu = element("tablature");
    this.menu.value = storage?.getItem("lilt.tablature") ?? "";
    this.score.options.tablature = this.menu.value;
    this.button.addEventListener("click", () => this.toggle());
    this.menu.addEventListener("change", () => this.choose());
    store.on("open", () => this.show());
    store.on("change", () => this.show());
  }

  get hasChords() {
    return hasChords(this.store.setting.abc);
  }

  get areShown() {
    return this.hasChords && !this.score.paper.classList.contains(HIDDEN);
  }

  /** What a print is to show. */
  get shown() {
    return { tablature: this.menu.value, hidesChords: this.score.paper.classList.contains(HIDDEN) };
  }

  show() {
    this.button.setAttribute("aria-pressed", this.areShown);
  }

  /** Shows or hides the chords; a tune that has none gets some that suit it, as a setting of its own. */
  async toggle() {
    if (this.hasChords) this.score.paper.classList.toggle(HIDDEN);
    else {
      this.score.paper.classList.remove(HIDDEN);
      await this.find();
    }
    this.show();
  }

  async find() {
    const tune = this.store.opened;
    const { abc } = this.store.setting;
    say("Finding chords…");
    try {
      const found = await (await post("chords", { abc })).json();
      if (tune !== this.store.opened || abc !== this.store.setting.abc) return;
      this.store.addSetting(found.abc, "with chords");
      this.store.open(tune);
      say("Chords are over the staff. Click a note to change its chord.");
    } catch (error) {
      complain(error);
    }
  }

  choose() {
    this.score.options.tablature = this.menu.value;
    this.score.draw(this.score.abc);
    try {
      this.storage?.setItem("lilt.tablature", this.menu.value);
    } catch {
      // then it is chosen anew next time
    }
  }
}
