// Tunes that come from outside: dropped on the page, pasted, chosen as a file, or typed into a field.

import { titleOf } from "./abc.js";
import { post } from "./api.js";
import { element } from "./elements.js";
import { TAKEN, tunesOfFile, tunesOfText } from "./file_reader.js";
import { settingOf } from "./library.js";
import { complain, say } from "./messages.js";

const MAX_NAMED = 3;
const KINDS = { midi: "MIDI", musicxml: "MusicXML" };
const XML = /^\s*<(\?xml|!DOCTYPE score|score-)/;

/** The first few of what was left out, in words. */
function few(all) {
  const more = all.length > MAX_NAMED ? `; and ${all.length - MAX_NAMED} more` : "";
  return `${all.slice(0, MAX_NAMED).join("; ")}${more}`;
}

const counted = (number) => `${number} ${number === 1 ? "tune" : "tunes"}`;

export class Opener {
  constructor(store) {
    this.store = store;
    const dialog = element("opening");
    element("open").addEventListener("click", () => dialog.showModal());
    element("open-pasted").addEventListener("click", () => {
      dialog.close();
      this.openText(element("pasted").value, "pasted");
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
    if (!/^[A-Z]:/m.test(text) && !XML.test(text)) return;
    event.preventDefault();
    element("opening").close();
    this.openText(text, "pasted");
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
    else this.openText(event.dataTransfer.getData("text/plain"), "pasted");
  }

  /** Opens files; those that hold no tune are told of, beside what the others hold. */
  async openFiles(files, how = this.how ?? "imported") {
    this.how = null;
    const chosen = [...files];
    element("import-file").value = "";
    element("opening").close();
    say(chosen.length === 1 ? `Reading ${chosen[0].name}…` : `Reading ${chosen.length} files…`);
    const read = await Promise.allSettled(chosen.map((file) => tunesOfFile(file, how)));
    const tunes = read.flatMap(({ value }) => value ?? []);
    const refused = read.find(({ status }) => status === "rejected");
    if (tunes.length || !refused) this.open(tunes, how);
    if (refused) complain(refused.reason);
  }

  /** Opens ABC, or MusicXML as it stands in a file. */
  openText(text, how) {
    if (XML.test(text)) this.openFiles([new File([text], "pasted.musicxml")], how);
    else this.open(tunesOfText(text, how), how);
  }

  /** Takes tunes. Several, and what is imported, are kept; a single one is put on the bench alone. */
  open(found, how) {
    if (!found.length) {
      say(`There is no tune in this. A tune in ABC has an X: and a K: line. ${TAKEN}`, true);
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

  /** Says what of an opened tune is not here or not played, or why it cannot be. */
  async tellLoss(tune) {
    const { abc } = settingOf(tune);
    const { origin } = tune;
    const lost = origin?.leftOut.length ? ` Left out of the ${KINDS[origin.kind]} file: ${few(origin.leftOut)}.` : "";
    say(`${titleOf(abc)} is on the bench.${lost}`);
    try {
      const { problems, playable } = await (await post("check", { abc })).json();
      const words = ({ line, message }) => (line ? `line ${line}: ${message}` : message);
      const fault =
        problems.find(({ severity }) => severity === "error") ??
        problems.find(({ severity }) => severity === "warning");
      const left = problems.filter(({ severity }) => severity === "note").map(words);
      const how = playable ? "There is a fault in it" : "It cannot be played as it stands";
      if (fault) say(`${how}: ${words(fault)}. Press Edit to mend it.${lost}`, true);
      else if (left.length && !lost) say(`Left out where it is played or printed by the service: ${few(left)}.`);
    } catch (error) {
      complain(error);
    }
  }
}
