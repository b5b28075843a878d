// What is printed: a tune, a worksheet, or a book of tunes, two on a page, with its contents.

import { facts, titleOf } from "./abc.js";
import { element } from "./elements.js";
import { Score } from "./score.js";

const LINE_HEAD = 16; // pixels over a line of a score, for the numbers of its bars
const PAGE_HEIGHT = 900; // pixels that tunes may take of a sheet, A4 or Letter, with margins and the page's number

/** Prints tunes, one after the other; a worksheet has lines to write on. */
export function print(tunes, options) {
  lay(tunes, options);
  window.print();
}

/** Prints tunes as a book: its contents, then two tunes on a page where they fit. */
export function printBook(tunes) {
  layBook(tunes);
  window.print();
}

/** Lays tunes out on paper, in its width. */
export function lay(tunes, { isWorksheet = false, ...how } = {}) {
  const paper = clear();
  for (const abc of tunes) {
    const leaf = leafOf(abc, paper, how);
    if (isWorksheet) leaf.append(log());
  }
}

function layBook(tunes) {
  const paper = clear();
  const leaves = tunes.map((abc) => leafOf(abc, paper));
  const sheets = [];
  let room = 0;
  for (const leaf of leaves) {
    const height = leaf.offsetHeight;
    if (height > room || sheets.at(-1).length === 2) {
      sheets.push([]);
      room = PAGE_HEIGHT;
    }
    sheets.at(-1).push(leaf);
    room -= height;
  }
  const pages = sheets.map((sheet, index) => pageOf(sheet, index + 1));
  paper.replaceChildren(contents(tunes, sheets), ...pages);
}

function pageOf(leaves, number) {
  const page = document.createElement("section");
  page.className = "sheet";
  const folio = document.createElement("p");
  folio.className = "folio";
  folio.textContent = number;
  page.append(...leaves, folio);
  return page;
}

function contents(tunes, sheets) {
  const page = document.createElement("section");
  page.className = "sheet contents";
  const heading = document.createElement("h2");
  heading.textContent = tunes.length === 1 ? "One tune" : `${tunes.length} tunes`;
  const list = document.createElement("ol");
  const leaves = sheets.flatMap((sheet, index) => sheet.map(() => index + 1));
  tunes.forEach((abc, index) => {
    const item = document.createElement("li");
    const [title, kind, number] = ["b", "span", "span"].map((name) => document.createElement(name));
    title.textContent = titleOf(abc);
    kind.textContent = facts(abc);
    number.textContent = leaves[index];
    item.append(title, kind, number);
    list.append(item);
  });
  page.append(heading, list);
  return page;
}

function clear() {
  const paper = element("paper");
  paper.replaceChildren();
  document.body.classList.add("printing");
  return paper;
}

/** A tune on paper: its title, its facts, its score. */
function leafOf(abc, paper, { transpose = 0, tablature = "", hidesChords = false } = {}) {
  const leaf = document.createElement("article");
  const heading = document.createElement("h2");
  heading.textContent = titleOf(abc);
  const line = document.createElement("p");
  const score = document.createElement("div");
  score.className = hidesChords ? "score without-chords" : "score";
  leaf.append(heading, line, score);
  paper.append(leaf);
  const drawn = new Score(score, { isNumbered: true, transpose, tablature });
  drawn.draw(abc);
  line.textContent = facts(abc, drawn.keyName());
  partLines(score);
  return leaf;
}

/** Gives each line of a score an image of its own, so that a page may end between two, and not in the middle of one. */
export function partLines(paper) {
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
