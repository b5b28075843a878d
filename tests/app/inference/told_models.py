"""A small model that is told where it stands and what stood there; its weights are drawn, and it writes nonsense."""

import numpy as np
from numpy.typing import NDArray

from model_store.manifest import Draft, Input, ModelConfig
from model_store.plans import KnownPlan, Plans
from model_store.store import Checkpoint, Store
from tests.training.conftest import TINY

PLANS = Plans((KnownPlan("", "4/4", 40, ((True, (1, 1, 2, 7)), (False, (1,) * 8))),))


def publish(
    store: Store, like: Checkpoint, name: str = "told", inputs: tuple[Input, ...] = (), recipe: str = "lookback"
) -> Checkpoint:
    """The next version of a name, with the vocabulary of another model; with the recipe's inputs, or others."""
    from training.learning.config import TrainingConfig
    from training.learning.model import model_config
    from training.publishing.export import decoder_graph

    manifest = like.manifest
    network = model_config(TrainingConfig.from_recipe(recipe, TINY), manifest.model.vocab_size)
    network = network.model_copy(update={"inputs": inputs or network.inputs})
    weights = drawn_weights(network)
    draft = Draft(
        name=name,
        model=network,
        vocabulary=manifest.vocabulary,
        corpora=manifest.corpora,
        training={},
        metrics={},
        libraries={},
    )
    files = {"decoder.tflite": decoder_graph(weights, inputs=network.inputs), "README.md": b"# told\n"}
    if recipe == "planned":
        files["plans.json"] = PLANS.to_bytes()
    return store.publish(draft, weights, files)


def drawn_weights(network: ModelConfig) -> dict[str, NDArray[np.float32]]:
    generator = np.random.default_rng(1)
    return {
        name: generator.normal(0, 1 / np.sqrt(shape[0]) if "kernel" in name else 1.0, shape).astype(np.float32)
        for name, shape in network.weight_shapes().items()
    }
