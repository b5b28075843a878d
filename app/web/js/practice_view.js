// A score to practise from: large, over the whole screen, which stays awake; parts loop, a foot pedal turns.

import { titleOf } from "./abc.js";
import { button, element } from "./elements.js";

const LARGE = [
  [1000, 1.6],
  [700, 1.35],
  [0, 1],
]; // from so many pixels of width on, so much larger
const LETTERS = "ABCDEFGHIJKLMNOP";
const OVERLAP = 0.25; // of a screen that is seen again after a turn

export class PracticeView {
  constructor(store, { score, player, bars }) {
    Object.assign(this, { store, score, player, bars });
    this.lock = null; // what keeps the screen awake
    element("practise").addEventListener("click", () => this.open());
    element("leave-practice").addEventListener("click", () => this.close());
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || this.close());
    document.addEventListener("visibilitychange", () => this.isOpen && document.hidden === false && this.stayAwake());
    addEventListener("keydown", (event) => this.key(event), { capture: true });
    addEventListener("resize", () => this.isOpen && this.enlarge());
    store.on("open", () => this.isOpen && this.showParts());
  }

  get isOpen() {
    return document.body.classList.contains("practising");
  }

  open() {
    document.body.classList.add("practising");
    element("practice-bar").hidden = false;
    document.documentElement.requestFullscreen?.().catch(() => {}); // some phones have none; the page fills its window then
    this.stayAwake();
    this.enlarge();
    this.showParts();
    scrollTo({ top: 0, behavior: "instant" });
    element("leave-practice").focus({ preventScroll: true });
  }

  close() {
    if (!this.isOpen) return;
    document.body.classList.remove("practising");
    element("practice-bar").hidden = true;
    if (document.fullscreenElement) document.exitFullscreen();
    this.lock?.release();
    this.lock = null;
    this.loop(null);
    this.resize({ scale: 1, narrowScale: undefined });
    element("practise").focus();
  }

  async stayAwake() {
    this.lock = await navigator.wakeLock?.request("screen").catch(() => null); // plain http has none
  }

  enlarge() {
    const [, scale] = LARGE.find(([width]) => innerWidth >= width);
    this.resize({ scale, narrowScale: scale });
  }

  resize(sizes) {
    Object.assign(this.score.options, sizes);
    this.score.draw(this.score.abc);
  }

  showParts() {
    element("practice-title").textContent = titleOf(this.store.setting.abc);
    const parts = this.score.parts();
    const all = [["All", null], ...parts.map((numbers, index) => [LETTERS[index] ?? index + 1, numbers])];
    element("practice-parts").hidden = parts.length < 2;
    element("practice-parts").replaceChildren(
      ...all.map(([name, numbers]) => {
        const made = button(name, () => this.loop(numbers));
        made.setAttribute("aria-label", numbers ? `Loop part ${name}` : "Play all");
        made.setAttribute("aria-pressed", !numbers);
        return made;
      }),
    );
  }

  /** Loops the bars of a part; null plays all again. */
  loop(numbers) {
    const { children } = element("practice-parts");
    const index = numbers ? 1 + this.score.parts().findIndex(([first]) => first === numbers[0]) : 0;
    for (const [at, child] of [...children].entries()) child.setAttribute("aria-pressed", at === index);
    this.bars.choose(numbers ?? []);
    if (numbers) this.player.setLoop(numbers);
  }

  /** A foot pedal's keys turn the page; where the whole tune is seen, they play it, and lead back to its beginning. */
  key(event) {
    if (!this.isOpen) return;
    const isOnward = event.key === "PageDown";
    if (event.key === "Escape") this.close();
    else if (!isOnward && event.key !== "PageUp") return;
    else if (document.documentElement.scrollHeight > innerHeight + 1) this.turn(isOnward ? 1 : -1);
    else if (isOnward) this.player.toggle();
    else this.player.seek(0);
    event.preventDefault();
    event.stopPropagation();
  }

  turn(direction) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: direction * innerHeight * (1 - OVERLAP), behavior: isCalm ? "instant" : "smooth" });
  }
}
