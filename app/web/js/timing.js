// When each written note sounds: the service's own MIDI says when, abcjs says which place in the text.

const PERCUSSION = 9;

export const ROUNDING_S = 0.002; // a browser's seek may end a little before the moment that it was sent to

/**
 * A Standard MIDI File's notes as {at, until, pitch, channel} in seconds, without percussion, and its first tempo. Those
 * of its first track with notes come first: that is the tune's, where others accompany it.
 */
export function read(buffer) {
  const view = new DataView(buffer);
  const ticksPerQuarter = view.getUint16(12);
  const tracks = [];
  for (let at = 14; at + 8 <= view.byteLength; at += 8 + view.getUint32(at + 4)) tracks.push(trackAt(view, at));
  const tempos = tracks.flatMap(({ tempos }) => tempos).sort((a, b) => a.tick - b.tick);
  const seconds = (tick) => {
    let [total, from, perQuarter] = [0, 0, 0.5];
    for (const tempo of tempos) {
      if (tempo.tick >= tick) break;
      total += ((tempo.tick - from) / ticksPerQuarter) * perQuarter;
      [from, perQuarter] = [tempo.tick, tempo.perQuarter];
    }
    return total + ((tick - from) / ticksPerQuarter) * perQuarter;
  };
  const notes = tracks
    .flatMap(({ notes }) => notes)
    .map(({ at, until, ...note }) => ({ at: seconds(at), until: seconds(until), ...note }));
  const quarters = tempos.length ? 60 / tempos[0].perQuarter : 120;
  return { notes, quarters, length: seconds(Math.max(0, ...tracks.map(({ end }) => end))) };
}

/** The notes and tempos of the track whose chunk begins at a byte, in ticks. */
function trackAt(view, chunk) {
  const end = chunk + 8 + view.getUint32(chunk + 4);
  let [at, tick, status] = [chunk + 8, 0, 0];
  const [notes, tempos, sounding] = [[], [], new Map()];
  const number = () => {
    let value = 0;
    let byte;
    do {
      byte = view.getUint8(at++);
      value = (value << 7) | (byte & 0x7f);
    } while (byte & 0x80);
    return value;
  };
  while (at < end) {
    tick += number();
    if (view.getUint8(at) & 0x80) status = view.getUint8(at++);
    if (status === 0xff) {
      const type = view.getUint8(at++);
      const length = number();
      if (type === 0x51) {
        tempos.push({ tick, perQuarter: ((view.getUint8(at) << 16) | view.getUint16(at + 1)) / 1e6 });
      }
      at += length;
    } else if (status >= 0xf0) {
      at += number();
    } else {
      const [kind, channel] = [status & 0xf0, status & 0x0f];
      const [first, second] = [view.getUint8(at), view.getUint8(at + 1)];
      at += kind === 0xc0 || kind === 0xd0 ? 1 : 2;
      if (channel === PERCUSSION || (kind !== 0x90 && kind !== 0x80)) continue;
      const name = channel * 128 + first;
      if (kind === 0x90 && second) {
        const note = { at: tick, until: tick, pitch: first, channel };
        notes.push(note);
        sounding.set(name, note);
      } else if (sounding.has(name)) {
        sounding.get(name).until = tick;
        sounding.delete(name);
      }
    }
  }
  return { notes, tempos, end: tick };
}

/** Notes as abcjs would play them, repeats unfolded, as {pitch, from}: `from` is the place in the text. */
export function writtenNotes(tune) {
  return tune
    .setUpAudio({ chordsOff: true })
    .tracks.flatMap((track) => track.filter(({ cmd, startChar }) => cmd === "note" && startChar !== undefined))
    .sort((a, b) => a.start - b.start || a.pitch - b.pitch)
    .map(({ pitch, startChar }) => ({ pitch, from: startChar }));
}

/**
 * Matches what sounds with what is written by the longest common run of pitches, transposition aside.
 * Returns {at, until, from} for each sounding note, in order of time.
 */
export function inStep(notes, written) {
  const melody = notes.filter(({ channel }) => channel === notes[0]?.channel);
  const sounding = melody.sort((a, b) => a.at - b.at || a.pitch - b.pitch);
  if (!sounding.length || !written.length) return [];
  const shift = sounding[0].pitch - written[0].pitch;
  const [n, m] = [sounding.length, written.length];
  const same = (i, j) => sounding[i].pitch === written[j].pitch + shift;
  const longest = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      longest[i][j] = same(i, j) ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const made = [];
  let from = written[0].from;
  for (let i = 0, j = 0; i < n; i++) {
    while (j < m && !same(i, j) && longest[i][j + 1] >= longest[i + 1][j]) j++;
    if (j < m && same(i, j)) from = written[j++].from;
    made.push({ at: sounding[i].at, until: sounding[i].until, from });
  }
  return made;
}

/** A time as a place among the notes, which is the same at any speed: a note's index, and how far on it is to the next. */
export function placeAt(steps, time) {
  const index = noteAt(steps, time);
  if (index < 0) return 0;
  const { at, until } = steps[index];
  return index + Math.min(0.999, (time - at) / ((steps[index + 1]?.at ?? until) - at || 1));
}

/** When a place among the notes sounds. */
export function timeOf(steps, place) {
  const index = Math.floor(place);
  if (!steps[index]) return 0;
  const { at, until } = steps[index];
  return at + (place - index) * ((steps[index + 1]?.at ?? until) - at);
}

/** The index of the last note that has begun at a time; -1 before the first. */
export function noteAt(steps, time) {
  let [low, high] = [0, steps.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle].at <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
