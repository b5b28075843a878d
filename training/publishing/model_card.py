"""Writes a checkpoint's model card: what it is, what it learnt from, how good it is, and how to make it again."""

from model_store.manifest import Draft
from training.corpora import corpora
from training.corpora.split import Split
from training.evaluation.beside_real import BesideReal
from training.evaluation.evaluate import Evaluation, FreeTunes, Loss
from training.evaluation.verdict_table import to_markdown
from training.learning.config import RECIPES, TrainingConfig


def card(draft: Draft, config: TrainingConfig, sides: Split, evaluation: Evaluation, note: str) -> str:
    """The card, in Markdown."""
    network = draft.model
    return f"""# {draft.name}

A character-level LSTM that continues a text in ABC notation, trained with Lilt: {_network(draft)},
{evaluation.parameters:,} parameters.
It reads one character{_told(draft)} and predicts the next; `weights.safetensors` holds its
float32 tensors, `decoder.tflite` the same network as a one-step graph with int8 weights, `manifest.json` its vocabulary
and every setting.

## Corpus

| name | origin | licence | tunes | characters | SHA-256 |
|---|---|---|---|---|---|
{_corpora(draft)}

The split is fixed, by tune:
{_sides(sides)}.
Tunes that share a melody, in whatever setting or key, or a title lie on one side, which follows from the SHA-256 of
their notes (`training/corpora/families.py`). Training learnt from {_learnt_from(config)}{_began_from(draft)},
the validation tunes said when to stop, and the test tunes were used for nothing but the numbers below.

## Numbers

Each tune by itself, from a zero state, after a blank line; all its characters and the blank line that closes it.

| tunes | nats per character | bits per character | perplexity |
|---|---|---|---|
{_losses(evaluation)}
{_free_tunes(evaluation.free_tunes)}
## Beside real tunes
{_beside_real(evaluation.beside_real)}
## Recipe

`{config.recipe}`{_overrides(config)}; the weights are those of step {evaluation.step:,}, where the validation loss was
lowest. Seed {config.seed}. {_libraries(draft)}.
{_paragraph(note)}
    {_command(draft, config)}
    python -m training evaluate runs/{draft.name}
    python -m training publish runs/{draft.name} --name {draft.name}

## Limits

- It knows the {network.vocab_size} characters of its corpus and no others.
- It was asked for nothing but the next character: drawn freely, many of its tunes have a bar that does not add up or a
  repeat that does not close.
- It speaks its corpus' dialect, keys, metres and forms; other music is beyond it. Now and then it may repeat a tune
  that it learnt from.
"""


def _network(draft: Draft) -> str:
    model = draft.model
    gates = f" + {model.gates} copying gates" if model.gates else ""
    told = (
        f" beside {sum(sum(each.dims) for each in model.inputs)} of {len(model.inputs)} inputs" if model.inputs else ""
    )
    return f"Embedding {model.embedding_dim}{told} → LSTM {model.lstm_units} → Dense {model.vocab_size}{gates}"


def _told(draft: Draft) -> str:
    """What it is told beside the character."""
    inputs = draft.model.inputs
    if not inputs:
        return ""
    backs = [each.name.removeprefix("back_") for each in inputs if each.name.startswith("back_")]
    return (
        ", with what the text so far says of where it stands (place in bar and part, key, metre, rhythm)\n"
        f"and what stood {_and(backs)} bars back (`app/abc/lookback`)"
        f"{''.join(_ALSO_TOLD.get(each.name, '') for each in inputs)},"
    )


_ALSO_TOLD = {
    "plan": ",\na plan of the tune where one was drawn (`app/abc/lookback/plan.py`)",
    "match": ",\nand what followed the last two signs when they were last written (`app/abc/lookback/match_model.py`)",
}
"""By the name of an input."""


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _corpora(draft: Draft) -> str:
    rows = ((c.name, c.origin, c.licence, f"{c.tunes:,}", f"{c.characters:,}", f"`{c.sha256}`") for c in draft.corpora)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _sides(sides: Split) -> str:
    sizes = len(sides.train), len(sides.validation), len(sides.test)
    counts = "{} tunes to train, {} to validate, {} to test".format(*sizes)
    return f"{counts} ({' : '.join(f'{size / sum(sizes):.0%}' for size in sizes)})"


def _learnt_from(config: TrainingConfig) -> str:
    if config.learn_from == "train":
        return "the train tunes alone"
    return "the whole text, held-out tunes included (so the losses below say little)"


def _began_from(draft: Draft) -> str:
    start = draft.training.get("from")
    return f", going on from `{start}`, which learnt as its own card says" if start else ""


def _losses(evaluation: Evaluation) -> str:
    rows: list[tuple[str, Loss]] = [
        ("**test**", evaluation.test),
        ("test, int8 decoder", evaluation.test_int8),
        ("validation", evaluation.validation),
        ("train", evaluation.train),
    ]
    if evaluation.test_with_plans:
        rows.insert(1, ("test, told each tune's own plan", evaluation.test_with_plans))
    return "\n".join(
        f"| {name} ({loss.tunes}) | {loss.nats:.4f} | {loss.bits:.4f} | {loss.perplexity:.3f} |" for name, loss in rows
    )


def _free_tunes(free: FreeTunes | None) -> str:
    if free is None:
        return "\nNo tunes were drawn from it to be judged.\n"
    return f"""
{free.tunes} whole tunes drawn freely (temperature 1, nothing forbidden, seeds {free.seeds}), and the corpus' own test
tunes, as abc2midi takes them:

| | without any complaint | without complaints other than about repeats |
|---|---|---|
| drawn | {free.share_clean:.1%} | {free.share_clean_but_for_repeats:.1%} |
| the test tunes | {free.share_clean_of_test_tunes:.1%} | {free.share_clean_but_for_repeats_of_test_tunes:.1%} |
"""


def _beside_real(beside: BesideReal | None) -> str:
    if beside is None:
        return "\nNo tunes were drawn from it to be held beside real ones.\n"
    return f"""
Tunes as the service makes them, asked for nothing (temperature 1, under the grammar), beside the held-out test tunes.
*As real*: no further from those than 95 % of their halves are from each other; *near*: no further than twice that. Of
an AUC, the figure under "real" is of the test tunes against other real ones; 0.5 is a coin's.

{to_markdown(beside)}
"""


def _libraries(draft: Draft) -> str:
    return ", ".join(f"{name} {version}" for name, version in draft.libraries.items())


def _paragraph(note: str) -> str:
    return f"\n{note.strip()}\n" if note.strip() else ""


def _overrides(config: TrainingConfig) -> str:
    changed = _changed(config)
    return f" with {', '.join(f'`{name}={value}`' for name, value in changed.items())}" if changed else ""


def _changed(config: TrainingConfig) -> dict[str, object]:
    plain = TrainingConfig(recipe=config.recipe, **RECIPES[config.recipe]).to_json()
    return {name: value for name, value in config.to_json().items() if value != plain[name]}


def _command(draft: Draft, config: TrainingConfig) -> str:
    settings = "".join(f" --set {name}={value}" for name, value in _changed(config).items())
    books = [corpora.argument(record.name, record.origin) for record in draft.corpora]
    corpus = f" --corpus {' '.join(books)}" if books != list(corpora.DEFAULT) else ""
    start = f" --from {draft.training['from']}" if draft.training.get("from") else ""
    return f"python -m training train --recipe {config.recipe}{start}{corpus} --run runs/{draft.name}{settings}"
