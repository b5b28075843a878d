// Sets: tunes that are played one after another, joined from the list and ordered on the bench.

import { titleOf, tunesOf } from "./abc.js";
import { button, element } from "./elements.js";

export const MAX_SET = 5; // tunes that the service plays as one

/** Tunes as one text, numbered. */
export const joinTunes = (tunes) =>
  tunes
    .map((abc, index) => abc.trim().replace(/^X:.*$/m, `X:${index + 1}`))
    .join("\n\n")
    .concat("\n");

/** Shows the tunes of the open set, where it is one, with ways to order them. */
export class SetPanel {
  constructor(store) {
    this.store = store;
    store.on("open", () => this.show());
    store.on("change", () => this.show());
  }

  show() {
    const tunes = tunesOf(this.store.setting.abc);
    element("set").hidden = tunes.length < 2;
    if (tunes.length < 2) return;
    element("set-tunes").replaceChildren(...tunes.map((_, index) => this.item(tunes, index)));
  }

  item(tunes, index) {
    const item = document.createElement("li");
    const title = titleOf(tunes[index]);
    item.append(title, " ");
    const moves = [
      ["▲", -1, `${title} earlier`],
      ["▼", 1, `${title} later`],
    ];
    for (const [sign, by, label] of moves) {
      const move = button(sign, () => this.move(tunes, index, by));
      move.setAttribute("aria-label", label);
      move.disabled = !tunes[index + by];
      item.append(move);
    }
    return item;
  }

  move(tunes, index, by) {
    const ordered = [...tunes];
    [ordered[index], ordered[index + by]] = [ordered[index + by], ordered[index]];
    this.store.addSetting(joinTunes(ordered), "in another order");
    this.store.open(this.store.opened);
    element("set-tunes").children[index + by]?.querySelector("button:enabled")?.focus();
  }
}
