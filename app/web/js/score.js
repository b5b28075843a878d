// A score on the page, drawn by abcjs: wrapped to its width, its bars numbered, its notes lit, chosen and clicked.

import { headerOf, isSet, keyName } from "./abc.js";
import { breakLines } from "./line_breaks.js";
import { writtenNotes } from "./timing.js";
import { fingering, WHISTLE_HEIGHT } from "./whistle_tab.js";

const SVG = "http://www.w3.org/2000/svg";
const GAP = 1e-6;
const WHISTLE_LINE = "%%staffsep 100\n"; // which leaves room for fingerings between the staves
const WHISTLE_GAP = 24; // pixels under a staff, where its lowest notes are
const NARROW = 480; // pixels, as phones have it: a little smaller, two bars of a reel fit beside each other
const SCALE_WHERE_NARROW = 0.82;
const HANDLE = { across: 7, along: 12 }; // pixels around a note's head by which it is dragged
const NUMBER = { before: 2, above: 5 }; // pixels from a bar's first note, and over the staff
const STEPS_OF_STAFF = 8; // of the scale, from its lowest line to its highest
const FONTS = {
  titlefont: "Alegreya 22",
  subtitlefont: "Alegreya 22",
  composerfont: "Alegreya 14",
  infofont: "Alegreya 14",
  textfont: "Alegreya 15",
  historyfont: "Alegreya 15",
  wordsfont: "Alegreya 15",
  gchordfont: "Alegreya Sans 14",
  annotationfont: "Alegreya Sans 14",
  vocalfont: "Alegreya Sans 15", // drawn smaller by the style, so that words do not touch
  voicefont: "Alegreya Sans 15",
  tempofont: "Alegreya Sans 15",
  partsfont: "Alegreya Sans 15",
  repeatfont: "Alegreya Sans 14",
  tripletfont: "Alegreya 13 italic",
}; // in place of abcjs's own, which are bold Times and Helvetica
const WITH_WORDS = 66; // points between the staves of voices, of which abcjs leaves too few for words and high notes
const PART_LINES = /repeat|dbl|thin_thi/; // bar lines that end a part
const REPEAT_BEGINS = /left_repeat|dbl_repeat/;
const REPEAT_ENDS = /right_repeat|dbl_repeat/;
const PART_LETTERS = "ABCDEFGH";
const MAX_BARS = 64; // of a part, in a form

/** Draws a tune into an element; one that is live can be clicked and walked through, and follows its paper's width. */
export class Score {
  constructor(
    paper,
    { isLive = false, isNumbered = true, scale = 1, transpose = 0, title = false, tablature = "" } = {},
  ) {
    this.paper = paper;
    this.options = { isLive, isNumbered, scale, transpose, title, tablature };
    this.abc = "";
    this.width = 0;
    this.shades = new Map();
    this.marked = null; // the place in the text of the note that is to be changed
    this.handle = newHandle(); // the same one in every drawing: a finger stays on it
    [this.notes, this.bars] = [[], []];
    if (isLive) {
      paper.tabIndex = 0;
      new ResizeObserver(() => {
        if (this.abc && Math.abs(paper.clientWidth - this.width) > 8) this.draw(this.abc);
      }).observe(paper);
    }
  }

  draw(abc) {
    const { transpose, isLive, isNumbered, title, tablature } = this.options;
    this.abc = abc;
    this.width = this.paper.clientWidth || 700;
    const { narrowScale = Math.min(this.options.scale, SCALE_WHERE_NARROW) } = this.options;
    const scale = this.width < NARROW ? narrowScale : this.options.scale;
    const written = asOneTune(title ? abc : untitled(abc));
    const broken = breakLines(written, window.ABCJS.parseOnly(written)[0], this.width / scale);
    const params = {
      add_classes: true,
      staffwidth: (this.width - 2) / scale,
      paddingleft: 0,
      paddingright: 0,
      paddingtop: isNumbered ? 12 : 2,
      paddingbottom: tablature === "whistle" ? WHISTLE_HEIGHT + 8 : 8,
      tablature: tablature && tablature !== "whistle" ? [{ instrument: tablature, firstStaffOnly: true }] : undefined,
      visualTranspose: transpose,
      wrap: broken
        ? undefined
        : { minSpacing: 1.25, maxSpacing: 2.6, preferredMeasuresPerLine: this.width / scale > 640 ? 4 : 3 },
      selectTypes: false,
      format: {
        ...FONTS,
        sysstaffsep: /^w:/m.test(abc) ? WITH_WORDS : undefined,
      },
      ariaLabel: "",
    };
    this.pitches = null;
    const text = broken?.text ?? written;
    const added = tablature === "whistle" ? WHISTLE_LINE.length : 0;
    [this.tune] = window.ABCJS.renderAbc(this.paper, added ? text.replace("\n", `\n${WHISTLE_LINE}`) : text, params);
    const placeOf = broken?.placeOf ?? ((place) => place);
    if (broken || added) this.place((place) => placeOf(place - added));
    const svg = this.paper.querySelector("svg");
    svg?.removeAttribute("role");
    svg?.setAttribute("aria-hidden", "true");
    if (svg && scale !== 1) shrink(svg, scale);
    this.paper.removeAttribute("style"); // abcjs gives it the size of the score
    this.paper.role = isLive ? "group" : "img";
    this.paper.ariaLabel = `Score of ${/^T:(.*)$/m.exec(abc)?.[1] ?? "an untitled tune"}`;
    this.read();
    if (isNumbered) this.number();
    if (tablature === "whistle") this.finger();
    for (const [kind, numbers] of this.shades) this.shade(kind, numbers);
    this.mark(this.marked);
    this.paper.dispatchEvent(new Event("drawn"));
  }

  /** Gives what is drawn its places in the tune's own text. */
  place(placeOf) {
    for (const { staff = [] } of this.tune.lines) {
      for (const element of new Set(staff.flatMap(({ voices }) => voices.flat()))) {
        if (element.startChar === undefined) continue;
        element.startChar = placeOf(element.startChar);
        element.endChar = placeOf(element.endChar);
      }
    }
  }

  /** The name of the key that is drawn, transposed as the score is. */
  keyName() {
    const { root, acc, mode } = this.tune?.getKeySignature() ?? {};
    return keyName(/^[A-G]$/.test(root) ? `${root}${acc}${mode}` : headerOf(this.abc).K);
  }

  /**
   * Finds notes and bars as they are drawn. A bar's `number` is as the service counts, pickups too; its `label` is what
   * players say: a part's pickup has none of its own, it goes with the bar that it leads to.
   */
  read() {
    this.notes = [];
    this.bars = [];
    let bar = null;
    let startsPart = false;
    let ending = null;
    let opensRepeat = false;
    let whole = this.tune?.getBarLength?.() ?? 1;
    (this.tune?.lines ?? [])
      .filter(({ staff }) => staff)
      .forEach(({ staff }, line) => {
        for (const element of staff[0].voices[0]) {
          if (element.el_type === "bar") {
            if (bar) {
              startsPart = false;
              bar.isRepeated = REPEAT_ENDS.test(element.type);
            }
            bar = null;
            if (element.endEnding) ending = null;
            ending = element.startEnding ?? ending;
            opensRepeat = REPEAT_BEGINS.test(element.type);
            startsPart = (startsPart || PART_LINES.test(element.type)) && !element.startEnding;
          }
          const metre = element.el_type === "meter" && element.value?.[0];
          if (metre?.num) whole = Number(metre.num) / Number(metre.den ?? 1);
          if (element.el_type !== "note" || element.startChar === undefined) continue;
          if (!bar) {
            bar = { from: element.startChar, to: element.endChar, notes: [], length: 0 };
            Object.assign(bar, { whole, startsPart, opensRepeat, ending });
            this.bars.push(bar);
            startsPart = opensRepeat = false;
          }
          const note = {
            from: element.startChar,
            to: element.endChar,
            elements: element.abselem?.elemset ?? [],
            bar,
            line,
            isRest: Boolean(element.rest),
          };
          bar.to = element.endChar;
          bar.length += element.duration;
          bar.notes.push(note);
          this.notes.push(note);
        }
      });
    const first = this.bars.length && this.bars[0].length < this.bars[0].whole - GAP ? 0 : 1;
    let label = first;
    this.bars.forEach((found, index) => {
      found.number = first + index;
      found.isPickup = index > 0 && found.startsPart && found.length < found.whole - GAP;
      found.label = label;
      if (!found.isPickup) label++;
    });
    this.byPlace = new Map(this.notes.map((note) => [note.from, note]));
  }

  bar(number) {
    return this.bars[number - (this.bars[0]?.number ?? 0)];
  }

  /** The bars of each part, by number; a pickup before a repeat sign is no part of its own. */
  parts() {
    return this.barsOfParts().map((bars) => bars.map(({ number }) => number));
  }

  barsOfParts() {
    const parts = [];
    const isPickup = ([first, ...more]) => !more.length && isShort(first);
    for (const bar of this.bars) {
      if (!parts.length || (bar.startsPart && !isPickup(parts.at(-1)))) parts.push([]);
      parts.at(-1).push(bar);
    }
    return parts;
  }

  /**
   * The tune's form as `/generate` has it, such as AABB8, with so many parts more; null where its parts are not alike,
   * or are not begun as the service begins them: by a repeat sign, and a pickup behind it.
   */
  form(added = 0) {
    const parts = this.barsOfParts().map((bars, index) => formOfPart(bars, index === 0));
    const letters = PART_LETTERS.slice(0, parts.length + added);
    const areAlike = new Set(parts.map((part) => JSON.stringify(part))).size === 1;
    const [{ bars, isRepeated, isPlain } = {}] = parts;
    if (!areAlike || !isPlain || letters.length < parts.length + added || bars < 1 || bars > MAX_BARS) return null;
    return `${isRepeated ? letters.replaceAll(/./g, "$&$&") : letters}${bars}`;
  }

  /** The number of the bar with a label. */
  numberOf(label) {
    return this.bars.find((bar) => bar.label === label && !bar.isPickup)?.number;
  }

  /** Bars by number, as players say it: `3` or `3–5`. */
  span(numbers) {
    const [first, last] = [numbers[0], numbers.at(-1)].map((number) => this.bar(number)?.label ?? "");
    return first === last ? String(first) : `${first}–${last}`;
  }

  box(bar) {
    const staffs = this.staffs();
    const boxes = bar.notes.flatMap(({ elements }) => [...elements]).map((element) => element.getBBox());
    const left = Math.min(...boxes.map(({ x }) => x));
    const right = Math.max(...boxes.map(({ x, width }) => x + width));
    const staff = staffs[bar.notes[0].line]?.getBBox();
    const [top, bottom] = staff ? [staff.y - 12, staff.y + staff.height + 12] : [0, 0];
    return { left, right, top, bottom, numberAt: (staff?.y ?? 0) - NUMBER.above };
  }

  /** The staff of each line, without those of tablature under it. */
  staffs() {
    return [...this.paper.querySelectorAll(".abcjs-staff-wrapper")].map((line) => line.querySelector(".abcjs-staff"));
  }

  /** The MIDI pitch of the note at a place in the text, as it is drawn. */
  pitchAt(place) {
    this.pitches ??= new Map(writtenNotes(this.tune).map(({ from, pitch }) => [from, pitch]));
    const pitch = this.pitches.get(place);
    return pitch && pitch + this.options.transpose;
  }

  /** Puts a whistle's fingerings under the notes. */
  finger() {
    const svg = this.paper.querySelector("svg");
    const staffs = this.staffs().map((staff) => staff.getBBox());
    for (const note of this.notes) {
      const { from, line } = note;
      const pitch = this.pitchAt(from);
      const box = headOf(note)?.getBBox();
      if (!pitch || !box) continue;
      const drawn = fingering(pitch, box.x + box.width / 2, staffs[line].y + staffs[line].height + WHISTLE_GAP);
      if (drawn) svg.append(drawn);
    }
  }

  number() {
    const svg = this.paper.querySelector("svg");
    for (const bar of this.bars.filter(({ isPickup }) => !isPickup)) {
      const text = document.createElementNS(SVG, "text");
      text.setAttribute("x", leftOf(bar.notes[0]) - NUMBER.before);
      text.setAttribute("y", this.box(bar).numberAt);
      text.setAttribute("text-anchor", "end");
      text.setAttribute("class", "bar-number");
      text.textContent = bar.label;
      svg?.append(text);
    }
  }

  /** Lays a tint under bars; each kind of tint stays until it is given other bars. */
  shade(kind, numbers) {
    this.shades.set(kind, numbers);
    for (const old of this.paper.querySelectorAll(`rect.${kind}`)) old.remove();
    const svg = this.paper.querySelector("svg");
    for (const bar of numbers.map((number) => this.bar(number)).filter(Boolean)) {
      const { left, right, top, bottom } = this.box(bar);
      const rect = document.createElementNS(SVG, "rect");
      const size = { x: left - 7, y: top, width: right - left + 14, height: bottom - top, rx: 6 };
      for (const [name, value] of Object.entries(size)) rect.setAttribute(name, value);
      rect.setAttribute("class", kind);
      svg?.prepend(rect);
    }
  }

  /** Marks the note at a place in the text, which can be dragged by what lies over it, and no other. */
  mark(place) {
    this.marked = place;
    this.handle.remove();
    const svg = this.paper.querySelector("svg");
    const note = this.byPlace?.get(place);
    const box = note && headOf(note)?.getBBox();
    if (!box) return;
    const size = {
      x: box.x - HANDLE.across,
      y: box.y - HANDLE.along,
      width: box.width + 2 * HANDLE.across,
      height: box.height + 2 * HANDLE.along,
      rx: 8,
    };
    for (const [name, value] of Object.entries(size)) this.handle.setAttribute(name, value);
    svg.append(this.handle);
  }

  /** How far apart a step of the scale is, in pixels of the window. */
  get stepHeight() {
    return (this.staffs()[0]?.getBoundingClientRect().height ?? 0) / STEPS_OF_STAFF;
  }

  /** Lights the note at a place in the text, and no other. */
  light(place) {
    if (this.lit === place) return;
    for (const element of this.paper.querySelectorAll(".sounding")) element.classList.remove("sounding");
    this.lit = place;
    const note = this.byPlace?.get(place);
    if (!note) return;
    for (const element of note.elements) element.classList.add("sounding");
    return note;
  }

  /** The note nearest to a point of the window: on the nearest line, the one whose head is nearest from side to side. */
  noteNear(x, y) {
    const heads = this.notes.flatMap((note) => {
      const box = headOf(note)?.getBoundingClientRect();
      return box ? [{ note, x: box.left + box.width / 2, y: box.top + box.height / 2 }] : [];
    });
    const nearest = (distance) => heads.reduce((a, b) => (distance(b) < distance(a) ? b : a), heads[0])?.note;
    const line = nearest((head) => Math.abs(head.y - y) + Math.abs(head.x - x) / 1000)?.line;
    return nearest((head) => (head.note.line === line ? Math.abs(head.x - x) : Number.POSITIVE_INFINITY));
  }

  /** Scrolls to a note that is out of sight, or under what lies over the page's foot. */
  reveal(note) {
    const box = note.elements[0]?.getBoundingClientRect();
    const docks = [...document.querySelectorAll(".dock")].filter((dock) => dock.offsetHeight);
    const floor = Math.min(innerHeight, ...docks.map((dock) => dock.getBoundingClientRect().top));
    if (!box || (box.top > 60 && box.bottom < floor - 40)) return;
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollBy({ top: box.top - floor / 3, behavior: isCalm ? "instant" : "smooth" });
  }

  /** The first note from a place in the text on. */
  noteFrom(place) {
    return this.notes.find(({ from }) => from >= place);
  }

  /** The note that a place in the text belongs to. */
  noteAround(place) {
    return this.notes.find(({ from, to }) => from <= place && place < to);
  }
}

/** Whether a bar lacks something, as a pickup does. */
const isShort = ({ length, whole }) => length < whole - GAP;

/** How many bars a part has as it is heard first, in which metre, whether it is repeated, and whether it begins plainly. */
function formOfPart(bars, isFirst) {
  const [first, ...more] = bars;
  const heardFirst = bars.filter(({ ending }) => !ending || /^1/.test(ending)).length;
  const isRepeated = bars.some((bar) => bar.isRepeated);
  const isBegun = isFirst || !isRepeated || first.opensRepeat;
  return {
    bars: isShort(first) ? heardFirst - 1 : heardFirst,
    metres: [...new Set(bars.map(({ whole }) => whole))].join(),
    isRepeated,
    isPlain: isBegun && !more.some(({ opensRepeat }) => opensRepeat),
  };
}

/** What is drawn of a note's head, or of a rest. */
const headOf = ({ elements: [drawn] }) => drawn?.querySelector(".abcjs-notehead") ?? drawn;

/** Where a note begins from the left, without what is written over it. */
const leftOf = ({ elements }) =>
  Math.min(
    ...[...elements]
      .flatMap((drawn) => (drawn.children.length ? [...drawn.children] : [drawn]))
      .filter((drawn) => !drawn.matches(".abcjs-chord, .abcjs-annotation"))
      .map((drawn) => drawn.getBBox().x),
  );

/** What lies over a note that can be dragged. A finger on it does not scroll the page: `touch-action` alone does not see to that in SVG. */
function newHandle() {
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", "handle");
  rect.addEventListener("touchstart", (event) => event.preventDefault(), { passive: false });
  return rect;
}

/** A tune without the title that stands over its score; those of a set's tunes stay, as they tell which begins where. */
const untitled = (abc) => (isSet(abc) ? abc : abc.replace(/^T:/m, "%:")).replace(/^R:/gm, "%:");

/** A set as one tune of as many characters, whose later tunes begin with their titles, metres and keys. */
const asOneTune = (abc) => abc.replaceAll(/\n(\s*\n)(?=X:)/g, (_, gap) => `\n%${" ".repeat(gap.length - 1)}`);

function shrink(svg, scale) {
  const [width, height] = ["width", "height"].map((name) => Number.parseFloat(svg.getAttribute(name)));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("width", width * scale);
  svg.setAttribute("height", height * scale);
}
