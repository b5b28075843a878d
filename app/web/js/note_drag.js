// The chosen note dragged up and down: drawn and heard at each step of the scale, changed once where it is let go.

import { moved, noteIn } from "./note_text.js";

/** `bars` is the selection whose note is marked on the score. */
export class NoteDrag {
  constructor(bars) {
    this.bars = bars;
    this.dragged = null; // {pointer, y, place, abc, note, steps, text} from press to release
    this.wasDragged = false; // so that the click that follows chooses nothing
    const { paper } = bars.score;
    paper.addEventListener("pointerdown", (event) => this.begin(event));
    paper.addEventListener("pointermove", (event) => this.move(event));
    paper.addEventListener("pointerup", (event) => this.release(event));
    paper.addEventListener("pointercancel", () => this.end(false));
    paper.addEventListener("click", (event) => this.wasDragged && event.stopImmediatePropagation(), { capture: true });
    addEventListener("keydown", (event) => this.key(event), { capture: true });
  }

  begin(event) {
    this.wasDragged = false;
    const place = event.target.matches?.(".handle") && event.button === 0 && this.bars.note;
    const abc = this.bars.textOf();
    const note = place && noteIn(abc, place);
    if (!note) return;
    this.dragged = { pointer: event.pointerId, y: event.clientY, place, abc, note, steps: 0, text: null };
    this.bars.score.paper.setPointerCapture(event.pointerId); // what is pressed is drawn anew at each step
  }

  move(event) {
    const { dragged } = this;
    if (event.pointerId !== dragged?.pointer) return;
    const { score } = this.bars;
    const steps = Math.round((dragged.y - event.clientY) / score.stepHeight) || 0;
    const text = moved(dragged.note, steps);
    if (steps === dragged.steps || !text) return;
    Object.assign(dragged, { steps, text: steps ? text : null });
    this.wasDragged = true;
    this.preview();
  }

  /** Draws the tune as it would be, and sounds the note. */
  preview() {
    const { abc, note, place, text } = this.dragged;
    const { score } = this.bars;
    score.draw(text === null ? abc : abc.slice(0, note.at) + text + abc.slice(note.end));
    this.bars.soundNote(place);
  }

  /** Escape puts the note back where it was. */
  key(event) {
    if (event.key !== "Escape" || !this.dragged) return;
    event.stopPropagation();
    this.end(false);
  }

  /** A finger that pressed the note without dragging it chose what is under it; no click follows it there. */
  release(event) {
    const isTap = this.dragged && !this.wasDragged && event.pointerType === "touch";
    this.end(true);
    if (isTap) this.bars.click(event);
  }

  end(isMeant) {
    const { dragged } = this;
    this.dragged = null;
    if (!dragged || !this.wasDragged) return;
    const { abc, note, text } = dragged;
    if (isMeant && text !== null) {
      this.bars.replace({ from: note.at, to: note.end, text }, { isHeard: false });
      this.bars.select(this.bars.note);
    } else this.bars.score.draw(abc);
  }
}
