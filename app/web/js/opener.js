// Tunes that come from outside: dropped on the page, pasted, chosen as a file, or typed into a field.

import { titleOf } from "./abc.js";
import { post, Told } from "./api.js";
import { element } from "./elements.js";
import { fromTunebook, settingOf } from "./library.js";
import { complain, say } from "./messages.js";

const MAX_NAMED = 3;
const TAKEN =
  "Lilt opens ABC: files that end in .abc or .txt, or text from anywhere. Save it as ABC first, as MuseScore's and EasyABC's users do with xml2abc and midi2abc.";
const OTHERS = [
  [/^MThd/, "This is a MIDI file."],
  [/^PK/, "This is a packed file, perhaps compressed MusicXML."],
  [/^\s*<(\?xml|!DOCTYPE|score-)/, "This is XML, perhaps MusicXML."],
  [/^%PDF/, "This is a PDF."],
];

const counted = (number) => `${number} ${number === 1 ? "tune" : "tunes"}`;

export class Opener {
  constructor(store) {
    this.store = store;
    const dialog = element("opening");
    element("open").addEventListener("click", () => dialog.showModal());
    element("open-pasted").addEventListener("click", () => {
      dialog.close();
      this.open(element("pasted").value, "pasted");
      element("pasted").value = "";
    });
    for (const id of ["open-file", "import"])
      element(id).addEventListener("click", () => {
        this.how = id === "import" ? "imported" : "opened";
        element("import-file").click();
      });
    element("import-file").addEventListener("change", () => this.openFiles(element("import-file").files));
    document.addEventListener("paste", (event) => this.paste(event));
    addEventListener("dragover", (event) => this.dragOver(event));
    addEventListener("dragleave", (event) => event.relatedTarget || document.body.classList.remove("dropping"));
    addEventListener("drop", (event) => this.drop(event));
  }

  paste(event) {
    if (event.target.matches?.("input, textarea")) return;
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/^[A-Z]:/m.test(text)) return;
    event.preventDefault();
    this.open(text, "pasted");
  }

  dragOver(event) {
    const types = event.dataTransfer?.types ?? [];
    const isField = event.target.matches?.("input, textarea");
    if (!types.includes("Files") && (isField || !types.includes("text/plain"))) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  }

  drop(event) {
    document.body.classList.remove("dropping");
    const { files } = event.dataTransfer;
    const isField = event.target.matches?.("input, textarea");
    if (!files.length && isField) return;
    event.preventDefault();
    this.how = "opened";
    if (files.length) this.openFiles(files);
    else this.open(event.dataTransfer.getData("text/plain"), "pasted");
  }

  async openFiles(files) {
    const texts = await Promise.all([...files].map((file) => file.text()));
    element("import-file").value = "";
    element("opening").close();
    this.open(texts.join("\n\n"), this.how ?? "imported");
    this.how = null;
  }

  /** Takes all tunes of a text. Several, and what is imported, are kept; a single one is put on the bench alone. */
  open(text, how) {
    const other = OTHERS.find(([pattern]) => pattern.test(text));
    if (other) {
      complain(new Told(`${other[1]} ${TAKEN}`));
      return;
    }
    const found = fromTunebook(complete(text), how);
    if (!found.length) {
      say(`There is no tune in this: a tune has an X: and a K: line. ${TAKEN}`, true);
      return;
    }
    const isKept = found.length > 1 || how === "imported";
    const step = this.store.step(how === "imported" ? "importing" : `opening ${counted(found.length)}`);
    const added = found.filter((tune) => this.take(Object.assign(tune, { kept: isKept }), step));
    this.store.list(this.store.showsHistory && !isKept);
    const known = found.length - added.length;
    const words = [`${counted(added.length)} ${how}.`, known && `${counted(known)} there already.`];
    const first = this.store.library.find(settingOf(found[0]).abc);
    this.store.open(first, how !== "imported");
    if (isKept) say(words.filter(Boolean).join(" "));
    else this.tellLoss(first);
  }

  /** Adds a tune that is not there; one that is there is kept, where this one is to be. Whether it was added. */
  take(tune, step) {
    const known = this.store.library.find(settingOf(tune).abc);
    if (!known) this.store.add(tune, step);
    else if (tune.kept && !known.kept) this.store.put(Object.assign(known, { kept: true }));
    return !known;
  }

  /** Says what of an opened tune is not played, or why it cannot be. */
  async tellLoss(tune) {
    const { abc } = settingOf(tune);
    say(`${titleOf(abc)} is on the bench.`);
    try {
      const { problems, playable } = await (await post("/check", { abc })).json();
      const words = ({ line, message }) => (line ? `line ${line}: ${message}` : message);
      const fault =
        problems.find(({ severity }) => severity === "error") ??
        problems.find(({ severity }) => severity === "warning");
      const left = problems.filter(({ severity }) => severity === "note").map(words);
      const how = playable ? "There is a fault in it" : "It cannot be played as it stands";
      if (fault) say(`${how}: ${words(fault)}. Press Edit to mend it.`, true);
      else if (left.length) {
        const more = left.length > MAX_NAMED ? `; and ${left.length - MAX_NAMED} more` : "";
        say(`Left out where it is played or printed by the service: ${left.slice(0, MAX_NAMED).join("; ")}${more}.`);
      }
    } catch (error) {
      complain(error);
    }
  }
}

/** A single tune without a number is one all the same. */
function complete(text) {
  const isNumbered = /^\s*X:/m.test(text);
  return isNumbered || !/^K:/m.test(text) ? text : `X:1\n${text.trim().replaceAll(/\n\s*\n/g, "\n")}`;
}
