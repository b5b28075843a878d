// How original a tune is, in words, and the nearest known tune beside it with the shared bars lit.

import { Score } from "./score.js";

const BOOKS = { irish: "the lab's Irish tunes", oneills: "O'Neill's", ryans: "Ryan's Mammoth Collection" };

/** A title without what is written one way or another: `The Cooley's Reel` is `cooleys`. */
const plain = (title) =>
  title
    .toLowerCase()
    .replace(/,? ?\b(the|an?|reel|jig|hornpipe|polka|waltz|march|slide|air|strathspey|barndance)\b/g, "")
    .replaceAll(/[^\p{L}\p{N}]/gu, "");

/** A few words on a judgement of a tune with a title; "" where there is nothing to be said. */
export function words(originality, title) {
  if (!originality) return "";
  const { judgement, shared_bars: shared, nearest } = originality;
  const bars = `${shared} ${shared === 1 ? "bar" : "bars"}`;
  const whose = nearest ? ` with ${nearest.title || "an untitled tune"}` : "";
  const isKnown = nearest?.title && plain(nearest.title) && plain(nearest.title) === plain(title);
  if (isKnown && shared) return `${nearest.title} is a known tune: ${bars} shared with it`;
  if (judgement === "copies") return `Copies a known tune: ${bars} shared${whose}`;
  if (judgement === "echoes") return `Echoes a known tune: ${bars} shared${whose}`;
  return "";
}

/** Shows the nearest tune in a section; `shown` is the score of the tune that is judged. */
export function showNearest(section, { nearest, bars }, shown) {
  const heading = document.createElement("h3");
  heading.textContent = nearest.title || "Untitled";
  const book = document.createElement("p");
  book.className = "hint";
  const paper = document.createElement("div");
  paper.className = "score";
  section.replaceChildren(heading, book, paper);
  const score = new Score(paper);
  score.draw(nearest.abc);
  const [there, here] = [score.span(nearest.bars), shown.span(bars)];
  const shared =
    bars.length === 1 ? `Bar ${there} there is bar ${here} here.` : `Bars ${there} there are bars ${here} here.`;
  book.textContent = `From ${BOOKS[nearest.corpus] ?? nearest.corpus}. ${bars.length ? shared : ""}`;
  score.shade("shared", nearest.bars);
}
