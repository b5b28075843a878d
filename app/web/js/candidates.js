// Tunes made several at once, as cards beside each other: each grows, and can be played, opened, kept and asked more of.

import { facts, titleOf, wholeBars } from "./abc.js";
import { button, element } from "./elements.js";
import { settingOf } from "./library.js";
import { words } from "./originality.js";
import { Score } from "./score.js";

export class Candidates {
  constructor(store, player) {
    Object.assign(this, { store, player });
    this.list = element("candidates");
    store.on("open", () => {
      for (const card of this.list.children) card.classList.toggle("open", card.dataset.tune === store.opened?.id);
    });
    store.on("open", () => this.showKept());
    store.on("keep", () => this.showKept());
    store.on("library", () => this.dropRemoved());
    store.on("open", () => this.showPlaying());
    player.root.addEventListener("state", () => this.showPlaying());
    element("put-away").addEventListener("click", () => this.clear(true));
  }

  clear(isHidden) {
    this.list.hidden = element("candidates-head").hidden = isHidden;
    this.list.replaceChildren();
  }

  card() {
    const card = new Card(this.store, this.player);
    this.list.append(card.item);
    return card;
  }

  dropRemoved() {
    for (const card of [...this.list.children]) {
      if (card.dataset.tune && !this.store.library.get(card.dataset.tune)) card.remove();
    }
    if (!this.list.children.length) this.list.hidden = element("candidates-head").hidden = true;
  }

  /** Which card's tune sounds. */
  showPlaying() {
    for (const card of this.list.children) {
      const play = card.querySelector(".main");
      if (!play) continue;
      const isPlaying = card.dataset.tune === this.store.opened?.id && this.player.isPlaying();
      play.textContent = isPlaying ? "Pause" : "Play";
      play.setAttribute("aria-label", `${play.textContent}: ${card.querySelector("h3").textContent}`);
    }
  }

  showKept() {
    for (const keep of this.list.querySelectorAll("[data-keeps]")) {
      const isKept = Boolean(this.store.library.get(keep.dataset.keeps)?.kept);
      keep.setAttribute("aria-pressed", isKept);
      keep.textContent = isKept ? "Kept" : "Keep";
    }
  }
}

class Card {
  constructor(store, player) {
    Object.assign(this, { store, player });
    this.item = document.createElement("li");
    this.item.innerHTML = `<article><h3></h3><p class="facts"></p><div class="score"></div>
      <p class="trust-words"></p><div class="deeds"></div></article>`;
    this.score = null;
    this.shown = "";
    this.part("h3").textContent = "…";
  }

  part(name) {
    return this.item.querySelector(name);
  }

  draw(abc) {
    this.score ??= new Score(this.part(".score"), { isNumbered: false, scale: 0.6 });
    this.score.draw(abc);
  }

  grow(text) {
    if (/^T:.*\n/m.test(text)) this.part("h3").textContent = titleOf(text);
    const bars = wholeBars(text);
    if (bars && bars !== this.shown) this.draw(bars);
    this.shown = bars;
  }

  finish(tune, alike) {
    const { abc, originality } = settingOf(tune);
    this.draw(abc);
    this.score.shade("changed", tune.changed ?? []);
    this.part("h3").textContent = titleOf(abc);
    this.part(".facts").textContent = facts(abc);
    this.part(".trust-words").textContent = words(originality, titleOf(abc));
    this.part(".trust-words").dataset.judgement = originality?.judgement ?? "";
    this.item.dataset.tune = tune.id;
    const deeds = this.deeds(tune, alike);
    for (const deed of deeds) deed.setAttribute("aria-label", `${deed.textContent}: ${titleOf(abc)}`);
    this.part(".deeds").append(...deeds);
  }

  deeds(tune, alike) {
    const { store, player } = this;
    const now = () => store.library.get(tune.id);
    const play = button("Play", () => {
      if (store.opened?.id !== tune.id) store.open(now());
      if (player.isPlaying()) player.pause();
      else player.play({ follows: false });
    });
    play.classList.add("main");
    const keep = button("Keep", () => store.keep(now(), !now().kept));
    keep.dataset.keeps = tune.id;
    keep.setAttribute("aria-pressed", "false");
    return [play, button("Open", () => store.open(now(), true)), keep, button("More like it", () => alike(tune))];
  }

  fail(error) {
    this.part(".facts").textContent = error.name === "AbortError" ? "stopped" : error.message;
  }
}
