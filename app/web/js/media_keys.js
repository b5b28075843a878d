// What a locked phone, a headset and a keyboard show of the tune that sounds: its name, and play and pause.

import { titleOf } from "./abc.js";

export class MediaKeys {
  constructor(player) {
    this.player = player;
    this.session = navigator.mediaSession;
    this.session?.setActionHandler("play", () => player.play());
    this.session?.setActionHandler("pause", () => player.pause());
  }

  show() {
    if (!this.session) return;
    const isPlaying = this.player.isPlaying();
    this.session.playbackState = isPlaying ? "playing" : "paused";
    if (isPlaying) this.session.metadata = new MediaMetadata({ title: titleOf(this.player.abc), artist: "Lilt" });
  }
}
