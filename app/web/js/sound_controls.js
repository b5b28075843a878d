// How a tune is played, as it is chosen under the player: tempo, instrument, backing, feel, key, metronome.

import { headerOf, keyName } from "./abc.js";

const USUAL_FEEL = 0.5;
const MIN_TEMPO = 20; // quarter notes a minute that the service plays
const MAX_TEMPO = 400;
const TRANSPOSED = 12; // semitones up and down
const INSTRUMENTS = {
  40: "fiddle",
  73: "flute",
  78: "whistle",
  21: "accordion",
  23: "concertina",
  46: "harp",
  15: "dulcimer",
  105: "banjo",
  24: "guitar",
  109: "pipes",
  0: "piano",
  42: "cello",
};

const TEMPO = `
  <label for="tempo">Tempo <output id="tempo-shown" for="tempo"></output></label>
  <input id="tempo" type="range" min="30" max="300" step="1" value="120" aria-describedby="tempo-hint">
  <span id="tempo-hint" hidden>Beats a minute</span>`;

const CONTROLS = `
  <div id="tempo-place" class="tempo">${TEMPO}</div>
  <div><label for="program">Instrument</label><select id="program"></select></div>
  <div><label for="backing">Backing</label><div class="muted"><select id="backing">
    <option value="none">none</option><option value="guitar">guitar</option><option value="piano">piano</option>
    <option value="session">guitar and bodhrán</option></select>
    <button id="mute-backing" type="button" aria-pressed="false" aria-label="Mute the backing">Mute</button></div></div>
  <div><label for="feel">Feel <output id="feel-shown" for="feel"></output></label><div class="muted">
    <input id="feel" type="range" min="0" max="1" step="0.1" value="${USUAL_FEEL}">
    <button id="mute-feel" type="button" aria-pressed="false" aria-label="Mute the feel: play as written">Mute</button></div></div>
  <div><label for="transpose">Move to key</label><select id="transpose"></select></div>
  <div><label for="slow">Start at</label><select id="slow">
    <option value="1">full speed</option><option value="0.8">80 %</option><option value="0.65">65 %</option>
    <option value="0.5">half speed</option></select></div>
<div class="checks">
  <label class="check"><input id="metronome" type="checkbox"> Metronome</label>
  <label class="check"><input id="count-in" type="checkbox"> Count in</label>
  <label class="check"><input id="round" type="checkbox"> Loop the tune</label>
  </div>
  <p class="hint">From a slow start, each time round is a little faster, up to full speed. Downloads are played as is chosen
    here. No sound on a phone? See whether its mute switch is on.</p>`;

/**
 * The controls in `panel`. `changed` is called when the tune is to be played otherwise, `moved` while the tempo is moved,
 * `restarted` when it is to be looped, or not, or begins at another speed.
 */
export class SoundControls {
  constructor(panel, { changed, moved, restarted }) {
    panel.innerHTML = CONTROLS;
    this.panel = panel;
    this.isTempoChosen = false;
    this.abc = "";
    for (const [program, name] of Object.entries(INSTRUMENTS)) this.part("program").append(new Option(name, program));
    this.part("program").prepend(new Option("as usual", "", true, true));
    this.tempo = panel.querySelector("#tempo-place"); // it may stand in the player's bar
    this.slider = this.tempo.querySelector("#tempo");
    this.slider.addEventListener("input", () => {
      this.isTempoChosen = true;
      this.showTempo();
      moved();
    });
    this.slider.addEventListener("change", changed);
    this.part("feel").addEventListener("input", () => this.showFeel());
    for (const id of ["program", "transpose", "count-in", "backing", "feel", "metronome"])
      this.part(id).addEventListener("change", () => {
        if (id === "backing" || id === "feel") this.mute(id, false);
        changed();
      });
    for (const id of ["backing", "feel"])
      this.part(`mute-${id}`).addEventListener("click", () => {
        this.mute(id, !this.isMuted(id));
        changed();
      });
    this.part("slow").addEventListener("change", () => {
      if (this.rate < 1) this.part("round").checked = true;
      restarted();
    });
    this.part("round").addEventListener("change", restarted);
    this.mute("backing", false);
    this.showFeel();
  }

  part(id) {
    return this.panel.querySelector(`#${id}`);
  }

  get transposed() {
    return Number(this.part("transpose").value);
  }

  /** The part of the speed at which a loop begins. */
  get rate() {
    return Number(this.part("slow").value);
  }

  get isRound() {
    return this.part("round").checked;
  }

  get hasMetronome() {
    return this.part("metronome").checked;
  }

  /** Quarter notes in what is counted as a beat. */
  get quartersPerBeat() {
    return /^(6|9|12)\/8/.test(headerOf(this.abc).M ?? "") ? 1.5 : 1;
  }

  /** Quarter notes a minute, where they were chosen. */
  get quarters() {
    const quarters = this.slider.valueAsNumber * this.quartersPerBeat;
    return this.isTempoChosen ? Math.min(MAX_TEMPO, Math.max(MIN_TEMPO, quarters)) : null;
  }

  isMuted(id) {
    return this.part(`mute-${id}`).getAttribute("aria-pressed") === "true";
  }

  mute(id, isMuted) {
    this.part(`mute-${id}`).setAttribute("aria-pressed", isMuted);
    this.part("mute-backing").hidden = this.part("backing").value === "none";
  }

  /** Takes a tune; another one is played at its own tempo again. */
  load(abc, isOther) {
    this.abc = abc;
    if (isOther) this.isTempoChosen = false;
    this.offerKeys();
  }

  /** Shows the tempo that a tune has of itself, quarter notes a minute, until another one is chosen. */
  suggest(quarters) {
    if (!this.isTempoChosen) this.slider.value = Math.round(quarters / this.quartersPerBeat);
    this.showTempo();
  }

  /** What /render is asked for, but the format. */
  wanted() {
    const wanted = { abc: this.abc };
    if (this.quarters) wanted.tempo = this.quarters;
    if (this.part("program").value) wanted.program = Number(this.part("program").value);
    if (this.transposed) wanted.transpose = this.transposed;
    if (this.part("count-in").checked) wanted.click = true;
    const [backing, feel] = [this.part("backing").value, this.part("feel").valueAsNumber];
    if (backing !== "none" && !this.isMuted("backing")) wanted.backing = backing;
    if (this.isMuted("feel")) wanted.feel = 0;
    else if (feel !== USUAL_FEEL) wanted.feel = feel;
    return wanted;
  }

  showTempo() {
    this.tempo.querySelector("output").value = this.slider.value;
  }

  showFeel() {
    const feel = this.part("feel").valueAsNumber;
    const name = feel === 0 ? "as written" : `${Math.round(feel * 100)} %`;
    this.part("feel-shown").value = name;
    this.part("feel").ariaValueText = name;
  }

  /** The keys that the tune can be moved to, as its score would name them, and any number of semitones. */
  offerKeys() {
    const { K, M } = headerOf(this.abc);
    if (this.offered === K) return;
    this.offered = K;
    const chosen = this.transposed;
    const up = (by) => {
      const text = `X:1\nM:${M ?? "4/4"}\nK:${K}\nC|`;
      const { root, acc, mode } = window.ABCJS.parseOnly(text, { visualTranspose: by })[0].getKeySignature();
      return /^[A-G]$/.test(root) ? keyName(`${root}${acc}${mode}`) : null;
    };
    const keys = [-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6].map((by) => [up(by), by]).filter(([name]) => name);
    const options = [new Option("as written", 0, chosen === 0, chosen === 0)];
    for (const [label, pairs] of [
      ["To", keys],
      ["By semitones", steps()],
    ]) {
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...pairs.map(([name, by]) => new Option(name, by)));
      options.push(group);
    }
    this.part("transpose").replaceChildren(...options);
    this.part("transpose").value = chosen;
  }
}

function steps() {
  const all = Array.from({ length: 2 * TRANSPOSED + 1 }, (_, index) => TRANSPOSED - index).filter(Boolean);
  return all.map((by) => [`${Math.abs(by)} ${by > 0 ? "up" : "down"}`, by]);
}
