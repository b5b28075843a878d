// The form: menus from the model, taste, seed, start string; what it says becomes a request to /generate.

import { formName, headerOf, keyName, offsetOf } from "./abc.js";
import { followScroll, highlight } from "./highlight.js";

const element = (id) => document.getElementById(id);
const MENUS = { rhythm: "rhythms", key: "keys", meter: "meters", form: "forms" };
const LETTERS = { rhythm: "R", key: "K", meter: "M" };
const NAMES = { key: keyName, form: formName };
const TASTES = [
  [0.6, "homely"],
  [0.85, "careful"],
  [1.05, "as learnt"],
  [1.25, "bold"],
  [9, "wild"],
];
const LARGEST_FRESH = 1_000_000_000;
const USUAL_FORM = "AABB8"; // two parts of eight bars, each repeated, as most of the tunes are that are played
const USUAL_KEYS = 16;
const USUAL_BEST_OF = 4; // drawn for one that is shown: more are not told from real ones less often (decisions/013)

let vocabulary = null;
let metersOfRhythm = {}; // those that each rhythm can be asked in
let isTyped = false; // whether somebody typed the seed

/** Fills the form with what a model offers. */
export function offer(model) {
  vocabulary = new Set(model.vocabulary);
  metersOfRhythm = model.menus.meters_of_rhythm;
  for (const [id, name] of Object.entries(MENUS)) {
    const select = element(id);
    const options = model.menus[name].map((value) => new Option(NAMES[id]?.(value) ?? value, value));
    select.replaceChildren(new Option("any", ""));
    if (id !== "key") select.append(...options);
    else select.append(...keyGroups(options));
  }
  if (model.menus.forms.includes(USUAL_FORM)) element("form").value = USUAL_FORM;
  for (const option of element("best-of").options) option.disabled = Number(option.value) > model.max_best_of;
  element("best-of").value = Math.min(USUAL_BEST_OF, model.max_best_of) < USUAL_BEST_OF ? 1 : USUAL_BEST_OF;
  element("length").value = model.defaults.length;
  element("temperature").value = model.defaults.temperature;
  tell();
  read();
}

/** The usual keys, then all others by mode. */
function keyGroups(options) {
  const byMode = new Map([["Usual", options.slice(0, USUAL_KEYS)]]);
  for (const option of options.slice(USUAL_KEYS)) {
    const label = `Other ${option.text.split(" ").at(-1)} keys`;
    byMode.set(label, [...(byMode.get(label) ?? []), option]);
  }
  return [...byMode].map(([label, those]) => group(label, those));
}

function group(label, options) {
  const made = document.createElement("optgroup");
  made.label = label;
  made.append(...options);
  return made;
}

/** A metre that the chosen rhythm cannot have cannot be chosen. */
function fit() {
  const allowed = metersOfRhythm[element("rhythm").value];
  for (const option of element("meter").options)
    option.disabled = Boolean(allowed && option.value && !allowed.includes(option.value));
  if (element("meter").selectedOptions[0]?.disabled) element("meter").value = "";
}

function tell() {
  const value = element("temperature").valueAsNumber;
  element("taste").value = `${TASTES.find(([most]) => value <= most)[1]} (${value.toFixed(2)})`;
}

/** A header typed in the start string sets and locks its menu; characters that the model does not know are marked. */
function read() {
  const text = element("start").value;
  const header = headerOf(text);
  const isClosed = /^K:.*\S.*\n/m.test(text);
  for (const [id, letter] of Object.entries(LETTERS)) {
    const select = element(id);
    const value = header[letter];
    if (select.disabled && !value && !isClosed) select.value = "";
    select.disabled = Boolean(value) || isClosed;
    select.title = select.disabled ? "as the start string has it" : "";
    if (value) {
      if (![...select.options].some((option) => option.value === value)) select.append(new Option(value, value));
      select.value = value;
    } else if (isClosed) select.value = "";
  }
  const unknown = [];
  let at = 0;
  for (const character of text) {
    if (vocabulary && !vocabulary.has(character)) unknown.push({ from: at, to: at + character.length, kind: "error" });
    at += character.length;
  }
  highlight(element("start"), unknown);
  const signs = [...new Set(unknown.map(({ from, to }) => text.slice(from, to)))];
  element("start-fault").textContent = signs.length ? `The model does not know ${signs.join(" ")}. Take it out.` : "";
  element("start").setAttribute("aria-invalid", signs.length > 0);
}

/** The request that the form asks for, with a seed. */
export function wanted() {
  const body = {
    start_string: element("start").value || "X:1\n",
    length: element("length").valueAsNumber || 1000,
    temperature: element("temperature").valueAsNumber,
    seed: seed(),
  };
  for (const id of Object.keys(MENUS)) {
    if (element(id).value && !element(id).disabled) body[id] = element(id).value;
  }
  if (element("range").value) [body.low, body.high] = element("range").value.split("-").map(Number);
  if (element("avoid").checked) body.avoid_copies = true;
  if (Number(element("best-of").value) > 1) body.best_of = Number(element("best-of").value);
  return body;
}

export const count = () => Number(document.querySelector('input[name="count"]:checked').value);

export const freshSeed = () => Math.floor(Math.random() * LARGEST_FRESH);

function seed() {
  if (!isTyped && !element("lock").checked) element("seed").value = freshSeed();
  if (!/^\d{1,16}$/.test(element("seed").value)) element("seed").value = freshSeed();
  return Math.min(Number(element("seed").value), Number.MAX_SAFE_INTEGER);
}

/** A tune's beginning as the model can read it: header lines that it has no characters for are left out. */
export function readable(start) {
  const isKnown = (line) => [...line].every((character) => vocabulary.has(character));
  return start
    .split("\n")
    .map((line) => (/^X:/.test(line) && !isKnown(line) ? "X:1" : line))
    .filter((line) => isKnown(line) || !/^([A-JL-Z]:|%)/.test(line))
    .join("\n");
}

/** A recipe as people read it. */
export function inWords({ seed, temperature, rhythm, key, meter, form, best_of, vary, model }) {
  const taste = temperature === undefined ? "" : `adventurous ${temperature.toFixed(2)}`;
  const asked = [
    rhythm,
    key && keyName(key),
    meter,
    form && formName(form),
    taste,
    vary && `${Math.round(100 * vary)} % of the bars anew`,
    best_of && `best of ${best_of} drawn`,
  ];
  const how = asked.filter(Boolean).join(", ");
  return [`Seed ${seed ?? "unknown"}`, how, model && `model ${model}`].filter(Boolean).join(" · ");
}

/** Puts a recipe into the form. */
export function fill(recipe) {
  for (const id of Object.keys(MENUS)) choose(id, recipe[id] ?? "");
  if (recipe.temperature !== undefined) element("temperature").value = recipe.temperature;
  if (recipe.length) element("length").value = recipe.length;
  if (recipe.seed !== undefined) {
    element("seed").value = recipe.seed;
    element("lock").checked = true;
    element("more").open = true;
  }
  if (recipe.start_string) element("start").value = recipe.start_string === "X:1\n" ? "" : recipe.start_string;
  element("best-of").value = recipe.best_of ?? 1;
  element("range").value = recipe.low ? `${recipe.low}-${recipe.high}` : "";
  tell();
  read();
  fit();
}

function choose(id, value) {
  const select = element(id);
  if (value && ![...select.options].some((option) => option.value === value)) select.append(new Option(value, value));
  select.value = value;
}

/** Folds the form away where it is over the tune, or unfolds it. */
export function fold(isFolded) {
  element("make").classList.toggle("folded", isFolded);
  element("unfold").setAttribute("aria-expanded", !isFolded);
}

/** Shows the place that a refusal names. */
export function point(faults) {
  const fault = faults?.find(({ field, position }) => field === "start_string" && position !== undefined);
  if (!fault) return;
  element("more").open = true;
  const at = [...element("start").value].slice(0, fault.position).join("").length;
  element("start").focus();
  element("start").setSelectionRange(at, at + 1);
}

/** Tells what is wrong with the start string, by what the service says of a tune that begins with it; in words, for a message. */
export function warn(problems) {
  const start = element("start").value;
  const typed = start.trim() ? start.trimEnd().split("\n").length : 0; // lines; what is told of later ones is the tune's
  const faults = problems
    .filter(({ line }) => line && line <= typed)
    .map(({ line, column, message }) => ({ from: offsetOf(start, line, column), line, message }));
  if (!faults.length) return "";
  highlight(
    element("start"),
    faults.map(({ from }) => ({
      from,
      to: from + (/^[^\s|]+/.exec(start.slice(from))?.[0].length ?? 1),
      kind: "error",
    })),
  );
  const words = `Line ${faults[0].line}: ${faults[0].message}.`;
  element("start-fault").textContent = words;
  element("start").setAttribute("aria-invalid", true);
  return `It begins with a fault. ${words}`;
}

element("unfold").addEventListener("click", () => fold(!element("make").classList.contains("folded")));
element("rhythm").addEventListener("change", fit);
element("temperature").addEventListener("input", tell);
element("start").addEventListener("input", read);
element("seed").addEventListener("input", () => {
  isTyped = element("seed").value !== "";
  element("lock").checked = isTyped;
});
element("lock").addEventListener("change", () => {
  isTyped = false;
});
for (const radio of document.querySelectorAll('input[name="count"]')) {
  radio.addEventListener("change", () => {
    element("make-button").textContent = count() === 1 ? "Make a tune" : `Make ${count()} tunes`;
  });
}
followScroll(element("start"));
