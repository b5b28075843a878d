// The list of this browser's tunes: opened, removed, exported, imported and printed.

import { facts, titleOf, tunesOf } from "./abc.js";
import { button, element } from "./elements.js";
import { asTunebook, fromTunebook, newTune, settingOf } from "./library.js";
import { say } from "./messages.js";
import { print, save } from "./share.js";

const SHOWN = 60;

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

  async import() {
    const [file] = element("import-file").files;
    if (!file) return;
    const found = tunesOf(await file.text()).map(fromTunebook);
    const step = this.store.step("importing");
    for (const { abc, recipe } of found) {
      this.store.add(newTune(abc, "imported", { recipe, kept: true }), step);
    }
    element("import-file").value = "";
    this.store.list(false);
    say(
      found.length
        ? `${found.length} ${found.length === 1 ? "tune" : "tunes"} imported.`
        : "There is no tune in this file: a tune has an X: and a K: line.",
      !found.length,
    );
  }
}
