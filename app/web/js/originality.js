// How original a tune is, in words, and the nearest known tune beside it with the shared bars lit.

import { Score } from "./score.js";

const BOOKS = { irish: "the lab's Irish tunes", oneills: "O'Neill's", ryans: "Ryan's Mammoth Collection" };

/** A few words on a judgement; "" where there is none. */
export function words(originality) {
  if (!originality) return "";
  const { judgement, shared_bars: shared, nearest } = originality;
  const bars = `${shared} ${shared === 1 ? "bar" : "bars"}`;
  const whose = nearest ? ` with ${nearest.title || "an untitled tune"}` : "";
  if (judgement === "copies") return `Copies a known tune: ${bars} shared${whose}`;
  if (judgement === "echoes") return `Echoes a known tune: ${bars} shared${whose}`;
  return shared ? `Original: at most ${bars} shared${whose}` : "Original: no bar shared with a tune it has read";
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
