// The list of this browser's tunes: found, sorted, opened, starred, renamed, tagged, joined, exported and printed.

import { facts, titleOf, tunesOf } from "./abc.js";
import { button, element } from "./elements.js";
import { asTunebook, newTune, settingOf } from "./library.js";
import { say } from "./messages.js";
import { printBook } from "./paper.js";
import { save } from "./share.js";
import { joinTunes, MAX_SET } from "./tune_set.js";

const SHOWN = 60;
const ORDERS = {
  newest: (a, b) => b.at - a.at,
  title: (a, b) => titleOf(settingOf(a).abc).localeCompare(titleOf(settingOf(b).abc)),
  kind: (a, b) => facts(settingOf(a).abc).localeCompare(facts(settingOf(b).abc)) || ORDERS.title(a, b),
  starred: (a, b) => Number(Boolean(b.star)) - Number(Boolean(a.star)) || b.at - a.at,
};

const plain = (text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();

/** Whether a tune has every word of a search in its title, rhythm, key, metre or tags. */
function matches(tune, search) {
  const { abc } = settingOf(tune);
  const text = plain([titleOf(abc), facts(abc), ...(tune.tags ?? []).map((tag) => `#${tag}`)].join(" "));
  return plain(search)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export class TuneList {
  constructor(store) {
    this.store = store;
    this.chosen = null; // the ids of the tunes of a set that is being joined, in their order
    this.unfolded = null; // the id of the tune whose title and tags can be changed
    store.on("library", () => this.show());
    store.on("undo", () => element("undo-said").hidden || say("")); // by then it would take back something else
    element("show-kept").addEventListener("click", () => store.list(false));
    element("show-history").addEventListener("click", () => store.list(true));
    for (const id of ["search", "sort"]) element(id).addEventListener("input", () => this.show());
    element("export").addEventListener("click", () => this.export());
    element("export-all").addEventListener("click", () => this.export(true));
    element("print-kept").addEventListener("click", () => printBook(this.found().map((tune) => settingOf(tune).abc)));
    element("join").addEventListener("click", () => this.join());
  }

  /** The tunes that are listed, as they are searched for and sorted. */
  found() {
    const search = element("search").value.trim();
    return this.store
      .listed()
      .filter((tune) => matches(tune, search))
      .sort(ORDERS[element("sort").value]);
  }

  export(hasAllSettings = false) {
    const book = asTunebook(this.found(), hasAllSettings);
    save(new Blob([book], { type: "text/vnd.abc" }), hasAllSettings ? "lilt-all-settings.abc" : "lilt.abc");
  }

  show() {
    const { showsHistory } = this.store;
    element("show-kept").setAttribute("aria-pressed", !showsHistory);
    element("show-history").setAttribute("aria-pressed", showsHistory);
    const all = this.store.listed();
    const tunes = this.found();
    const items = tunes.slice(0, SHOWN).map((tune) => this.item(tune));
    if (!items.length) items.push(hint(all.length ? "No tune of yours is like that." : emptyWords(showsHistory)));
    if (tunes.length > SHOWN) items.push(hint(`${tunes.length - SHOWN} more: search for them.`));
    const focused = this.focused();
    element("shelf").replaceChildren(...items);
    focused?.();
    element("export").disabled = element("print-kept").disabled = tunes.length === 0;
    element("export-all").hidden = tunes.every(({ settings }) => settings.length < 2);
    element("finding").hidden = all.length < 2;
    this.showJoin();
  }

  /** What gives the focus back to the same control of the same tune, once the list is drawn anew; null where it is elsewhere. */
  focused() {
    const item = document.activeElement.closest("#shelf li");
    const index = controlsOf(item).indexOf(document.activeElement);
    if (index < 0) return null;
    return () => {
      const same = [...element("shelf").children].find(({ dataset }) => dataset.tune === item.dataset.tune);
      controlsOf(same)[index]?.focus({ preventScroll: true });
    };
  }

  showJoin() {
    const count = this.chosen?.length ?? 0;
    element("join").disabled = count === 1 || count > MAX_SET || this.store.listed().length < 2;
    element("join").setAttribute("aria-pressed", this.chosen !== null);
    element("join").textContent =
      count > 1 ? `Join these ${count}` : this.chosen ? "Tick 2 to 5, in their order" : "Make a set";
    if (this.chosen && !count) element("join").disabled = false;
  }

  item(tune) {
    const { abc } = settingOf(tune);
    const title = titleOf(abc);
    const item = document.createElement("li");
    item.dataset.tune = tune.id;
    const name = button(title, () => this.store.open(tune, true));
    name.className = "name";
    const small = document.createElement("small");
    small.textContent = [facts(abc), ...(tune.tags ?? []).map((tag) => `#${tag}`)].join(" · ");
    const more = button("⋯", () => this.unfold(tune));
    more.className = "quiet";
    more.setAttribute("aria-label", `More of ${title}`);
    more.setAttribute("aria-expanded", this.unfolded === tune.id);
    item.append(this.chosen ? this.tick(tune, title) : this.star(tune, title), name, small, more);
    if (this.unfolded === tune.id) item.append(this.details(tune, title));
    return item;
  }

  star(tune, title) {
    const made = button(tune.star ? "★" : "☆", () => this.store.change(tune, { star: !tune.star }, "a star"));
    made.className = "quiet star";
    made.setAttribute("aria-label", `Star: ${title}`);
    made.setAttribute("aria-pressed", Boolean(tune.star));
    return made;
  }

  tick(tune, title) {
    const made = document.createElement("input");
    made.type = "checkbox";
    made.checked = this.chosen.includes(tune.id);
    made.disabled = tunesOf(settingOf(tune).abc).length > 1;
    made.setAttribute("aria-label", `In the set: ${title}`);
    made.addEventListener("change", () => {
      this.chosen = this.chosen.filter((id) => id !== tune.id);
      if (made.checked) this.chosen.push(tune.id);
      this.showJoin();
    });
    return made;
  }

  unfold(tune) {
    this.unfolded = this.unfolded === tune.id ? null : tune.id;
    this.show();
    if (this.unfolded) element("shelf").querySelector(".details input")?.focus();
  }

  /** Fields for a tune's title and tags, and a way to remove it. */
  details(tune, title) {
    const made = document.createElement("div");
    made.className = "details";
    const field = (label, value, changed) => {
      const words = document.createElement("label");
      const input = document.createElement("input");
      input.type = "text";
      input.value = value;
      input.addEventListener("change", () => changed(input.value.trim()));
      words.append(label, input);
      return words;
    };
    const tags = (tune.tags ?? []).join(", ");
    const remove = button("Remove", () => this.remove(tune, title));
    remove.setAttribute("aria-label", `Remove ${title}`);
    made.append(
      field("Title", title, (text) => text && this.store.rename(tune, text)),
      field("Tags", tags, (text) => this.store.change(tune, { tags: tagsOf(text) }, "tags")),
      remove,
    );
    return made;
  }

  remove(tune, title) {
    this.store.remove(tune, `removing ${title}`);
    say(`${title} is removed.`, false, () => {
      this.store.undo();
      element("shelf").querySelector("button")?.focus();
    });
    element("undo-said").focus();
  }

  /** First lets tunes be ticked, then joins those that are. */
  join() {
    if (this.chosen?.length > 1) {
      const tunes = this.chosen.map((id) => settingOf(this.store.library.get(id)).abc);
      const set = newTune(joinTunes(tunes), "joined", { kept: true });
      this.store.add(set, this.store.step("joining a set"));
      this.chosen = null;
      this.store.open(set, true);
    } else this.chosen = this.chosen ? null : [];
    this.show();
  }
}

const controlsOf = (item) => [...(item?.querySelectorAll("button, input") ?? [])];

function tagsOf(text) {
  const tags = text.split(/[,#]/).map((tag) => tag.trim());
  return [...new Set(tags.filter(Boolean))];
}

function hint(text) {
  const item = document.createElement("li");
  item.className = "hint";
  item.textContent = text;
  return item;
}

const emptyWords = (showsHistory) =>
  showsHistory ? "Nothing made here yet." : "Press Keep on a tune that you like, and find it here again.";
