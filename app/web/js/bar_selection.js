// The chosen bars of a score: clicked, drawn over, typed or walked through by keyboard, looped, their ABC changed in place.

import { entered } from "./note_entry.js";
import { chordOf, joined, moved, noteIn, split } from "./note_text.js";
import { sound } from "./tone.js";

const OCTAVE = 7; // steps of the scale
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
  constructor(score, player, { textOf, changed, said }) {
    Object.assign(this, { score, player, textOf, changed, said });
    this.numbers = [];
    this.range = null; // where their text is
    this.drawn = null; // from which bar the pointer draws
    this.at = null; // a place in the text, in the note that is changed
    for (const [id, steps] of [
      ["note-up", 1],
      ["note-down", -1],
    ])
      element(id).addEventListener("click", () => this.moveNote(steps));
    element("note-longer").addEventListener("click", () => this.lengthen());
    element("note-shorter").addEventListener("click", () => this.shorten());
    element("chord").addEventListener("change", () => this.setChord());
    new ResizeObserver(() => this.makeRoom()).observe(element("chosen"));
    for (const type of ["keyup", "click"]) field.addEventListener(type, () => this.look());
    for (const id of ["first-bar", "last-bar"]) element(id).addEventListener("change", () => this.type());
    element("more-bars").addEventListener("click", () => this.choose(span(this.numbers[0], this.numbers.at(-1) + 1)));
    element("unchoose").addEventListener("click", () => this.leave());
    element("chosen").addEventListener("keydown", (event) => event.key === "Escape" && this.toScore());
    element("loop").addEventListener("click", () => this.loop("loop"));
    element("loop-slow").addEventListener("click", () => this.loop("loop-slow"));
    element("loop").addEventListener("pointerenter", () => this.player.fetchAhead());
    element("loop-slow").addEventListener("pointerenter", () => this.player.fetchAhead(this.rateOf("loop-slow")));
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
    this.at = first?.notes[0].from ?? null;
    if (this.player.isLoopChosen) this.player.setLoop(null);
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
    this.makeRoom();
    for (const id of ["loop", "loop-slow"]) element(id).setAttribute("aria-pressed", "false");
    if (!this.range) {
      this.score.mark(null);
      return;
    }
    element("first-bar").value = this.score.bar(this.numbers[0]).label;
    element("last-bar").value = this.score.bar(this.numbers.at(-1)).label;
    element("more-bars").disabled = !this.score.bar(this.numbers.at(-1) + 1);
    this.showNote();
  }

  /** The page's end and its messages stay above what can be done with the bars. */
  makeRoom() {
    document.documentElement.style.setProperty("--chosen-height", `${element("chosen").offsetHeight}px`);
  }

  /** The note that is to be changed: the one at the caret, or the last before it in the chosen bars. */
  get note() {
    return this.score.notes.findLast(({ from }) => from <= this.at && from >= this.range?.from);
  }

  /** What can be done with the note that is to be changed, and what chord is over it. */
  showNote() {
    const place = this.note;
    const text = this.textOf();
    this.score.mark(place && noteIn(text, place) ? place.from : null);
    element("chord").value = place ? chordOf(text, place).name : "";
    for (const id of ["note-up", "note-down", "note-longer", "note-shorter"])
      element(id).disabled = !(place && noteIn(text, place));
    const alike = this.alike(text).length;
    element("everywhere-place").hidden = !alike;
    element("everywhere-words").textContent = `in ${alike} ${alike === 1 ? "bar" : "bars"} like it`;
  }

  /** The other bars with the text of the chosen one. */
  alike(text) {
    if (this.numbers.length !== 1) return [];
    const own = text.slice(this.range.from, this.range.to).trim();
    const { number } = this.score.bar(this.numbers[0]);
    return this.score.bars.filter((bar) => bar.number !== number && text.slice(bar.from, bar.to).trim() === own);
  }

  /** The note that the field's caret is in becomes the one that is changed. */
  look() {
    if (!this.range) return;
    this.at = this.range.from + field.selectionStart;
    this.showNote();
  }

  /** Moves the note by steps of the scale, and sounds it. */
  moveNote(steps) {
    const place = this.note;
    const note = place && noteIn(this.textOf(), place);
    const text = note && moved(note, steps);
    if (text) this.replace({ from: note.at, to: note.end, text });
  }

  /** Joins the note with the one behind it, so that the bar stays as long as it is. */
  lengthen() {
    const { notes } = this.score;
    const index = notes.indexOf(this.note);
    const text = this.textOf();
    const [note, next] = [notes[index], notes[index + 1]].map((place) => place && noteIn(text, place));
    const isInBar = notes[index + 1]?.bar === notes[index]?.bar;
    const made = note && isInBar && joined(text, note, next);
    if (made) this.replace(made);
    else this.said("This note cannot take time from the one behind it.");
  }

  /** Parts the note in two, of which the second can be moved. */
  shorten() {
    const place = this.note;
    const note = place && noteIn(this.textOf(), place);
    if (note) this.replace(split(note));
  }

  setChord() {
    const place = this.note;
    if (!place) return;
    const { from, to } = chordOf(this.textOf(), place);
    const name = element("chord").value.replaceAll(/["\n]/g, "").trim();
    this.replace({ from, to, text: name && `"${name}"` });
  }

  /** Puts a pitch, as it sounds, in the place of the note, and goes on to the next one. */
  enter(pitch) {
    const { note, score } = this;
    if (!note) return;
    const { notes } = note.bar;
    const text = this.textOf();
    const made = entered(text, notes, notes.indexOf(note), pitch - score.options.transpose);
    if (made === null) {
      this.said("This is no single note, and cannot be played from a keyboard. Choose another.");
      return;
    }
    const next = score.notes.indexOf(note) + 1;
    const { from, to } = this.range;
    this.replace({ from, to, text: made.slice(from, to + made.length - text.length) }, { isHeard: false });
    const onward = score.notes[next];
    if (!onward) return;
    if (!this.numbers.includes(onward.bar.number)) this.choose([onward.bar.number]);
    this.select(onward);
    score.reveal(onward);
  }

  /** Puts a piece of text in the place of another in the chosen bars. */
  replace({ from, to, text }, { isHeard = true } = {}) {
    if (from < this.range.from || to > this.range.to) return;
    const own = this.textOf().slice(this.range.from, this.range.to);
    const offset = from - this.range.from;
    field.value = own.slice(0, offset) + text + own.slice(to - this.range.from);
    this.write();
    this.at = this.range.from + offset;
    this.changed.now();
    const { note } = this;
    if (!note) return;
    if (document.activeElement === field) this.mark(note);
    if (isHeard) this.soundNote(note);
  }

  soundNote({ from }) {
    const pitch = this.score.pitchAt(from);
    if (pitch && !this.player.isPlaying()) sound(this.player.context, pitch);
  }

  type() {
    const [first, last] = ["first-bar", "last-bar"].map((id) => this.score.numberOf(element(id).valueAsNumber));
    this.choose(first <= last ? span(first, last) : []);
  }

  loop(id) {
    const isOn = element(id).getAttribute("aria-pressed") !== "true";
    this.player.setLoop(isOn ? this.numbers : null, this.rateOf(id));
    for (const other of ["loop", "loop-slow"]) element(other).setAttribute("aria-pressed", isOn && other === id);
  }

  /** The part of the speed at which a button's loop begins. */
  rateOf(id) {
    const { rate } = this.player.controls;
    return id === "loop-slow" && rate === 1 ? SLOW : rate;
  }

  startDrawing(event) {
    const isHandle = event.target.matches?.(".handle"); // by which a note is dragged
    const isPrecise = !isHandle && event.pointerType !== "touch" && event.button === 0 && !event.shiftKey;
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
    if (!extends_) {
      this.select(note);
      this.soundNote(note);
    }
    if (event.target.closest?.(".abcjs-chord")) element("chord").focus({ preventScroll: true });
    this.score.reveal(note);
  }

  /** Marks a note's ABC, ready to be typed over; a phone's keyboard stays away until the field itself is touched. */
  select(place) {
    const text = this.textOf();
    this.at = place.from;
    this.showNote();
    const { at: from, end } = this.spanOf(place, text);
    element("abc").setSelectionRange(from, end);
    if (matchMedia("(pointer: coarse)").matches) return;
    if (!element("editor").hidden) {
      element("abc").focus({ preventScroll: true });
      return;
    }
    field.focus({ preventScroll: true });
    this.mark(place);
  }

  /** Marks a note in the field. */
  mark(place) {
    const { at, end } = this.spanOf(place, this.textOf());
    field.setSelectionRange(at - this.range.from, end - this.range.from);
  }

  /** Where a note's letters are, without the chord over it. */
  spanOf({ from, to }, text) {
    return noteIn(text, { from, to }) ?? { at: from, end: from + text.slice(from, to).trimEnd().length };
  }

  write() {
    const text = this.textOf();
    const spans = [...(element("everywhere").checked ? this.alike(text) : []), this.range];
    const made = [];
    let [at, length] = [0, 0];
    for (const span of spans.sort((a, b) => a.from - b.from)) {
      const between = text.slice(at, span.from);
      made.push(between, field.value);
      length += between.length;
      at = span.to;
      if (span === this.range) this.range = { from: length, to: length + field.value.length };
      length += field.value.length;
    }
    this.at = this.range.from + field.selectionStart;
    this.changed(made.join("") + text.slice(at));
  }

  fieldKey(event) {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      this.changed.now();
      this.player.prepared.then(() => this.playFrom(this.range?.from));
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      this.look();
      this.moveNote((event.key === "ArrowUp" ? 1 : -1) * (event.shiftKey ? OCTAVE : 1));
    } else return;
    event.preventDefault();
  }

  /** Chooses no bars any more; who came by keyboard is back at the score. */
  leave() {
    this.choose([]);
    this.toScore();
  }

  toScore() {
    this.score.paper.focus({ preventScroll: true });
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
