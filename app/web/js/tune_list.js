// The list of this browser's tunes: opened, removed, exported, imported and printed.

import { facts, titleOf } from "./abc.js";
import { button, element } from "./elements.js";
import { asTunebook, fromTunebook, settingOf } from "./library.js";
import { say } from "./messages.js";
import { print, save } from "./share.js";

const SHOWN = 60;

const counted = (number) => `${number} ${number === 1 ? "tune" : "tunes"}`;

export class TuneList {
  constructor(store) {
    this.store = store;
    store.on("library", () => this.show());
    element("show-kept").addEventListener("click", () => store.list(false));
    element("show-history").addEventListener("click", () => store.list(true));
    element("export").addEventListener("click", () =>
      save(new Blob([asTunebook(store.listed())], { type: "text/vnd.abc" }), "lilt.abc"),
    );
    element("import").addEventListener("click", () => element("import-file").click());
    element("import-file").addEventListener("change", () => this.import());
    element("print-kept").addEventListener("click", () => print(store.listed().map((tune) => settingOf(tune).abc)));
  }

  show() {
    const { showsHistory } = this.store;
    element("show-kept").setAttribute("aria-pressed", !showsHistory);
    element("show-history").setAttribute("aria-pressed", showsHistory);
    const tunes = this.store.listed();
    const items = tunes.slice(0, SHOWN).map((tune) => this.item(tune));
    if (!items.length) {
      const item = document.createElement("li");
      item.className = "hint";
      item.textContent = showsHistory
        ? "Nothing made here yet."
        : "Press Keep on a tune that you like, and find it here again.";
      items.push(item);
    }
    element("shelf").replaceChildren(...items);
    element("export").disabled = element("print-kept").disabled = tunes.length === 0;
  }

  item(tune) {
    const { abc } = settingOf(tune);
    const item = document.createElement("li");
    const name = button(titleOf(abc), () => this.store.open(tune, true));
    name.className = "name";
    const small = document.createElement("small");
    small.textContent = facts(abc);
    const remove = button("Remove", () => this.store.remove(tune, `removing ${titleOf(abc)}`));
    remove.className = "quiet";
    remove.setAttribute("aria-label", `Remove ${titleOf(abc)}`);
    item.append(name, small, remove);
    return item;
  }

  /** Adds a tune that is not there; one that is there is kept. Whether it was added. */
  take(tune, step) {
    const known = this.store.library.find(settingOf(tune).abc);
    if (!known) this.store.add(tune, step);
    else if (!known.kept) this.store.put(Object.assign(known, { kept: true }));
    return !known;
  }

  async import() {
    const [file] = element("import-file").files;
    if (!file) return;
    const found = fromTunebook(await file.text());
    const step = this.store.step("importing");
    const added = found.filter((tune) => this.take(tune, step));
    element("import-file").value = "";
    this.store.list(false);
    const known = found.length - added.length;
    const words = [`${counted(added.length)} imported.`, known && `${counted(known)} there already.`];
    say(
      found.length ? words.filter(Boolean).join(" ") : "There is no tune in this file: a tune has an X: and a K: line.",
      !found.length,
    );
  }
}
