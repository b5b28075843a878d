// A picture of a tune to show around: its title and its first line, as a PNG.

import { facts, titleOf } from "./abc.js";
import { partLines } from "./paper.js";
import { Score } from "./score.js";

const [WIDTH, HEIGHT] = [1200, 630];
const MARGIN = 70;
const MAX_STAFF = 250; // pixels of height that the first line may take
const [INK, PAPER, ACCENT, QUIET] = ["#2a251d", "#fffdf8", "#1c5a47", "#665d4e"];

/** The card, {WIDTH} by {HEIGHT} pixels, on paper in daylight whatever the page's colours. */
export async function pictureOf(abc, transpose = 0) {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d");
  context.fillStyle = PAPER;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  context.fillStyle = ACCENT;
  context.fillRect(0, 0, WIDTH, 14);
  const { svg, key } = firstLine(abc, transpose);
  write(context, titleOf(abc), { y: 140, size: 72, weight: 700, family: "Alegreya", colour: INK });
  write(context, facts(abc, key), { y: 205, size: 36, weight: 400, family: "Alegreya Sans", colour: QUIET });
  write(context, "Made with Lilt", { y: HEIGHT - 50, size: 32, weight: 700, family: "Alegreya", colour: ACCENT });
  if (svg) {
    const staff = await drawn(svg);
    const room = WIDTH - 2 * MARGIN;
    const scale = Math.min(room / staff.width, MAX_STAFF / staff.height);
    context.drawImage(staff, MARGIN, 270, staff.width * scale, staff.height * scale);
  }
  return canvas.convertToBlob({ type: "image/png" });
}

/** Writes a line, as much smaller as it must be to fit. */
function write(context, text, { y, size, weight, family, colour }) {
  context.fillStyle = colour;
  const font = (pixels) => `${weight} ${pixels}px "${family}", Georgia, serif`;
  context.font = font(size);
  const room = WIDTH - 2 * MARGIN;
  const width = context.measureText(text).width;
  if (width > room) context.font = font((size * room) / width);
  context.fillText(text, MARGIN, y);
}

function firstLine(abc, transpose) {
  const paper = document.createElement("div");
  paper.className = "offscreen column";
  document.body.append(paper);
  const score = new Score(paper, { isNumbered: false, transpose });
  score.draw(abc);
  partLines(paper);
  const svg = paper.querySelector("svg");
  paper.remove();
  for (const style of svg?.querySelectorAll("style") ?? []) style.remove();
  svg?.setAttribute("color", INK);
  svg?.setAttribute("fill", INK);
  return { svg, key: score.keyName() };
}

function drawn(svg) {
  const image = new Image();
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(svg))}`;
  return image.decode().then(() => image);
}
