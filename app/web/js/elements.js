// Elements of a page: found by id, made with an action, brought into sight.

const MOSTLY_OUT_OF_SIGHT = 0.5; // of the window's height

export const element = (id) => document.getElementById(id);

export function button(name, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = name;
  made.addEventListener("click", action);
  return made;
}

/** Scrolls to what has been asked for, where it is out of sight. */
export function show(id) {
  const { top } = element(id).getBoundingClientRect();
  if (top < 0 || top > innerHeight * MOSTLY_OUT_OF_SIGHT) element(id).scrollIntoView({ block: "start" });
}
