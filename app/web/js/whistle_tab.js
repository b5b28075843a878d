// Fingerings of a whistle in D under the notes: six holes from the mouthpiece down, a cross for the upper octave.

const SVG = "http://www.w3.org/2000/svg";
const LOWEST = 62; // its D, as it is written
const HIGHEST = LOWEST + 23;
const HOLES = [
  "xxxxxx",
  "xxxxxh",
  "xxxxxo",
  "xxxxho",
  "xxxxoo",
  "xxxooo",
  "xxhooo",
  "xxoooo",
  "xhoooo",
  "xooooo",
  "oxxooo",
  "oooooo",
];
const OVERBLOWN_D = "oxxxxx";
const RADIUS = 3.2;
const STEP = 8.5;
export const WHISTLE_HEIGHT = 6 * STEP + 16;

function circle(x, y, className) {
  const made = document.createElementNS(SVG, "circle");
  for (const [name, value] of Object.entries({ cx: x, cy: y, r: RADIUS, class: className }))
    made.setAttribute(name, value);
  return made;
}

/** How a pitch is fingered, as a group whose top is at a point; null for what the whistle has not. */
export function fingering(pitch, x, y) {
  if (pitch < LOWEST || pitch > HIGHEST) return null;
  const above = pitch - LOWEST;
  const holes = above === 12 ? OVERBLOWN_D : HOLES[above % 12];
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "whistle");
  [...holes].forEach((hole, index) => {
    const at = y + index * STEP;
    group.append(circle(x, at, hole === "x" ? "closed" : "open"));
    if (hole !== "h") return;
    const half = document.createElementNS(SVG, "path");
    half.setAttribute("d", `M${x} ${at - RADIUS}a${RADIUS} ${RADIUS} 0 0 0 0 ${2 * RADIUS}z`);
    half.setAttribute("class", "closed");
    group.append(half);
  });
  if (above >= 12) {
    const cross = document.createElementNS(SVG, "path");
    const at = y + 6 * STEP - 1;
    cross.setAttribute("d", `M${x - 3} ${at}h6M${x} ${at - 3}v6`);
    cross.setAttribute("class", "open");
    group.append(cross);
  }
  return group;
}
