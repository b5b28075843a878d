// The chosen bars of a score: clicked, drawn over, typed or walked through by keyboard, looped, their ABC changed in place.

const SLOW = 0.6; // of the speed, where the player's own menu says full speed

const element = (id) => document.getElementById(id);
const field = element("bars-abc");

/** The numbers from one to another. */
const span = (one, other) => {
  const first = Math.min(one, other);
  return Array.from({ length: Math.abs(other - one) + 1 || 0 }, (_, index) => first + index);
};

/** `textOf` gives the tune's text, `changed` takes it when its bars are typed anew, `said` takes words for the ear. */
export class BarSelection {
  constructor(score, player, { textOf, changed, said, shown }) {
    Object.assign(this, { score, player, textOf, changed, said, shown });
    this.numbers = [];
    this.range = null; // where their text is
    this.drawn = null; // from which bar the pointer draws
    for (const id of ["first-bar", "last-bar"]) element(id).addEventListener("change", () => this.type());
    element("unchoose").addEventListener("click", () => this.choose([]));
    element("loop").addEventListener("click", () => this.loop("loop"));
    element("loop-slow").addEventListener("click", () => this.loop("loop-slow"));
    for (const id of ["loop", "loop-slow"])
      element(id).addEventListener("pointerenter", () => this.player.fetchAhead());
    field.addEventListener("input", () => this.write());
    field.addEventListener("blur", () => this.changed.now());
    field.addEventListener("keydown", (event) => this.fieldKey(event));
    score.paper.addEventListener("keydown", (event) => this.scoreKey(event));
    score.paper.addEventListener("pointerdown", (event) => this.startDrawing(event));
    score.paper.addEventListener("pointermove", (event) => this.draw(event));
    score.paper.addEventListener("click", (event) => this.click(event));
  }

  choose(numbers) {
    this.numbers = numbers.filter((number) => this.score.bar(number));
    const [first, last] = [this.numbers[0], this.numbers.at(-1)].map((number) => this.score.bar(number));
    this.range = first && { from: first.from, to: last.to };
    field.value = first ? this.textOf().slice(first.from, last.to) : "";
    element("bars-fault").textContent = "";
    if (this.player.chosen) this.player.setLoop(null);
    if (this.numbers.length > 1) this.player.fetchAhead(); // one bar is chosen to be changed, as a rule
    this.show();
  }

  /** Finds the bars again after their own text was changed; the field stays as it is. */
  chooseAgain() {
    const { from, to } = this.range;
    this.numbers = this.score.bars.filter((bar) => bar.from >= from && bar.from < to).map(({ number }) => number);
    this.show();
    this.player.prepared.then(() => this.player.isPlaying() || this.player.seekTo(this.score.noteFrom(from)?.from));
  }

  show() {
    this.score.shade("chosen-bar", this.numbers);
    element("chosen").hidden = !this.range;
    for (const id of ["loop", "loop-slow"]) element(id).setAttribute("aria-pressed", "false");
    if (!this.range) return;
    this.shown();
    element("first-bar").value = this.score.bar(this.numbers[0]).label;
    element("last-bar").value = this.score.bar(this.numbers.at(-1)).label;
  }

  type() {
    const [first, last] = ["first-bar", "last-bar"].map((id) => this.score.numberOf(element(id).valueAsNumber));
    this.choose(first <= last ? span(first, last) : []);
  }

  loop(id) {
    const isOn = element(id).getAttribute("aria-pressed") !== "true";
    const slow = this.player.controls.rate;
    this.player.setLoop(isOn ? this.numbers : null, id === "loop-slow" && slow === 1 ? SLOW : slow);
    for (const other of ["loop", "loop-slow"]) element(other).setAttribute("aria-pressed", isOn && other === id);
  }

  startDrawing(event) {
    const isPrecise = event.pointerType !== "touch" && event.button === 0 && !event.shiftKey;
    this.drawn = isPrecise ? { from: this.score.noteNear(event.clientX, event.clientY)?.bar.number, to: null } : null;
  }

  draw(event) {
    if (!this.drawn || event.buttons !== 1) return;
    const number = this.score.noteNear(event.clientX, event.clientY)?.bar.number;
    if (number === (this.drawn.to ?? this.drawn.from)) return;
    this.drawn.to = number;
    this.choose(span(this.drawn.from, number));
  }

  click(event) {
    const wasDrawn = this.drawn?.to != null;
    this.drawn = null;
    if (wasDrawn) return;
    const note = this.score.noteNear(event.clientX, event.clientY);
    if (!note) return;
    const { number } = note.bar;
    const extends_ = event.shiftKey && this.numbers.length;
    this.choose(extends_ ? span(number > this.numbers[0] ? this.numbers[0] : this.numbers.at(-1), number) : [number]);
    this.player.seekTo(note.from);
    if (!extends_) this.select(note);
    this.score.reveal(note);
  }

  /** Marks a note's ABC, ready to be typed over; a phone's keyboard stays away until the field itself is touched. */
  select({ from, to }) {
    const text = this.textOf();
    const end = from + text.slice(from, to).trimEnd().length;
    element("abc").setSelectionRange(from, end);
    if (matchMedia("(pointer: coarse)").matches) return;
    if (!element("editor").hidden) {
      element("abc").focus({ preventScroll: true });
      return;
    }
    field.focus({ preventScroll: true });
    field.setSelectionRange(from - this.range.from, end - this.range.from);
  }

  write() {
    const text = this.textOf();
    const { from, to } = this.range;
    this.range.to = from + field.value.length;
    this.changed(text.slice(0, from) + field.value + text.slice(to));
  }

  fieldKey(event) {
    if (event.key === "Escape") {
      this.score.paper.focus({ preventScroll: true });
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      this.changed.now();
      this.player.prepared.then(() => this.playFrom(this.range?.from));
    } else return;
    event.preventDefault();
  }

  scoreKey(event) {
    const { bars } = this.score;
    if (!bars.length) return;
    const least = bars[0].number;
    const last = this.numbers.at(-1) ?? least - 1;
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      const next = Math.min(bars.at(-1).number, Math.max(least, last + (event.key === "ArrowRight" ? 1 : -1)));
      const isMore = event.shiftKey && this.numbers.length && next >= this.numbers[0];
      this.choose(isMore ? span(this.numbers[0], next) : [next]);
      const { numbers } = this;
      const words = this.score.span(numbers).replace("–", " to ");
      this.said(`${numbers.length > 1 ? "Bars" : "Bar"} ${words} chosen.`);
      this.score.reveal(this.score.bar(next).notes[0]);
    } else if (event.key === "Enter" && this.numbers.length && !event.ctrlKey) this.playFrom(this.range.from);
    else if (event.key === "Escape") this.choose([]);
    else return;
    event.preventDefault();
  }

  playFrom(place) {
    this.player.seekTo(this.score.noteFrom(place)?.from);
    this.player.play();
  }
}
