// One tune, its score and a player, for other people's pages.

import { titleOf } from "./abc.js";
import { tuneIn } from "./link.js";
import { Player } from "./player.js";
import { Score } from "./score.js";

const element = (id) => document.getElementById(id);
const score = new Score(element("score"), { isLive: true });
const player = new Player(element("player"), score);
element("score").addEventListener("click", (event) => {
  player.seekTo(score.noteNear(event.clientX, event.clientY)?.from);
});

async function open() {
  try {
    const found = await tuneIn(location.hash);
    if (!found) throw new Error("There is no tune in this link.");
    element("title").textContent = document.title = titleOf(found.abc);
    element("bench").href = `./${location.hash}`;
    score.draw(found.abc);
    player.load(found.abc);
  } catch (error) {
    element("message").textContent = error.message;
  }
}

addEventListener("hashchange", open);
open();
