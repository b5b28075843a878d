// Changes of the open tune's ABC, in the field beside the score or under it: taken over, checked, judged.

import { isSet, offsetOf } from "./abc.js";
import { post } from "./api.js";
import { button, element } from "./elements.js";
import { followScroll, highlight } from "./highlight.js";

const CHECK_AFTER_MS = 350;

/** A problem in words; the service numbers every bar, a score no pickups of parts. */
function inWords({ line, message, bar }, score) {
  const text = bar ? message.replace(`bar ${bar} `, `bar ${score.bar(bar)?.label ?? bar} `) : message;
  return line ? `Line ${line}: ${text}` : text;
}

/** `bars` is the selection of bars, whose text is changed in place. */
export class Editor {
  constructor(store, { score, bars }) {
    Object.assign(this, { store, score, bars });
    this.field = element("abc");
    this.typing = null; // what waits until nothing was typed for a moment
    this.isInPlace = false; // whether it was typed under the score
    this.checking = 0;
    element("change").addEventListener("click", () => this.toggle());
    this.field.addEventListener("input", () => this.typed());
    this.field.addEventListener("click", () => {
      const note = score.noteAround(this.field.selectionStart);
      if (note) score.light(note.from);
    });
    followScroll(this.field);
  }

  show(abc) {
    if (this.field.value !== abc) this.field.value = abc;
    highlight(this.field, []);
  }

  toggle() {
    const isShown = element("editor").toggleAttribute("hidden") === false;
    element("change").setAttribute("aria-expanded", isShown);
    element("tune").classList.toggle("editing", isShown);
    if (!isShown) return;
    this.check();
    this.field.focus();
  }

  typed() {
    clearTimeout(this.typing);
    this.isInPlace = false;
    this.typing = setTimeout(() => this.apply(), CHECK_AFTER_MS);
  }

  /** Takes the tune's text as it was changed by its selected bars. */
  changeBars(abc) {
    this.field.value = abc;
    this.typed();
    this.isInPlace = true;
  }

  /** Takes over what was typed, if anything was. */
  apply() {
    if (this.typing === null) return;
    clearTimeout(this.typing);
    this.typing = null;
    const abc = this.field.value;
    if (!this.store.opened || abc === this.store.setting.abc) return;
    if (!this.isInPlace) this.bars.choose([]);
    this.store.edit(abc);
    if (this.isInPlace) this.bars.chooseAgain();
    this.check();
    this.judge();
  }

  async check() {
    const turn = ++this.checking;
    const abc = this.field.value;
    if (isSet(abc) || (element("editor").hidden && !this.bars.range)) return;
    try {
      const found = await (await post("check", { abc })).json();
      if (turn === this.checking) this.showProblems(abc, found);
    } catch (error) {
      if (turn === this.checking) this.showProblems(abc, { problems: [{ message: error.message, severity: "error" }] });
    }
  }

  showProblems(abc, { problems, fixed }) {
    const placed = problems.map((problem) => ({
      ...problem,
      from: problem.line ? offsetOf(abc, problem.line, problem.column ?? 1) : null,
    }));
    const ranges = placed
      .filter(({ from }) => from !== null)
      .map(({ from, severity }) => {
        const word = /^[^\s|]+/.exec(abc.slice(from));
        return { from, to: from + (word?.[0].length ?? 1), kind: severity };
      });
    highlight(this.field, ranges);
    const worst =
      placed.find(({ severity }) => severity === "error") ?? placed.find(({ severity }) => severity === "warning");
    element("bars-fault").textContent = worst ? inWords(worst, this.score) : "";
    element("problems").replaceChildren(...placed.map((problem) => this.problemItem(problem)));
    element("mend").hidden = !fixed;
    element("mend").onclick = () => {
      this.field.value = fixed;
      this.typed();
    };
  }

  problemItem(problem) {
    const { from, severity } = problem;
    const item = document.createElement("li");
    item.className = severity;
    const text = inWords(problem, this.score);
    if (from === null) item.textContent = text;
    else
      item.append(
        button(text, () => {
          this.field.focus();
          this.field.setSelectionRange(from, from + 1);
        }),
      );
    return item;
  }

  async judge() {
    const tune = this.store.opened;
    const { setting } = this.store;
    const { abc } = setting;
    if (isSet(abc)) return;
    try {
      const originality = await (await post("originality", { abc })).json();
      if (setting.abc !== abc) return;
      setting.originality = originality;
      this.store.put(tune);
    } catch {
      // no judgement, then
    }
    if (tune === this.store.opened && setting === this.store.setting) this.store.tell("trust");
  }
}
