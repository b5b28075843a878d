// Makes tunes as the form asks, and changes of the open one: streamed, stopped, waited for while the service restarts.

import { wholeBars } from "./abc.js";
import { generate, patiently } from "./api.js";
import { element, show } from "./elements.js";
import * as form from "./form.js";
import { newTune, settingOf } from "./library.js";
import { complain, isComplaining, say } from "./messages.js";

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

  async make() {
    const body = form.wanted();
    const bodies = Array.from({ length: form.count() }, (_, index) => ({ ...body, seed: body.seed + index }));
    this.making?.abort();
    this.making = new AbortController();
    const { signal } = this.making;
    const step = this.store.step(bodies.length === 1 ? "making a tune" : `making ${bodies.length} tunes`);
    element("stop").hidden = false;
    element("make-button").disabled = true;
    this.player.stop();
    say(bodies.length === 1 ? "Making a tune…" : `Making ${bodies.length} tunes…`);
    this.candidates.clear(bodies.length === 1);
    try {
      if (bodies.length === 1) await this.makeOne(bodies[0], step, signal);
      else {
        show("candidates");
        await Promise.all(bodies.map((each) => this.makeCandidate(each, step, signal)));
      }
      if (!isComplaining()) say("");
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
      this.store.open(this.finished(body, answer, step));
    } catch (error) {
      this.view.restore();
      throw error;
    }
  }

  async makeCandidate(body, step, signal) {
    const card = this.candidates.card();
    try {
      const answer = await stream(body, (text) => card.grow(text), signal);
      card.finish(this.finished(body, answer, step), (tune) => this.alike(tune));
    } catch (error) {
      card.fail(error);
      complain(error);
    }
  }

  finished(body, answer, step) {
    const whole = answer.tunes.findLast(({ complete }) => complete) ?? answer.tunes.at(-1);
    const tune = newTune(whole?.abc ?? answer.abc, "as made", {
      recipe: { ...body, model: answer.model?.name },
      originality: whole?.originality ?? null,
      complete: Boolean(whole?.complete),
    });
    this.store.add(tune, step);
    return tune;
  }

  alike(tune) {
    form.askAlike(settingOf(tune).abc, tune.recipe);
    for (const radio of document.querySelectorAll('input[name="count"]')) radio.dispatchEvent(new Event("change"));
    return this.make();
  }

  async remake(how, body, pick) {
    const tune = this.store.opened;
    this.making = new AbortController();
    element("stop").hidden = false;
    say("Making…");
    try {
      const answer = await stream(body, () => {}, this.making.signal);
      const made = pick(answer);
      this.store.addSetting(made.abc, how, made.originality ?? null);
      this.store.open(tune);
      say("");
    } catch (error) {
      complain(error);
    } finally {
      element("stop").hidden = true;
    }
  }

  otherBars() {
    const { numbers, score } = this.bars;
    const how = `${numbers.length > 1 ? "bars" : "bar"} ${score.span(numbers)} anew`;
    return this.remake(how, { abc: this.store.setting.abc, bars: numbers, ...change() }, lastOf);
  }

  /** A new end after a beginning, which stays as it is written. */
  endAnew(how, start) {
    const sent = form.readable(start);
    return this.remake(how, { start_string: sent, length: 1000, ...change() }, (answer) => {
      const made = lastOf(answer);
      return { ...made, abc: start + made.abc.slice(sent.length) };
    });
  }

  againFromHere() {
    const start = this.store.setting.abc.slice(0, this.bars.range.from);
    return this.endAnew(`new ending from bar ${this.bars.score.span(this.bars.numbers.slice(0, 1))}`, start);
  }

  /** Another part behind the last: where that one is repeated, the tune would be at its end without the next one's sign. */
  goOn() {
    const abc = this.store.setting.abc.trimEnd().replace(/\|\]$/, "|");
    return this.endAnew("continued", abc.endsWith(":|") ? `${abc}\n|:` : `${abc}\n`);
  }
}
