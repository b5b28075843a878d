// The bench: makes tunes from the form, and lets one at a time be heard, changed, trusted and kept.

import { headerOf, keyName, offsetOf, titleOf, tunesOf, wholeBars } from "./abc.js";
import { generate, get, patiently, post, Told } from "./api.js";
import { ChosenBars } from "./bar_selection.js";
import * as form from "./form.js";
import { keepMarked, mark } from "./highlight.js";
import { asTunebook, fromTunebook, newTune, Shelf, settingOf } from "./library.js";
import { tuneIn } from "./link.js";
import { showNearest, words } from "./originality.js";
import { Player } from "./player.js";
import { Score } from "./score.js";
import { lay, print, save, share } from "./share.js";

const CHECK_AFTER_MS = 350;
const MOST_UNDONE = 100;
const FADES_AFTER_MS = 6000;
const SHOWN = 60;
const MOSTLY_OUT_OF_SIGHT = 0.5;

const element = (id) => document.getElementById(id);
const shelf = new Shelf(localStorage, () =>
  complain(new Told("This browser's store is full. Export your tunes, then remove some.")),
);
const score = new Score(element("score"), { isLive: true });
const player = new Player(element("player"), score);
const bars = new ChosenBars(score, player, {
  textOf: () => element("abc").value,
  changed: Object.assign(changeBars, { now: applyTyping }),
  said: say,
  shown: offerOtherBars,
});

let opened = null; // the tune on the bench
let showsHistory = false;
let making = null; // what stops the tunes that are being made
let checking = 0;
let isOffered = false; // whether the service was asked what it can make anew
let fading = null; // what takes a message away
const done = []; // what can be undone: {words, restore}

// Saying things.

function say(text, isComplaint = false) {
  clearTimeout(fading);
  if (text && !isComplaint && !text.endsWith("…")) fading = setTimeout(() => say(""), FADES_AFTER_MS);
  element("message").textContent = text;
  element("message").classList.toggle("complaint", isComplaint);
}

function complain(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof Told)) console.error(error);
  say(error.message, true);
  form.point(error.faults);
}

// Undoing.

/** Remembers how a tune was, before it is changed, made (null) or removed. */
function remember(text, tune, id = tune.id) {
  const was = tune && structuredClone(tune);
  const shown = opened?.id;
  done.push({
    text,
    restore() {
      if (was) shelf.put(was);
      else shelf.remove(id);
      if (was || id !== opened?.id) open(shelf.get(was ? id : shown) ?? null);
      else open(null);
    },
  });
  if (done.length > MOST_UNDONE) done.shift();
  showUndo();
}

function showUndo() {
  element("undo").disabled = done.length === 0;
  element("undo").textContent = done.length ? `Undo: ${done.at(-1).text}` : "Undo";
}

function undo() {
  const last = done.pop();
  if (!last) return;
  last.restore();
  showUndo();
  showShelf();
  say(`Undone: ${last.text}.`);
}

// Making.

async function make() {
  const body = form.wanted();
  const bodies = Array.from({ length: form.count() }, (_, index) => ({ ...body, seed: body.seed + index }));
  making?.abort();
  making = new AbortController();
  const { signal } = making;
  element("stop").hidden = false;
  element("make-button").disabled = true;
  player.stop();
  say(bodies.length === 1 ? "Making a tune…" : `Making ${bodies.length} tunes…`);
  element("candidates").hidden = bodies.length === 1;
  element("candidates").replaceChildren();
  try {
    if (bodies.length === 1) await makeOne(bodies[0], signal);
    else {
      show("candidates");
      await Promise.all(bodies.map((each) => makeCandidate(each, signal)));
    }
    if (!element("message").classList.contains("complaint")) say("");
  } catch (error) {
    complain(error);
    if (signal.aborted) say("Stopped.");
  } finally {
    element("stop").hidden = true;
    element("make-button").disabled = false;
    showShelf();
  }
}

/** Streams one tune; the same seed makes the same tune where the service went away in the middle. */
async function stream(body, grown, signal) {
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
      (waiting) => say(waiting),
    );
  } catch (error) {
    if (error.name === "AbortError" && wholeBars(text)) return { abc: `${wholeBars(text)}\n`, tunes: [] };
    throw error;
  }
}

function finished(body, answer) {
  const whole = answer.tunes.findLast(({ complete }) => complete) ?? answer.tunes.at(-1);
  const tune = newTune(whole?.abc ?? answer.abc, "as made", {
    recipe: { ...body, model: answer.model?.name },
    originality: whole?.originality ?? null,
    complete: Boolean(whole?.complete),
  });
  remember("making a tune", null, tune.id);
  shelf.put(tune);
  return tune;
}

async function makeOne(body, signal) {
  begin();
  const answer = await stream(body, (text) => drawGrowing(text), signal);
  open(finished(body, answer));
}

/** Clears the bench for a tune that is about to grow on it. */
function begin() {
  element("welcome").hidden = true;
  element("tune").hidden = false;
  element("tune").classList.add("growing");
  show("work");
}

/** Scrolls to what has been asked for, where it is out of sight. */
function show(id) {
  const { top } = element(id).getBoundingClientRect();
  if (top < 0 || top > innerHeight * MOSTLY_OUT_OF_SIGHT) {
    element(id).scrollIntoView({ block: "start" });
  }
}

let growing = "";
function drawGrowing(text) {
  const bars = wholeBars(text);
  element("title").textContent = /^T:.*\n/m.test(text) ? titleOf(text) : "…";
  element("facts").textContent = "being written";
  if (!bars || bars === growing) return;
  growing = bars;
  score.draw(bars);
}

async function makeCandidate(body, signal) {
  const card = document.createElement("li");
  card.innerHTML = `<article><h3></h3><p class="facts"></p><div class="score"></div>
    <p class="trust-words"></p><div class="deeds"></div></article>`;
  element("candidates").append(card);
  const part = (name) => card.querySelector(name);
  const small = new Score(part(".score"), { isNumbered: false, scale: 0.6 });
  let shown = "";
  part("h3").textContent = "…";
  try {
    const answer = await stream(
      body,
      (text) => {
        if (/^T:.*\n/m.test(text)) part("h3").textContent = titleOf(text);
        const bars = wholeBars(text);
        if (bars && bars !== shown) small.draw(bars);
        shown = bars;
      },
      signal,
    );
    const tune = finished(body, answer);
    const { abc, originality } = settingOf(tune);
    small.draw(abc);
    part("h3").textContent = titleOf(abc);
    part(".facts").textContent = facts(abc);
    part(".trust-words").textContent = words(originality);
    part(".trust-words").dataset.judgement = originality?.judgement ?? "";
    const keep = button("Keep", () => setKept(shelf.get(tune.id), !shelf.get(tune.id).kept));
    keep.dataset.keeps = tune.id;
    keep.setAttribute("aria-pressed", "false");
    const play = button("Play", () => {
      open(shelf.get(tune.id));
      player.play();
    });
    play.classList.add("main");
    const name = titleOf(abc);
    const deeds = [
      play,
      button("Open", () => open(shelf.get(tune.id), true)),
      keep,
      button("More like it", () => alike(tune)),
    ];
    for (const deed of deeds) deed.setAttribute("aria-label", `${deed.textContent}: ${name}`);
    card.dataset.tune = tune.id;
    part(".deeds").append(...deeds);
  } catch (error) {
    part(".facts").textContent = error.name === "AbortError" ? "stopped" : error.message;
    if (error.name !== "AbortError") complain(error);
  }
}

function button(name, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = name;
  made.addEventListener("click", action);
  return made;
}

function alike(tune) {
  form.askAlike(settingOf(tune).abc, tune.recipe);
  for (const radio of document.querySelectorAll('input[name="count"]')) radio.dispatchEvent(new Event("change"));
  return make();
}

// The tune on the bench.

function facts(abc) {
  const { R, K, M } = headerOf(abc);
  return [R, keyName(K), M].filter(Boolean).join(" · ");
}

function open(tune, isMovedTo = false) {
  const chosen = tune?.id === opened?.id ? bars.numbers : [];
  bars.choose([]);
  opened = tune;
  const isThere = tune !== null && tune !== undefined;
  element("welcome").hidden = isThere;
  element("tune").hidden = !isThere;
  element("player").hidden = !isThere;
  element("tune").classList.remove("growing");
  for (const card of element("candidates").children) card.classList.toggle("open", card.dataset.tune === tune?.id);
  if (!isThere) {
    player.stop();
    return;
  }
  const { abc, originality } = settingOf(tune);
  growing = "";
  element("title").textContent = titleOf(abc);
  const seed = tune.recipe?.seed === undefined ? "" : ` · seed ${tune.recipe.seed}`;
  const unfinished = tune.complete === false ? " · not finished: it was stopped, or ran out of characters" : "";
  element("facts").textContent = facts(abc) + seed + unfinished;
  if (element("abc").value !== abc) element("abc").value = abc;
  mark(element("abc"), []);
  score.draw(abc);
  player.load(abc);
  bars.choose(chosen);
  showSettings();
  showKept();
  showTrust(originality);
  check();
  if (isMovedTo) {
    element("work").focus({ preventScroll: true });
    element("work").scrollIntoView({ block: "start" });
  }
}

function showKept() {
  for (const keep of [element("keep"), ...document.querySelectorAll("[data-keeps]")]) {
    const tune = keep.dataset.keeps ? shelf.get(keep.dataset.keeps) : opened;
    keep.setAttribute("aria-pressed", Boolean(tune?.kept));
    keep.textContent = tune?.kept ? "Kept" : "Keep";
  }
}

function showSettings() {
  const { settings, now } = opened;
  element("settings").hidden = settings.length < 2;
  element("settings").replaceChildren(
    ...(settings.length < 2 ? [] : settings).map(({ how }, index) => {
      const made = button(`${index + 1} ${how}`, () => {
        remember("changing the setting", opened);
        opened.now = index;
        shelf.put(opened);
        open(opened);
      });
      made.setAttribute("aria-pressed", index === now);
      return made;
    }),
  );
}

/** A change of the opened tune becomes a new setting under the others. */
function addSetting(abc, how, originality = null) {
  remember(how, opened);
  opened.settings.push({ abc, how, originality });
  opened.now = opened.settings.length - 1;
  opened.complete = true;
  shelf.put(opened);
  showShelf();
}

function setKept(tune, isKept) {
  remember(isKept ? "keeping" : "not keeping", tune);
  tune.kept = isKept;
  shelf.put(tune);
  showKept();
  showShelf();
}

// Bars made anew.

/** Offers to make bars anew where the service can. */
function offerOtherBars() {
  if (isOffered) return;
  isOffered = true;
  get("/openapi.json")
    .then((answer) => answer.json())
    .then(({ components }) => {
      element("other-bars").hidden = !components.schemas.GenerateRequest.properties.bars;
    })
    .catch(complain);
}

/** The recipe of a change: the taste of the form, a fresh seed. */
function change() {
  const { temperature, seed } = form.wanted();
  return { temperature, seed };
}

async function remake(how, body, pick) {
  const tune = opened;
  making = new AbortController();
  element("stop").hidden = false;
  say("Making…");
  try {
    const answer = await stream(body, () => {}, making.signal);
    const made = pick(answer);
    addSetting(made.abc, how, made.originality ?? null);
    open(tune);
    say("");
  } catch (error) {
    complain(error);
  } finally {
    element("stop").hidden = true;
  }
}

const lastOf = (answer) => answer.tunes.at(-1) ?? answer;

function otherBars() {
  const { numbers } = bars;
  const how = numbers.length > 1 ? `bars ${numbers[0]}–${numbers.at(-1)} anew` : `bar ${numbers[0]} anew`;
  return remake(how, { abc: settingOf(opened).abc, bars: numbers, ...change() }, lastOf);
}

/** A new end after a beginning, which stays as it is written. */
function endAnew(how, start) {
  const sent = form.readable(start);
  return remake(how, { start_string: sent, length: 1000, ...change() }, (answer) => {
    const made = lastOf(answer);
    return { ...made, abc: start + made.abc.slice(sent.length) };
  });
}

function againFromHere() {
  const start = settingOf(opened).abc.slice(0, bars.range.from);
  return endAnew(`again from bar ${bars.numbers[0]}`, start);
}

/** Another part behind the last: where that one is repeated, the tune would be at its end without the next one's sign. */
function goOn() {
  const abc = settingOf(opened).abc.trimEnd().replace(/\|\]$/, "|");
  return endAnew("continued", abc.endsWith(":|") ? `${abc}\n|:` : `${abc}\n`);
}

// Changing the ABC.

let typing = null; // what waits until nothing was typed for a moment
let isInPlace = false; // whether it was typed under the score

function typed() {
  clearTimeout(typing);
  isInPlace = false;
  typing = setTimeout(applyTyping, CHECK_AFTER_MS);
}

/** Takes the tune's text as it was changed by its chosen bars. */
function changeBars(abc) {
  element("abc").value = abc;
  typed();
  isInPlace = true;
}

function applyTyping() {
  if (typing === null) return;
  clearTimeout(typing);
  typing = null;
  const abc = element("abc").value;
  if (!opened || abc === settingOf(opened).abc) return;
  const isNew = settingOf(opened).how !== "edited";
  if (isNew) addSetting(abc, "edited");
  else {
    remember("typing", opened);
    settingOf(opened).abc = abc;
    settingOf(opened).originality = null;
    shelf.put(opened);
  }
  if (!isInPlace) bars.choose([]);
  element("title").textContent = titleOf(abc);
  score.draw(abc);
  player.load(abc);
  if (isInPlace) bars.chooseAgain();
  showSettings();
  showShelf();
  check();
  judge();
}

async function check() {
  const turn = ++checking;
  const abc = element("abc").value;
  if (element("editor").hidden && !bars.range) return;
  try {
    const found = await (await post("/check", { abc })).json();
    if (turn !== checking) return;
    showProblems(abc, found);
  } catch (error) {
    if (turn === checking) showProblems(abc, { problems: [{ message: error.message, severity: "error" }] });
  }
}

const inWords = ({ line, message }) => (line ? `Line ${line}: ${message}` : message);

function showProblems(abc, { problems, fixed }) {
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
  mark(element("abc"), ranges);
  const worst =
    placed.find(({ severity }) => severity === "error") ?? placed.find(({ severity }) => severity === "warning");
  element("bars-fault").textContent = worst ? inWords(worst) : "";
  element("problems").replaceChildren(
    ...placed.map((problem) => {
      const { from, severity } = problem;
      const item = document.createElement("li");
      item.className = severity;
      const text = inWords(problem);
      if (from === null) item.textContent = text;
      else
        item.append(
          button(text, () => {
            element("abc").focus();
            element("abc").setSelectionRange(from, from + 1);
          }),
        );
      return item;
    }),
  );
  element("mend").hidden = !fixed;
  element("mend").onclick = () => {
    element("abc").value = fixed;
    typed();
  };
}

async function judge() {
  const tune = opened;
  const setting = settingOf(tune);
  const { abc } = setting;
  try {
    const originality = await (await post("/originality", { abc })).json();
    if (setting.abc !== abc) return;
    setting.originality = originality;
    shelf.put(tune);
    if (tune === opened && setting === settingOf(opened)) showTrust(originality);
  } catch {
    showTrust(null);
  }
}

function showTrust(originality) {
  const trust = element("trust");
  trust.hidden = !originality;
  trust.dataset.judgement = originality?.judgement ?? "";
  trust.textContent = words(originality);
  trust.disabled = !originality?.nearest;
  trust.setAttribute("aria-expanded", "false");
  element("nearest").hidden = true;
  element("tune").classList.remove("beside");
  score.shade("shared", []);
}

function toggleNearest() {
  const { originality } = settingOf(opened);
  const isShown = element("nearest").toggleAttribute("hidden") === false;
  element("trust").setAttribute("aria-expanded", isShown);
  element("tune").classList.toggle("beside", isShown);
  if (isShown) {
    showNearest(element("nearest"), originality);
    show("nearest");
  }
  score.shade("shared", isShown ? originality.bars : []);
}

// The shelf.

function showShelf() {
  element("show-kept").setAttribute("aria-pressed", !showsHistory);
  element("show-history").setAttribute("aria-pressed", showsHistory);
  const tunes = shelf.all().filter(({ kept }) => kept || showsHistory);
  const items = tunes.slice(0, SHOWN).map((tune) => {
    const { abc } = settingOf(tune);
    const item = document.createElement("li");
    const name = button(titleOf(abc), () => open(tune, true));
    name.className = "name";
    const small = document.createElement("small");
    small.textContent = facts(abc);
    const remove = button("Remove", () => {
      remember(`removing ${titleOf(abc)}`, tune);
      shelf.remove(tune.id);
      if (opened?.id === tune.id) open(null);
      showShelf();
    });
    remove.className = "quiet";
    remove.setAttribute("aria-label", `Remove ${titleOf(abc)}`);
    item.append(name, small, remove);
    return item;
  });
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

const onShelf = () => shelf.all().filter(({ kept }) => kept || showsHistory);

async function importBook() {
  const [file] = element("import-file").files;
  if (!file) return;
  const found = tunesOf(await file.text()).map(fromTunebook);
  for (const { abc, recipe } of found) {
    const tune = newTune(abc, "imported", { recipe, kept: true });
    remember("importing", null, tune.id);
    shelf.put(tune);
  }
  element("import-file").value = "";
  showsHistory = false;
  showShelf();
  say(
    found.length
      ? `${found.length} ${found.length === 1 ? "tune" : "tunes"} imported.`
      : "There is no tune in this file: a tune has an X: and a K: line.",
    !found.length,
  );
}

// Opening links.

async function openLink() {
  try {
    const found = await tuneIn(location.hash);
    if (!found) return;
    const known = shelf.all().find((tune) => tune.settings.some(({ abc }) => abc === found.abc));
    const tune = known ?? newTune(found.abc, "from a link", { recipe: found.recipe ?? null });
    shelf.put(tune);
    if (found.recipe) form.fill(found.recipe);
    open(tune);
    showShelf();
    show("tune");
  } catch (error) {
    complain(error);
  }
}

async function begun() {
  showShelf();
  try {
    const answer = await patiently(() => get("/models"), say);
    const { models } = await answer.json();
    form.offer(models[0]);
    say("");
  } catch (error) {
    complain(error);
  }
  await openLink();
}

element("make").addEventListener("submit", (event) => {
  event.preventDefault();
  make();
});
element("stop").addEventListener("click", () => making?.abort());
element("message").addEventListener("click", () => say(""));
element("undo").addEventListener("click", undo);
element("keep").addEventListener("click", () => setKept(opened, !opened.kept));
element("alike").addEventListener("click", () => alike(opened));
element("share").addEventListener("click", () => share(opened, score.options.transpose));
element("change").addEventListener("click", () => {
  const isShown = element("editor").toggleAttribute("hidden") === false;
  element("change").setAttribute("aria-expanded", isShown);
  element("tune").classList.toggle("editing", isShown);
  if (isShown) {
    check();
    element("abc").focus();
  }
});
element("abc").addEventListener("input", typed);
element("abc").addEventListener("click", () => {
  const note = score.noteAround(element("abc").selectionStart);
  if (note) score.light(note.from);
});
element("other-bars").addEventListener("click", otherBars);
element("again").addEventListener("click", againFromHere);
element("continue").addEventListener("click", goOn);
element("trust").addEventListener("click", toggleNearest);
element("show-kept").addEventListener("click", () => {
  showsHistory = false;
  showShelf();
});
element("show-history").addEventListener("click", () => {
  showsHistory = true;
  showShelf();
});
element("export").addEventListener("click", () =>
  save(new Blob([asTunebook(onShelf())], { type: "text/vnd.abc" }), "lilt.abc"),
);
element("import").addEventListener("click", () => element("import-file").click());
element("import-file").addEventListener("change", importBook);
element("print-kept").addEventListener("click", () => print(onShelf().map((tune) => settingOf(tune).abc)));
addEventListener("hashchange", openLink);
addEventListener("beforeprint", () => {
  if (opened && !document.body.classList.contains("printing"))
    lay([settingOf(opened).abc], { transpose: score.options.transpose });
});
addEventListener("keydown", (event) => {
  const isField = event.target.matches?.("input, textarea, select, button, a, summary");
  if (event.key === " " && !isField && opened) {
    event.preventDefault();
    player.toggle();
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    make();
  }
  if (
    event.key.toLowerCase() === "z" &&
    (event.ctrlKey || event.metaKey) &&
    !event.target.matches?.("input, textarea")
  ) {
    event.preventDefault();
    undo();
  }
});
keepMarked(element("abc"));
begun();
