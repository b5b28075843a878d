// The bench: makes tunes from the form, and lets one at a time be heard, changed, trusted and kept.

import { get, patiently, Told } from "./api.js";
import { BarSelection } from "./bar_selection.js";
import { Candidates } from "./candidates.js";
import { Editor } from "./editor.js";
import { element, show } from "./elements.js";
import { EXAMPLE } from "./example.js";
import * as form from "./form.js";
import { browserStorage, Library, newTune } from "./library.js";
import { tuneIn } from "./link.js";
import { Maker } from "./maker.js";
import { complain, say } from "./messages.js";
import { MidiKeyboard } from "./midi_keyboard.js";
import { Notation } from "./notation.js";
import { NoteDrag } from "./note_drag.js";
import { Opener } from "./opener.js";
import { lay } from "./paper.js";
import { Player } from "./player.js";
import { PracticeView } from "./practice_view.js";
import { Score } from "./score.js";
import { share } from "./share.js";
import { Store } from "./store.js";
import { Title } from "./title.js";
import { TuneList } from "./tune_list.js";
import { SetPanel } from "./tune_set.js";
import { TuneView } from "./tune_view.js";

const AWAY =
  "Lilt is away. Your tunes, their scores and what was heard before are here; to make, change by itself or hear anew, it must be back.";

const storage = browserStorage();
const library = new Library(storage, () =>
  complain(
    new Told(
      storage
        ? "This browser's storage is full. Export your tunes, then remove some: new ones are lost when the page is closed."
        : "This browser stores nothing for this page. Your tunes are lost when it is closed: export what you want to keep.",
    ),
  ),
);
const store = new Store(library, newTune(EXAMPLE, "an example"));
const score = new Score(element("score"), { isLive: true });
const player = new Player(element("player"), score);
const bars = new BarSelection(score, player, {
  textOf: () => element("abc").value,
  changed: Object.assign((abc) => editor.changeBars(abc), { now: () => editor.apply() }),
  said: say,
});
new NoteDrag(bars);
new MidiKeyboard({ bars, player });
const editor = new Editor(store, { score, bars });
const view = new TuneView(store, { score, player, bars, editor });
const maker = new Maker(store, { view, candidates: new Candidates(store, player), player, bars });
new TuneList(store);
new Title(store);
new Opener(store);
const notation = new Notation(store, { score, storage });
new SetPanel(store);
new PracticeView(store, { score, player, bars });

function showUndo() {
  const last = store.done.at(-1);
  element("undo").disabled = !last;
  element("undo").textContent = last ? `Undo: ${last.text}` : "Undo";
}

function undo() {
  const undone = store.undo();
  if (undone) say(`Undone: ${undone}.`);
}

let linked = null; // the tune that the page's address holds

async function openLink() {
  try {
    const found = await tuneIn(location.hash);
    if (!found) return;
    const tune = library.find(found.abc) ?? newTune(found.abc, "from a link", { recipe: found.recipe });
    store.put(tune);
    linked = tune;
    store.open(tune);
    show("tune");
  } catch (error) {
    complain(error);
  }
}

async function begin() {
  store.list(false);
  store.open(library.last);
  try {
    const answer = await patiently(() => get("models"), say);
    const { models } = await answer.json();
    form.offer(models[0]);
    say(answer.headers.has("Lilt-Kept") ? AWAY : "");
  } catch (error) {
    complain(error);
  }
  await openLink();
}

/** The address holds no other tune than the one on the bench: a reload, or a bookmark, brings that one. */
function leaveLink() {
  if (!linked || linked.id === store.opened.id) return;
  linked = null;
  history.replaceState(null, "", location.pathname);
}

store.on("open", leaveLink);
store.on("undo", showUndo);
element("undo").addEventListener("click", undo);
element("share").addEventListener("click", () => share(store.opened, player.wanted(), notation.shown));
addEventListener("hashchange", openLink);
addEventListener("storage", ({ key, newValue }) => store.follow(key, newValue));
element("print-now").addEventListener("click", () => window.print()); // which is laid out below
addEventListener("beforeprint", () => {
  if (store.opened && !document.body.classList.contains("printing"))
    lay([store.setting.abc], { transpose: score.options.transpose, ...notation.shown });
});
addEventListener("keydown", (event) => {
  const isField = event.target.matches?.("input, textarea, select, button, a, summary");
  const isCommand = event.ctrlKey || event.metaKey;
  let action = null;
  if (event.key === " " && !isField && store.opened) action = () => player.toggle();
  if (event.key === "Enter" && isCommand) action = () => maker.make();
  if (event.key.toLowerCase() === "z" && isCommand && !event.target.matches?.("input, textarea")) action = undo;
  if (!action) return;
  event.preventDefault();
  action();
});
begin();
navigator.serviceWorker?.register("sw.js").catch(() => {}); // without it the page needs the service to open
