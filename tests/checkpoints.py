"""Stores of the tests' own, filled with the default model."""

from model_store.critic import Critic
from model_store.manifest import Draft
from model_store.plans import Plans
from model_store.store import Checkpoint, Store
from model_store.tune_index import TuneIndex


def publish(
    store: Store,
    checkpoint: Checkpoint,
    name: str,
    index: TuneIndex | None = None,
    critic: Critic | None = None,
    plans: Plans | None = None,
) -> Checkpoint:
    """The default model again, as the next version of a name; with no index of tunes and no critic, or others."""
    draft = Draft(**{field: getattr(checkpoint.manifest, field) for field in Draft.model_fields} | {"name": name})
    kept = {"decoder.tflite", "README.md", "lexicon.json", "plans.json"} & checkpoint.manifest.files.keys()
    files = {file: checkpoint.path(file).read_bytes() for file in kept}
    if index is not None:
        files["tunes.safetensors"] = index.to_bytes()
    if critic is not None:
        files["critic.safetensors"] = critic.to_bytes()
    if plans is not None:
        files["plans.json"] = plans.to_bytes()
    return store.publish(draft, checkpoint.weights(), files)
