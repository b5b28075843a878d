// The open tune's title, which is typed anew where it stands.

import { isSet, titleOf } from "./abc.js";
import { element } from "./elements.js";

export class Title {
  constructor(store) {
    this.store = store;
    this.field = element("new-title");
    this.button = element("rename");
    this.button.addEventListener("click", () => this.begin());
    this.field.addEventListener("blur", () => this.end(true));
    this.field.addEventListener("keydown", (event) => this.key(event));
    store.on("open", () => this.show());
    store.on("change", () => this.show());
  }

  /** A set's title is made of those of its tunes, which have their own. */
  show() {
    this.button.hidden = !this.field.hidden || isSet(this.store.setting.abc);
  }

  begin() {
    this.id = this.store.opened.id;
    this.field.value = titleOf(this.store.setting.abc);
    this.swap(true);
    this.field.select();
  }

  key(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.end(event.key === "Enter");
    this.button.focus();
  }

  end(isMeant) {
    if (this.field.hidden) return;
    this.swap(false);
    const title = this.field.value.trim();
    const isOther = title && title !== titleOf(this.store.setting.abc);
    if (isMeant && isOther && this.id === this.store.opened.id) this.store.rename(this.store.opened, title);
  }

  swap(isTyped) {
    this.field.hidden = !isTyped;
    element("title").hidden = this.button.hidden = isTyped;
    if (isTyped) this.field.focus();
    else this.show();
  }
}
