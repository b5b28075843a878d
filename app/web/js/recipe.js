// How a tune was made, as links and tunebooks of other people's tell it.

const KINDS = {
  number: ["seed", "length", "temperature", "top_k", "top_p", "tunes", "low", "high", "best_of", "vary"],
  string: ["start_string", "title", "rhythm", "key", "meter", "form", "model"],
  boolean: ["avoid_copies", "constrained", "everywhere"],
};
const KIND_OF = new Map(Object.entries(KINDS).flatMap(([kind, names]) => names.map((name) => [name, kind])));

/** What of it is as this page writes it; null where nothing is. */
export function recipeOf(told) {
  const known = Object.entries(told ?? {}).filter(([name, value]) => KIND_OF.get(name) === typeof value);
  return known.length ? Object.fromEntries(known) : null;
}
