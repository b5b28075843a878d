// A MIDI keyboard, where the browser has them: what is played sounds, and takes the place of the chosen note, then the next.

import { element } from "./elements.js";
import { say } from "./messages.js";
import { sound } from "./tone.js";

const NOTE_ON = 0x90;

export class MidiKeyboard {
  /** `bars` is the selection whose note is changed; sounds go through the player's own way out. */
  constructor({ bars, player }) {
    Object.assign(this, { bars, player });
    this.access = null;
    this.button = element("midi");
    this.button.hidden = !navigator.requestMIDIAccess; // some browsers have none, and none has it over plain http
    this.button.addEventListener("click", () => (this.access ? this.leave() : this.listen()));
  }

  /** Asks for the keyboards, which the browser asks its user for; one that is plugged in later is listened to as well. */
  async listen() {
    try {
      this.access = await navigator.requestMIDIAccess({ sysex: false });
    } catch {
      say("The browser did not give the page a MIDI keyboard. Allow MIDI devices for this page, then try again.", true);
      return;
    }
    this.access.onstatechange = () => this.attend();
    this.attend();
    this.button.setAttribute("aria-pressed", "true");
    const names = [...this.access.inputs.values()].map(({ name }) => name).join(", ");
    say(
      names
        ? `Listening to ${names}. Click a note, then play: each key takes the place of a note.`
        : "No MIDI keyboard is there yet. Plug one in, click a note, then play.",
    );
  }

  attend() {
    for (const input of this.access.inputs.values()) input.onmidimessage = ({ data }) => this.hear(data);
  }

  leave() {
    for (const input of this.access.inputs.values()) input.onmidimessage = null;
    this.access.onstatechange = null;
    this.access = null;
    this.button.setAttribute("aria-pressed", "false");
  }

  hear([status, pitch, velocity]) {
    if ((status & 0xf0) !== NOTE_ON || !velocity) return;
    sound(this.player.context, pitch);
    this.bars.enter(pitch);
  }
}
