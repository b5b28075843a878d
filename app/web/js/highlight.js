// A text field that underlines places in its text: a copy of the text lies beneath it, with the marks.

/** Marks ranges {from, to, kind} of a textarea's text; the field stands in `.marked` over `.under`. */
export function highlight(textarea, ranges) {
  const under = textarea.parentElement.querySelector(".under");
  const text = textarea.value;
  const pieces = [];
  let at = 0;
  for (const { from, to, kind } of [...ranges].sort((a, b) => a.from - b.from)) {
    if (from < at) continue;
    const piece = document.createElement("mark");
    piece.className = kind;
    piece.textContent = text.slice(from, to) || " ";
    pieces.push(text.slice(at, from), piece);
    at = Math.max(to, from);
  }
  under.replaceChildren(...pieces, `${text.slice(at)}\n`);
  follow(textarea);
}

/** Keeps the copy beneath where the text is. */
export function follow(textarea) {
  const under = textarea.parentElement.querySelector(".under");
  under.scrollTop = textarea.scrollTop;
}

export function followScroll(textarea) {
  textarea.addEventListener("scroll", () => follow(textarea));
}
