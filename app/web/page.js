// The page: makes a tune from the form, draws its score, plays it.

const element = (id) => document.getElementById(id);

const form = element("make");
const fields = {
  start: element("start"),
  length: element("length"),
  temperature: element("temperature"),
  seed: element("seed"),
};
const message = element("message");
const abc = element("abc");
const player = element("player");

let playing = null; // the object URL of the sound in the player

class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail || problem.title);
    this.faults = problem.errors ?? [];
  }
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (response.ok) return response;
  throw response.headers.get("Content-Type")?.startsWith("application/problem+json")
    ? new ProblemError(await response.json())
    : new Error(`the service answered ${response.status}`);
}

// Runs an action with its button disabled, and says in words what went wrong.
async function withButton(button, words, action) {
  button.disabled = true;
  say(words);
  try {
    await action();
    say("");
  } catch (error) {
    complain(error instanceof TypeError ? new Error("The service does not answer. Is it running?") : error);
  } finally {
    button.disabled = false;
  }
}

function say(words) {
  message.textContent = words;
  message.classList.remove("complaint");
}

function complain(error) {
  message.textContent = error.message;
  message.classList.add("complaint");
  const fault = error.faults?.find(({ field, position }) => field === "start_string" && position !== undefined);
  if (!fault) return;
  const at = codeUnits(fields.start.value, fault.position);
  fields.start.focus();
  fields.start.setSelectionRange(at, at + 1);
}

// The service counts characters, a textarea counts UTF-16 code units.
function codeUnits(text, characters) {
  return [...text].slice(0, characters).join("").length;
}

async function make() {
  const response = await post("/generate", {
    start_string: fields.start.value,
    length: fields.length.valueAsNumber,
    temperature: fields.temperature.valueAsNumber,
    ...(fields.seed.value === "" ? {} : { seed: fields.seed.valueAsNumber }),
  });
  show(await response.json());
}

function show({ abc: text, tunes, seed, model, generated }) {
  const tune = tunes.findLast(({ complete }) => complete) ?? tunes.at(-1);
  abc.value = tune?.abc ?? text;
  element("score").ariaLabel = `Score of ${tune?.title ?? "an untitled tune"}`;
  element("recipe").textContent =
    `Seed ${seed}, ${generated} characters, model ${model.name} version ${model.version}` +
    (tune?.complete ? "." : ". It ran out of characters before its end.");
  element("result").hidden = false;
  draw();
}

function draw() {
  silence();
  window.ABCJS?.renderAbc("score", abc.value, { responsive: "resize" });
}

async function play() {
  const response = await post("/render", { abc: abc.value, format: "wav" });
  silence();
  playing = URL.createObjectURL(await response.blob());
  player.src = playing;
  player.hidden = false;
  await player.play();
}

function silence() {
  player.pause();
  player.hidden = true;
  if (playing) URL.revokeObjectURL(playing);
  playing = null;
}

function showTemperature() {
  element("temperature-value").textContent = fields.temperature.valueAsNumber.toFixed(2);
}

async function offerDefaults() {
  const response = await fetch("/models");
  const { defaults } = (await response.json()).models[0];
  fields.start.value = defaults.start_string;
  fields.length.value = defaults.length;
  fields.temperature.value = defaults.temperature;
  showTemperature();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  withButton(element("make-button"), "Making a tune…", make);
});
element("play-button").addEventListener("click", () => {
  withButton(element("play-button"), "Rendering the sound…", play);
});
fields.temperature.addEventListener("input", showTemperature);
abc.addEventListener("input", draw);

withButton(element("make-button"), "", offerDefaults);
