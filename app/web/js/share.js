// Sharing a tune: its link and QR code, a picture, copies, files of every format.

import { titleOf } from "./abc.js";
import { post } from "./api.js";
import { settingOf } from "./library.js";
import { fragmentOf } from "./link.js";
import { print } from "./paper.js";
import { pictureOf } from "./picture_card.js";
import { Score } from "./score.js";

const element = (id) => document.getElementById(id);
const QR_MARGIN = 4; // squares around the code that stay white
const MIN_SQUARE = 3; // pixels; with less, a phone's camera cannot part the squares
const MAX_SQUARE = 5;
const FORMATS = {
  abc: "ABC",
  pdf: "PDF",
  svg: "SVG",
  musicxml: "MusicXML",
  midi: "MIDI",
  mp3: "MP3",
  ogg: "Ogg",
  flac: "FLAC",
  wav: "WAV",
};
const EMBED_AROUND = 210; // pixels of an embedded page over and under its score
const EXTENSIONS = { midi: "mid" };

let shared = null;
let heard = {}; // how it is played, as /render is asked for it; files of it and prints follow
let seen = {}; // how its score is shown; prints follow

/** `playing` says how the tune is played, `shown` what stands over and under its notes. */
export async function share(tune, playing = {}, shown = {}) {
  seen = shown;
  shared = settingOf(tune).abc;
  const { abc, click, ...how } = playing; // the count-in is the player's own
  heard = how;
  const moved = heard.transpose;
  const fragment = await fragmentOf({ abc: shared, recipe: tune.recipe });
  const link = fragment && `${new URL(".", location)}${fragment}`;
  element("link").value = link ?? "";
  element("copy-link").disabled = element("copy-embed").disabled = !link;
  element("link-words").textContent = link
    ? `The link holds the whole tune${moved ? ", as written and not as transposed," : ""} and how it was made; nothing is kept on a server.`
    : "This tune is too long for a link. Download its ABC and send that instead.";
  const isLocal = /^(localhost|127\.|\[::1\])/.test(location.hostname);
  if (link && isLocal)
    element("link-words").textContent +=
      ` It begins with ${location.hostname}, so it opens on this computer alone: open Lilt by this computer's name or address in the network to share it.`;
  element("qr").replaceChildren();
  element("sharing-message").textContent = "";
  element("sharing").showModal();
  if (link) await drawCode(link);
}

async function drawCode(link) {
  const { default: qrcode } = await import("../vendor/qrcode.js");
  const code = qrcode(0, "L");
  code.addData(link);
  try {
    code.make();
  } catch {
    // more than any code holds
  }
  const size = code.getModuleCount();
  const whole = size + 2 * QR_MARGIN;
  const square = Math.min(MAX_SQUARE, element("qr").clientWidth / whole);
  if (!size || square < MIN_SQUARE) {
    element("qr").textContent = "This tune is too long for a QR code that a phone can read; send the link.";
    return;
  }
  const cells = [];
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) if (code.isDark(y, x)) cells.push(`M${x} ${y}h1v1h-1z`);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `${-QR_MARGIN} ${-QR_MARGIN} ${whole} ${whole}`);
  svg.setAttribute("width", square * whole);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", cells.join(""));
  svg.append(path);
  element("qr").replaceChildren(svg);
}

async function copy(text, words) {
  const isCopied = await navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  element("sharing-message").textContent =
    isCopied || copyFromField(text)
      ? words
      : "This browser does not let pages copy. Select the link above and press Ctrl C, or download the ABC.";
}

/** Copies as browsers did before the clipboard, which is there on secure pages only. */
function copyFromField(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "offscreen";
  element("sharing").append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return isCopied;
}

/** Saves a file of the user's. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** As high as a frame must be to show all lines of a tune, at the width of a text's column. */
function embedHeight() {
  const paper = document.createElement("div");
  paper.className = "offscreen column";
  document.body.append(paper);
  new Score(paper).draw(shared);
  const height = paper.offsetHeight + EMBED_AROUND;
  paper.remove();
  return height;
}

const fileName = (abc, extension) =>
  `${
    titleOf(abc)
      .replaceAll(/[^\p{L}\p{N} '-]+/gu, " ")
      .trim() || "tune"
  }.${extension}`;

async function download(format) {
  if (format === "abc") {
    save(new Blob([shared], { type: "text/vnd.abc" }), fileName(shared, "abc"));
    return;
  }
  element("sharing-message").textContent = "Making the file…";
  try {
    const response = await post("render", { ...heard, abc: shared, format }, { accept: "*/*" });
    save(await response.blob(), fileName(shared, EXTENSIONS[format] ?? format));
    element("sharing-message").textContent = "";
  } catch (error) {
    element("sharing-message").textContent = error.message;
  }
}

/** Passes the picture to another app where the browser can, else saves it. */
async function savePicture() {
  try {
    const blob = await pictureOf(shared, heard.transpose);
    const file = new File([blob], fileName(shared, "png"), { type: "image/png" });
    if (navigator.canShare?.({ files: [file] })) await hand({ files: [file], title: titleOf(shared) });
    else save(blob, file.name);
  } catch (error) {
    element("sharing-message").textContent = error.message;
  }
}

function passOn() {
  const url = element("link").value;
  return hand(url ? { title: titleOf(shared), url } : { title: titleOf(shared), text: shared });
}

/** Hands something to the system's own sharing; who thinks better of it is not told so. */
async function hand(what) {
  try {
    await navigator.share(what);
  } catch (error) {
    if (error.name !== "AbortError") element("sharing-message").textContent = error.message;
  }
}

for (const [format, name] of Object.entries(FORMATS)) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => download(format));
  element("downloads").append(button);
}
element("copy-link").addEventListener("click", () => copy(element("link").value, "The link is copied."));
element("copy-abc").addEventListener("click", () => copy(shared, "The ABC is copied."));
element("copy-embed").addEventListener("click", () => {
  const address = element("link").value.replace("/#", "/embed#");
  copy(
    `<iframe src="${address}" width="100%" height="${embedHeight()}" style="border:0" title="${titleOf(shared).replaceAll('"', "")}" allow="autoplay"></iframe>`,
    "The code is copied.",
  );
});
element("print-tune").addEventListener("click", () => print([shared], { ...heard, ...seen }));
element("print-worksheet").addEventListener("click", () => print([shared], { ...heard, ...seen, isWorksheet: true }));
element("picture").addEventListener("click", savePicture);
element("pass-on").hidden = !navigator.share;
element("pass-on").addEventListener("click", passOn);
