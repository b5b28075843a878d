// What the page says to its user: one message at a time, which fades where it asks for nothing.

import { Told } from "./api.js";
import { element } from "./elements.js";
import * as form from "./form.js";

const FADES_AFTER_MS = 6000;

let fading = null; // what takes a message away

/** Says a text; `undo` takes back what it tells of. */
export function say(text, isComplaint = false, undo = null) {
  clearTimeout(fading);
  if (text && !isComplaint && !text.endsWith("…")) fading = setTimeout(fade, FADES_AFTER_MS);
  element("message").textContent = text;
  element("dismiss").hidden = !text;
  element("undo-said").hidden = !undo;
  element("undo-said").onclick = undo;
  element("message").classList.toggle("complaint", isComplaint);
}

/** Takes the message away, but not from under a keyboard's focus. */
function fade() {
  if (element("undo-said").matches(":focus-visible")) fading = setTimeout(fade, FADES_AFTER_MS);
  else say("");
}

/** Tells those who listen to the page what others see. */
export function announce(text) {
  element("announcement").textContent = text;
}

export function complain(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof Told)) console.error(error);
  say(error.message, true);
  form.point(error.faults);
}

export const isComplaining = () => element("message").classList.contains("complaint");

for (const id of ["message", "dismiss"]) element(id).addEventListener("click", () => say(""));
