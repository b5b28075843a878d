// Sharing a tune: its link and QR code, copies, files of every format, and paper.

import { facts, titleOf } from "./abc.js";
import { post } from "./api.js";
import { settingOf } from "./library.js";
import { fragmentOf } from "./link.js";
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
const LINE_HEAD = 16; // pixels over a line of a score, for the numbers of its bars
const EXTENSIONS = { midi: "mid" };

let shared = null;
let heard = {}; // how it is played, as /render is asked for it; files of it and prints follow

/** `playing` says how the tune is played. */
export async function share(tune, playing = {}) {
  shared = settingOf(tune).abc;
  const { abc, click, ...how } = playing; // the count-in is the player's own
  heard = how;
  const moved = heard.transpose;
  const fragment = await fragmentOf({ abc: shared, recipe: tune.recipe });
  const link = fragment && `${location.origin}/${fragment}`;
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
  const { default: qrcode } = await import("/vendor/qrcode.js");
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
    const response = await post("/render", { ...heard, abc: shared, format }, { accept: "*/*" });
    save(await response.blob(), fileName(shared, EXTENSIONS[format] ?? format));
    element("sharing-message").textContent = "";
  } catch (error) {
    element("sharing-message").textContent = error.message;
  }
}

/** Prints tunes, one after the other; a worksheet has lines to write on. */
export function print(tunes, { isWorksheet = false, transpose = 0 } = {}) {
  lay(tunes, { isWorksheet, transpose });
  window.print();
}

/** Lays tunes out on paper, in its width. */
export function lay(tunes, { isWorksheet = false, transpose = 0 } = {}) {
  const paper = element("paper");
  paper.replaceChildren();
  document.body.classList.add("printing");
  for (const abc of tunes) {
    const leaf = document.createElement("article");
    const heading = document.createElement("h2");
    heading.textContent = titleOf(abc);
    const line = document.createElement("p");
    const score = document.createElement("div");
    score.className = "score";
    leaf.append(heading, line, score);
    paper.append(leaf);
    const drawn = new Score(score, { isNumbered: true, transpose });
    drawn.draw(abc);
    line.textContent = facts(abc, drawn.keyName());
    partLines(score);
    if (isWorksheet) leaf.append(log());
  }
}

/** Gives each line of a score an image of its own, so that a page may end between two, and not in the middle of one. */
function partLines(paper) {
  const svg = paper.querySelector("svg");
  const drawn = [...(svg?.children ?? [])].filter((part) => part.getBBox);
  const tops = drawn.filter((part) => part.matches(".abcjs-staff-wrapper")).map((line) => line.getBBox().y - LINE_HEAD);
  if (tops.length < 2) return;
  const edges = [0, ...tops.slice(1), svg.height.baseVal.value];
  const lines = edges.slice(1).map((edge, index) => {
    const line = svg.cloneNode();
    line.setAttribute("viewBox", `0 ${edges[index]} ${svg.width.baseVal.value} ${edge - edges[index]}`);
    line.setAttribute("height", edge - edges[index]);
    return line;
  });
  for (const part of drawn) {
    const { y, height } = part.getBBox();
    const index = edges.findLastIndex((edge) => edge <= y + height / 2);
    lines[Math.min(Math.max(index, 0), lines.length - 1)].append(part);
  }
  paper.replaceChildren(...lines);
}

function log() {
  const table = document.createElement("table");
  const rows = Array.from({ length: 6 }, () => document.createElement("tr"));
  for (const row of rows) for (let i = 0; i < 4; i++) row.append(document.createElement("td"));
  const head = document.createElement("tr");
  for (const words of ["Day", "Tempo", "Bars to work on", "How it went"]) {
    const cell = document.createElement("th");
    cell.textContent = words;
    head.append(cell);
  }
  table.append(head, ...rows);
  return table;
}

addEventListener("afterprint", () => document.body.classList.remove("printing"));
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
element("print-tune").addEventListener("click", () => print([shared], heard));
element("print-worksheet").addEventListener("click", () => print([shared], { ...heard, isWorksheet: true }));
