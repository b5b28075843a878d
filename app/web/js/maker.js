// Makes tunes as the form asks, and changes of the open one: streamed, stopped, waited for while the service restarts.

import { facts, fromPlaceWithoutChords, hasChords, titleOf, wholeBars, withoutChords, withTitle } from "./abc.js";
import { generate, patiently, post } from "./api.js";
import { element, show } from "./elements.js";
import * as form from "./form.js";
import { newTune, settingOf } from "./library.js";
import { announce, complain, isComplaining, say } from "./messages.js";

const ALIKE = 4; // tunes at once that are like one
const VARIED = 0.4; // the share of that one's different bars that are others in them

const MAX_GROWTH = 2; // times the characters of a tune's old end, or of one of its parts, that a new one has at the most
const SHORT_END = 300; // characters, which it may always have

const lastOf = (answer) => answer.tunes.at(-1) ?? answer;

/** Streams one tune; the same seed makes the same tune where the service went away in the middle. */
async function stream(body, grown, signal, waits = () => {}) {
  let text = "";
  try {
    return await patiently(
      () =>
        generate(
          body,
          (so) => {
            text = so;
            grown(so);
          },
          signal,
        ),
      (waiting) => {
        say(waiting);
        waits();
      },
    );
  } catch (error) {
    if (error.name === "AbortError" && wholeBars(text)) return { abc: `${wholeBars(text)}\n`, tunes: [] };
    throw error;
  }
}

/** A tune as it is announced. */
function inWords(tune) {
  const { abc } = settingOf(tune);
  return `${titleOf(abc)}, ${facts(abc)},`;
}

/** Titles for so many tunes that are like one, which no other tune has. */
function variedTitles(abc, count, taken) {
  const varied = `${titleOf(abc).replace(/, varied( \d+)?$/, "")}, varied`;
  const titles = [];
  for (let number = 1; titles.length < count; number++) {
    const title = number === 1 ? varied : `${varied} ${number}`;
    if (!taken.has(title)) titles.push(title);
  }
  return titles;
}

/** A tune whose beginning stays as it is, with chords over the rest that suit the whole; without them, where none are found. */
async function withChords(abc, start) {
  const bare = withoutChords(abc);
  try {
    const found = await (await post("chords", { abc: bare })).json();
    if (withoutChords(found.abc) !== bare) return abc;
    return start + fromPlaceWithoutChords(found.abc, withoutChords(start).length);
  } catch (error) {
    complain(error);
    return abc;
  }
}

/** The recipe of a change: the taste of the form, a fresh seed. */
function change() {
  const { temperature, seed } = form.wanted();
  return { temperature, seed };
}

/** `view` shows a tune as it grows, `candidates` several beside each other. */
export class Maker {
  constructor(store, { view, candidates, player, bars }) {
    Object.assign(this, { store, view, candidates, player, bars });
    this.making = null; // what stops the tunes that are being made
    element("make").addEventListener("submit", (event) => {
      event.preventDefault();
      this.make();
    });
    element("stop").addEventListener("click", () => this.making?.abort());
    element("alike").addEventListener("click", () => this.alike(store.opened));
    element("other-bars").addEventListener("click", () => this.otherBars());
    element("again").addEventListener("click", () => this.againFromHere());
    element("continue").addEventListener("click", () => this.goOn());
  }

  /** As many as the form asks for. */
  make() {
    const body = form.wanted();
    const bodies = Array.from({ length: form.count() }, (_, index) => ({ ...body, seed: body.seed + index }));
    return this.makeAll(bodies, bodies.length === 1 ? "a tune" : `${bodies.length} tunes`);
  }

  /** Makes tunes, which are undone together; several are shown beside each other. */
  async makeAll(bodies, what, titles = []) {
    this.making?.abort();
    this.making = new AbortController();
    const { signal } = this.making;
    const step = this.store.step(`making ${what}`);
    element("stop").hidden = false;
    element("make-button").disabled = true;
    this.player.stop();
    say(`Making ${what}…`);
    this.candidates.clear(bodies.length === 1);
    try {
      if (bodies.length === 1) await this.makeOne(bodies[0], step, signal);
      else {
        show("candidates");
        await Promise.all(bodies.map((each, index) => this.makeCandidate(each, step, signal, titles[index])));
      }
      if (!isComplaining()) say("");
      if (bodies.length > 1) announce(`${bodies.length} tunes are made.`);
    } catch (error) {
      complain(error);
      if (signal.aborted) say("Stopped.");
    } finally {
      element("stop").hidden = true;
      element("make-button").disabled = false;
    }
  }

  /** What was on the bench stays there until the new tune begins, and comes back where that has no end. */
  async makeOne(body, step, signal) {
    try {
      const grown = (text) => this.view.grow(text);
      const answer = await stream(body, grown, signal, () => this.store.isExample || this.view.restore());
      const tune = this.finished(body, answer, step);
      this.store.open(tune);
      announce(`${inWords(tune)} is on the bench.`);
    } catch (error) {
      this.view.restore();
      throw error;
    }
  }

  async makeCandidate(body, step, signal, title) {
    const card = this.candidates.card();
    try {
      const answer = await stream(body, (text) => card.grow(text), signal);
      card.finish(this.finished(body, answer, step, title), (tune) => this.alike(tune));
    } catch (error) {
      card.fail(error);
      complain(error);
    }
  }

  finished({ abc, ...body }, answer, step, title) {
    const whole = answer.tunes.findLast(({ complete }) => complete) ?? answer.tunes.at(-1);
    const made = whole?.abc ?? answer.abc;
    const isVaried = abc !== undefined;
    const tune = newTune(isVaried ? withTitle(made, title) : made, isVaried ? "varied" : "as made", {
      recipe: { ...body, model: answer.model?.name },
      originality: whole?.originality ?? null,
      complete: Boolean(whole?.complete),
    });
    if (answer.changed_bars) tune.changed = answer.changed_bars;
    this.store.add(tune, step);
    form.fold(true);
    const fault = isVaried ? "" : form.warn(whole?.problems ?? []);
    if (fault) say(fault, true);
    return tune;
  }

  /** Tunes of the same form and plan, with some of the melody's bars anew, which are lit. */
  alike(tune) {
    const { abc } = settingOf(tune);
    const { temperature, seed } = change();
    const bodies = Array.from({ length: ALIKE }, (_, index) => ({
      abc,
      vary: VARIED,
      temperature,
      seed: seed + index,
    }));
    const taken = new Set(this.store.library.all().map((each) => titleOf(settingOf(each).abc)));
    return this.makeAll(bodies, `${ALIKE} like ${titleOf(abc)}`, variedTitles(abc, ALIKE, taken));
  }

  async remake(how, body, pick) {
    const tune = this.store.opened;
    this.making = new AbortController();
    element("stop").hidden = false;
    say("Making…");
    try {
      const answer = await stream(body, () => {}, this.making.signal);
      const made = await pick(answer);
      this.store.addSetting(made.abc, how, made.originality ?? null);
      this.store.open(tune);
      if (!isComplaining()) say("");
    } catch (error) {
      complain(error);
    } finally {
      element("stop").hidden = true;
    }
  }

  otherBars() {
    const { numbers, score } = this.bars;
    const how = `${numbers.length > 1 ? "bars" : "bar"} ${score.span(numbers)} anew`;
    const isEverywhere = !element("everywhere-place").hidden && element("everywhere").checked;
    const body = { abc: this.store.setting.abc, bars: numbers, ...change() };
    return this.remake(how, isEverywhere ? { ...body, everywhere: true } : body, lastOf);
  }

  /** A new end after a beginning, which stays as it is written; with chords, where the tune has some. */
  endAnew(how, start, { form: wanted, length }) {
    const { abc } = this.store.setting;
    const sent = form.readable(start);
    const { temperature, seed, best_of } = form.wanted();
    const body = { start_string: sent, length: Math.max(SHORT_END, Math.round(length)), temperature, seed };
    if (best_of) body.best_of = best_of;
    if (wanted) body.form = wanted;
    return this.remake(how, body, async (answer) => {
      const made = lastOf(answer);
      const whole = start + made.abc.slice(sent.length);
      return { ...made, abc: hasChords(abc) ? await withChords(whole, start) : whole };
    });
  }

  /** The tune's form stays; where it has none that the service knows, it does not become much longer. */
  againFromHere() {
    const { abc } = this.store.setting;
    const { score, numbers, range } = this.bars;
    const start = abc.slice(0, range.from);
    const how = `new ending from bar ${score.span(numbers.slice(0, 1))}`;
    return this.endAnew(how, start, { form: score.form(), length: MAX_GROWTH * (abc.length - range.from) });
  }

  /** Another part behind the last: where that one is repeated, the tune would be at its end without the next one's sign. */
  goOn() {
    const { score } = this.bars;
    const wanted = score.form(1);
    const abc = this.store.setting.abc.trimEnd().replace(/\|\]$/, wanted ? "||" : "|");
    const start = abc.endsWith(":|") ? `${abc}\n|:` : `${abc}\n`;
    const length = (MAX_GROWTH * abc.length) / Math.max(1, score.parts().length);
    return this.endAnew("continued", start, { form: wanted, length });
  }
}
