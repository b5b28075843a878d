"""Stores of the tests' own, filled with the default model."""

from model_store.manifest import Draft
from model_store.store import Checkpoint, Store


def publish(store: Store, checkpoint: Checkpoint, name: str) -> Checkpoint:
    """The default model again, as the next version of a name."""
    draft = Draft(**{field: getattr(checkpoint.manifest, field) for field in Draft.model_fields} | {"name": name})
    files = {file: checkpoint.path(file).read_bytes() for file in ("decoder.tflite", "README.md")}
    return store.publish(draft, checkpoint.weights(), files)
