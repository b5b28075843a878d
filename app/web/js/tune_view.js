// The tune on the bench: its title and facts, its score, its settings, whether it is kept and how original it is.

import { facts, titleOf, wholeBars } from "./abc.js";
import { button, element, show } from "./elements.js";
import * as form from "./form.js";
import { say } from "./messages.js";
import { showNearest, words } from "./originality.js";

/** Which file a tune was read from, and what of that is not in it. */
function originInWords({ file, leftOut }) {
  return `Read from ${file}. ${leftOut.length ? `Left out: ${leftOut.join("; ")}.` : "Nothing of its notes was left out."}`;
}

export class TuneView {
  constructor(store, { score, player, bars, editor }) {
    Object.assign(this, { store, score, player, bars, editor });
    this.growing = null; // the bars of a tune that is being made
    store.on("open", (how) => this.open(how));
    store.on("change", () => this.change());
    store.on("keep", () => this.showKept());
    store.on("library", () => {
      document.body.classList.toggle("begun", store.library.all().length > 0); // on phones, what Lilt is need not be told again
      if (store.opened && !store.isExample) element("welcome").hidden = true;
    });
    score.paper.addEventListener("drawn", () => this.showFacts());
    store.on("trust", () => this.showTrust());
    element("keep").addEventListener("click", () => store.keep(store.opened, !store.opened.kept));
    element("use-recipe").addEventListener("click", () => {
      form.fill(store.opened.recipe);
      say("The form is as it was for this tune, with the same seed.");
    });
    element("trust").addEventListener("click", () => this.toggleNearest());
  }

  /** Clears the bench for a tune that grows on it. */
  begin() {
    this.growing = "";
    element("welcome").hidden = true;
    element("tune").hidden = false;
    element("tune").classList.add("growing");
    show("work");
  }

  /** Shows the open tune again instead of one that was not made. */
  restore() {
    if (this.growing !== null) this.store.open(this.store.opened);
  }

  grow(text) {
    if (this.growing === null) this.begin();
    const bars = wholeBars(text);
    element("title").textContent = /^T:.*\n/m.test(text) ? titleOf(text) : "…";
    element("facts").textContent = "being written";
    if (!bars || bars === this.growing) return;
    this.growing = bars;
    this.score.draw(bars);
  }

  open({ was, isMovedTo }) {
    const { opened } = this.store;
    const chosen = opened?.id === was?.id ? this.bars.numbers : [];
    this.bars.choose([]);
    element("welcome").hidden = !this.store.isExample;
    element("tune").hidden = element("player").hidden = false;
    element("tune").classList.remove("growing");
    this.growing = null;
    const { abc } = this.store.setting;
    this.editor.show(abc);
    this.score.draw(abc);
    this.player.load(abc, opened?.id !== was?.id);
    this.bars.choose(chosen);
    this.showSettings();
    this.showKept();
    this.score.shade("changed", opened.now ? [] : (opened.changed ?? []));
    this.showTrust();
    this.showRecipe();
    this.editor.check();
    if (!this.store.setting.originality && !this.store.isExample) this.editor.judge();
    if (!isMovedTo) return;
    element("work").focus({ preventScroll: true });
    element("work").scrollIntoView({ block: "start" });
  }

  change() {
    const { abc } = this.store.setting;
    this.score.shade("changed", []);
    this.score.draw(abc);
    this.player.load(abc, false);
    this.showSettings();
    this.showTrust();
  }

  /** What the header says of the tune that is drawn; its key is the one that is seen and heard. */
  showFacts() {
    const { opened, setting } = this.store;
    if (!opened || this.growing !== null) return;
    const unfinished = opened.complete === false ? " · not finished: it was stopped, or ran out of characters" : "";
    element("title").textContent = titleOf(setting.abc);
    element("facts").textContent = facts(setting.abc, this.score.keyName()) + unfinished;
  }

  /** How it was made, and a way to make it again; or the file that it was read from. */
  showRecipe() {
    const { recipe, origin } = this.store.opened;
    element("recipe").hidden = !recipe && !origin;
    element("recipe-name").textContent = recipe ? "How it was made" : "Where it is from";
    element("use-recipe").hidden = !recipe || recipe.vary !== undefined;
    element("recipe-facts").textContent = recipe ? form.inWords(recipe) : origin ? originInWords(origin) : "";
    element("recipe-words").textContent = recipe?.best_of ? `: the best of ${recipe.best_of}` : "";
  }

  showKept() {
    const isKept = Boolean(this.store.opened?.kept);
    element("keep").setAttribute("aria-pressed", isKept);
    element("keep").textContent = isKept ? "Kept" : "Keep";
  }

  showSettings() {
    const { settings, now } = this.store.opened;
    const isFocused = element("settings").contains(document.activeElement);
    element("settings").hidden = settings.length < 2;
    element("settings").replaceChildren(
      ...(settings.length < 2 ? [] : settings).map(({ how }, index) => {
        const made = button(`${index + 1} ${how}`, () => this.store.showSetting(index));
        made.setAttribute("aria-pressed", index === now);
        return made;
      }),
    );
    if (isFocused) element("settings").children[now]?.focus({ preventScroll: true });
  }

  showTrust(originality = this.store.setting.originality) {
    const trust = element("trust");
    trust.textContent = words(originality, titleOf(this.store.setting.abc));
    trust.hidden = !trust.textContent;
    trust.dataset.judgement = originality?.judgement ?? "";
    trust.disabled = !originality?.nearest;
    trust.setAttribute("aria-expanded", "false");
    element("nearest").hidden = true;
    element("tune").classList.remove("beside");
    this.score.shade("shared", []);
  }

  toggleNearest() {
    const { originality } = this.store.setting;
    const isShown = element("nearest").toggleAttribute("hidden") === false;
    element("trust").setAttribute("aria-expanded", isShown);
    element("tune").classList.toggle("beside", isShown);
    if (isShown) {
      showNearest(element("nearest"), originality, this.score);
      show("nearest");
    }
    this.score.shade("shared", isShown ? originality.bars : []);
  }
}
